//! State of a rod, and entering and taking off devices.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_DEVICES, RodBase};
use crate::device::Device;
use crate::math::Vec3;
use crate::sim::command::{Hold, ToolId};

/// How far from its carrier's hub a tip may be to count as withdrawn, mm.
const WITHDRAWN_MM: f64 = 1.0;

/// One device in a rod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RodDevice {
    /// Which.
    pub tool: ToolId,
    /// Length, mm, without what it has left behind.
    pub length_mm: f64,
    /// Length from its tip over which a wire runs in it, mm: all of it, or less for rapid exchange.
    pub rail_mm: f64,
    /// Length from its first tip on that it has left behind, mm.
    #[serde(default)]
    pub shed_mm: f64,
    /// Arc length of the tip from the rod base (sheath tip), mm; negative while inside sheath or carrier outside.
    pub inserted_mm: f64,
    /// Hub angle, rad.
    pub hub_angle_rad: f64,
    /// How the hub was held in the last tick.
    pub hold: Hold,
    /// Material angle against the reference director, one per edge that the device reaches, rad.
    pub theta: Vec<f64>,
    /// Rubbing in rotation against the carrier, per edge like `theta`.
    pub rubs: Vec<RubMemory>,
    /// Share of the friction against the carrier that is mobilized, -1 to 1 (+: resists advance).
    pub mobilized: f64,
    /// Largest friction force against the carrier, N.
    pub grip_n: f64,
    /// Compression where it leaves its carrier's tip, N.
    pub exit_force_n: f64,
    /// Axial force at the hub, N; positive resists advance.
    pub hub_force_n: f64,
    /// Torque at the hub, N mm.
    pub hub_torque_n_mm: f64,
}

/// Stuck point of a contact: an elastic bristle from here to the surface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// Holds at all.
    pub active: bool,
    /// Point, mm.
    pub point_mm: Vec3,
    /// Material angle of the outermost device there, rad.
    pub theta: f64,
    /// Normal force, N.
    pub normal_n: f64,
}

/// What rubbing in rotation remembers on one edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RubMemory {
    /// Angle against the carrier's material at which the bristle is slack, rad.
    pub anchor_rad: f64,
    /// Largest torque, N mm; 0 where nothing rubs yet.
    pub bound_n_mm: f64,
}

/// A rod: everything needed to go on bit-exactly.
///
/// Node 0 lies one ghost edge before the base and node 1 at the base; both are fixed, so that the base clamps position
/// and direction. With nothing inserted there are no nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RodState {
    /// Fixed end.
    pub base: RodBase,
    /// Devices, outermost first.
    pub devices: Vec<RodDevice>,
    /// Nodes, patient frame, mm.
    pub nodes_mm: Vec<Vec3>,
    /// Node velocities, mm/s.
    pub velocity_mm_per_s: Vec<Vec3>,
    /// Rest length of each edge, mm.
    pub rest_mm: Vec<f64>,
    /// Reference director of each edge (time-parallel).
    pub director: Vec<Vec3>,
    /// Reference twist at each vertex (index of the vertex), rad.
    pub reference_twist: Vec<f64>,
    /// Index of the device whose tip sits on the node, if that tip is a feed point.
    pub tip_of: Vec<Option<u8>>,
    /// Friction anchors at the contact sites: site `2 i` is node `i`, site `2 j + 1` the middle of edge `j`.
    pub anchors: Vec<Anchor>,
    /// Radius of the lumen around each node when last asked, mm.
    pub lumen_mm: Vec<f64>,
    /// Ticks for which a coil has been in: says when its resting loops may settle.
    #[serde(default)]
    pub coil_ticks: u32,
}

