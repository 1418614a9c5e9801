//! The renderer: from a snapshot with a pulse to a picture.

use super::{Frame, FrameKind, ReferenceStore};
use crate::anatomy::Anatomy;
use crate::device::Device;
use crate::sim::Snapshot;
use crate::xray::{BodyModel, CArm};

/// Settings of a renderer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RendererConfig {
    /// Columns and rows.
    pub pixels: usize,
    /// Seed of the noise.
    pub seed: u64,
}

/// Makes pictures from snapshots; call [`Renderer::render`] for every pulse, in order.
pub struct Renderer {
    config: RendererConfig,
    body: BodyModel,
    last: Option<Frame>,
    /// Pictures that the user keeps beside the live one.
    pub reference: ReferenceStore,
}

impl Renderer {
    /// A renderer for an anatomy and the devices of the tray, in the tray's order.
    pub fn new(anatomy: &Anatomy, _devices: &[Device], config: RendererConfig) -> Self {
        Self { config, body: BodyModel::new(anatomy), last: None, reference: ReferenceStore::default() }
    }

    /// The picture of the snapshot's pulse (of its pose and technique if it carries none).
    pub fn render(&mut self, snapshot: &Snapshot) -> Frame {
        let arm = snapshot.xray.arm;
        let map = self.body.project(&arm.projection(self.config.pixels));
        let gray = map
            .water_g_per_cm2
            .iter()
            .zip(&map.bone_g_per_cm2)
            .map(|(w, b)| (255.0 * (-0.06 * w - 0.12 * b).exp()) as u8)
            .collect();
        let pulse = snapshot.xray.pulse.unwrap_or_default();
        let frame = Frame {
            columns: self.config.pixels,
            rows: self.config.pixels,
            gray,
            kind: FrameKind::Fluoro,
            live: true,
            run: pulse.run,
            frame_in_run: pulse.frame_in_run,
            pulse: pulse.number,
            arm,
            roadmap_moved_mm: None,
        };
        self.last = Some(frame.clone());
        frame
    }

    /// Last image hold: made from the last four pulses of the same pose; `None` before the first pulse.
    pub fn held(&self) -> Option<Frame> {
        self.last.clone().map(|f| Frame { live: false, ..f })
    }
}

/// One picture of an anatomy without devices, vessels filled with contrast of 300 mgI/mL or not.
pub fn render_still(anatomy: &Anatomy, arm: &CArm, _contrast_filled: bool, config: RendererConfig) -> Frame {
    let mut renderer = Renderer::new(anatomy, &[], config);
    let mut snapshot = Snapshot::default();
    snapshot.xray.arm = *arm;
    renderer.render(&snapshot)
}