/// Why a device cannot be entered or taken off.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LoadRefusal {
    /// No such device in the tray.
    #[error("there is no device {0} on the tray")]
    Unknown(u8),
    /// It is in already.
    #[error("{0} is in already")]
    AlreadyIn(String),
    /// It is not in this rod.
    #[error("{0} is not in")]
    NotIn(String),
    /// No room for a further device.
    #[error("{found} devices are in, at most {allowed} can be nested")]
    TooMany {
        /// Devices in.
        found: usize,
        /// Most.
        allowed: usize,
    },
    /// Outer diameter against lumen.
    #[error(
        "{device} of {outer_mm:.3} mm outer diameter does not pass {around} of {inner_mm:.3} mm inner diameter"
    )]
    DoesNotPass {
        /// The thicker one.
        device: String,
        /// Its largest outer diameter, mm.
        outer_mm: f64,
        /// What it must pass.
        around: String,
        /// Inner diameter, mm.
        inner_mm: f64,
    },
    /// The wire outside is shorter than what runs on it.
    #[error(
        "{wire} has {outside_mm:.0} mm outside, {device} runs on {length_mm:.0} mm of it: too short a wire to go over"
    )]
    WireTooShort {
        /// Wire.
        wire: String,
        /// Wire outside the hub, mm.
        outside_mm: f64,
        /// Catheter.
        device: String,
        /// Length of it that runs on the wire, mm.
        length_mm: f64,
    },
    /// Nothing can be threaded into a rapid exchange device that is in.
    #[error("nothing can be entered through {0}: its wire port is inside the patient; take it off first")]
    PortInside(String),
    /// A coil in a bore that does not suit it.
    #[error(
        "{device} jams in {around} of {inner_mm:.3} mm inner diameter: it goes through {least_mm:.3} to {most_mm:.3} mm"
    )]
    Jams {
        /// Coil.
        device: String,
        /// What it must go through.
        around: String,
        /// Inner diameter, mm.
        inner_mm: f64,
        /// Narrowest, mm.
        least_mm: f64,
        /// Widest, mm.
        most_mm: f64,
    },
    /// The lumen already holds a wire.
    #[error("{0} is in the way: it has no lumen")]
    LumenOccupied(String),
    /// Still inside.
    #[error("{device} is {inside_mm:.0} mm in; withdraw it to the hub (at most {allowed_mm:.0} mm) first")]
    NotWithdrawn {
        /// Device.
        device: String,
        /// Length from its carrier's hub to its tip, mm.
        inside_mm: f64,
        /// Most, mm.
        allowed_mm: f64,
    },
}

impl RodState {
    /// An empty rod.
    pub fn new(base: RodBase) -> Self {
        Self {
            base,
            devices: Vec::new(),
            nodes_mm: Vec::new(),
            velocity_mm_per_s: Vec::new(),
            rest_mm: Vec::new(),
            director: Vec::new(),
            reference_twist: Vec::new(),
            tip_of: Vec::new(),
            anchors: Vec::new(),
            lumen_mm: Vec::new(),
            coil_ticks: 0,
        }
    }

    /// Position of a tool in [`RodState::devices`].
    pub fn index_of(&self, tool: ToolId) -> Option<usize> {
        self.devices.iter().position(|d| d.tool == tool)
    }

    /// Arc of the hub of what surrounds device `index` (sheath or next outer device), mm: never positive, but in a rapid
    /// exchange device that of the port where the wire leaves it.
    pub fn carrier_hub_mm(&self, index: usize) -> f64 {
        match index.checked_sub(1).and_then(|i| self.devices.get(i)) {
            Some(carrier) => carrier.inserted_mm - carrier.rail_mm,
            None => -self.base.sheath_length_mm,
        }
    }

    /// Length of device `index` outside the hub of what surrounds it, mm.
    pub fn external_mm(&self, index: usize) -> f64 {
        let d = &self.devices[index];
        self.carrier_hub_mm(index) - (d.inserted_mm - d.length_mm)
    }

    /// Enters a device; see [`super::load`].
    pub(super) fn load(&mut self, tools: &[Device], tool: ToolId) -> Result<(), LoadRefusal> {
        let device = tools.get(tool.idx()).ok_or(LoadRefusal::Unknown(tool.0))?;
        if self.index_of(tool).is_some() {
            return Err(LoadRefusal::AlreadyIn(device.label.clone()));
        }
        if self.devices.len() >= MAX_DEVICES {
            return Err(LoadRefusal::TooMany { found: self.devices.len(), allowed: MAX_DEVICES });
        }
        // Over a wire the new device goes just outside it, else into the innermost lumen.
        let lumen_of = |d: &RodDevice| tools.get(d.tool.idx()).and_then(|t| t.inner_diameter_mm);
        let at = match self.devices.last() {
            Some(last) if lumen_of(last).is_none() => self.devices.len() - 1,
            _ => self.devices.len(),
        };
        let (around, inner_mm) = match at.checked_sub(1).map(|i| &self.devices[i]) {
            Some(c) => match (tools.get(c.tool.idx()), lumen_of(c)) {
                (Some(t), Some(inner)) => (t.label.clone(), inner),
                (Some(t), None) => return Err(LoadRefusal::LumenOccupied(t.label.clone())),
                (None, _) => return Err(LoadRefusal::Unknown(c.tool.0)),
            },
            None => ("the sheath".to_owned(), self.base.sheath_inner_diameter_mm),
        };
        if let Some(wire) = self.devices.get(at) {
            let t = tools.get(wire.tool.idx()).ok_or(LoadRefusal::Unknown(wire.tool.0))?;
            let Some(lumen) = device.inner_diameter_mm else {
                return Err(LoadRefusal::LumenOccupied(t.label.clone()));
            };
            pass(t, &device.label, lumen)?;
            let outside_mm = self.external_mm(at);
            if outside_mm < device.rail_mm() {
                return Err(LoadRefusal::WireTooShort {
                    wire: t.label.clone(),
                    outside_mm,
                    device: device.label.clone(),
                    length_mm: device.rail_mm(),
                });
            }
        }
        pass(device, &around, inner_mm)?;
        if let Some(implant) = &device.implant
            && !(implant.bores_mm.0..=implant.bores_mm.1).contains(&inner_mm)
        {
            let (least_mm, most_mm) = implant.bores_mm;
            return Err(LoadRefusal::Jams {
                device: device.label.clone(),
                around,
                inner_mm,
                least_mm,
                most_mm,
            });
        }
        if let Some(carrier) = at.checked_sub(1).map(|i| &self.devices[i])
            && carrier.rail_mm < carrier.length_mm
        {
            return Err(LoadRefusal::PortInside(around));
        }
        let inserted_mm = self.carrier_hub_mm(at);
        let rod_device =
            RodDevice { rail_mm: device.rail_mm(), ..RodDevice::new(tool, device.length_mm, inserted_mm) };
        self.devices.insert(at, rod_device);
        for mark in self.tip_of.iter_mut().flatten() {
            if usize::from(*mark) >= at {
                *mark += 1;
            }
        }
        Ok(())
    }

    /// Takes a device off; see [`super::unload`].
    pub(super) fn unload(&mut self, tools: &[Device], tool: ToolId) -> Result<(), LoadRefusal> {
        let label = tools.get(tool.idx()).map(|t| t.label.clone()).ok_or(LoadRefusal::Unknown(tool.0))?;
        let at = self.index_of(tool).ok_or_else(|| LoadRefusal::NotIn(label.clone()))?;
        let inside_mm = self.devices[at].inserted_mm - self.carrier_hub_mm(at);
        if inside_mm > WITHDRAWN_MM {
            return Err(LoadRefusal::NotWithdrawn { device: label, inside_mm, allowed_mm: WITHDRAWN_MM });
        }
        // What runs inside it must stay behind with its end outside, or it would go along.
        self.devices.remove(at);
        for mark in &mut self.tip_of {
            *mark = match *mark {
                Some(m) if usize::from(m) == at => None,
                Some(m) if usize::from(m) > at => Some(m - 1),
                other => other,
            };
        }
        Ok(())
    }
}

/// Whether a device passes a lumen.
fn pass(device: &Device, around: &str, inner_mm: f64) -> Result<(), LoadRefusal> {
    if device.max_outer_diameter_mm < inner_mm {
        return Ok(());
    }
    Err(LoadRefusal::DoesNotPass {
        device: device.label.clone(),
        outer_mm: device.max_outer_diameter_mm,
        around: around.to_owned(),
        inner_mm,
    })
}

impl RodDevice {
    /// Distance from the device's first tip to the material at an arc length, mm.
    pub(super) fn behind_tip_mm(&self, arc_mm: f64) -> f64 {
        self.shed_mm + (self.inserted_mm - arc_mm).max(0.0)
    }

    /// A device whose tip is at an arc length.
    pub(super) fn new(tool: ToolId, length_mm: f64, inserted_mm: f64) -> Self {
        Self {
            tool,
            length_mm,
            rail_mm: length_mm,
            shed_mm: 0.0,
            inserted_mm,
            hub_angle_rad: 0.0,
            hold: Hold::Held,
            theta: Vec::new(),
            rubs: Vec::new(),
            mobilized: 0.0,
            grip_n: 0.0,
            exit_force_n: 0.0,
            hub_force_n: 0.0,
            hub_torque_n_mm: 0.0,
        }
    }
}
