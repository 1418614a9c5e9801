//! `cathnav pictures`: the pictures that show what the X-ray chain does, made from the shipped pelvis.

use std::path::{Path, PathBuf};

use super::{CliError, attempt};
use crate::anatomy::Anatomy;
use crate::imaging::{self, Frame, FrameKind, Renderer, RendererConfig};
use crate::sim::snapshot::{Pulse, Technique};
use crate::sim::{Model, Session, Snapshot};
use crate::xray::{BodyModel, CArm, DetectorProgram, ExposureControl, FluoroLevel};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the pictures
    #[arg(long)]
    pub out: PathBuf,
    /// Side of a picture, pixels
    #[arg(long, default_value_t = 640)]
    pub pixels: usize,
}

/// Case and script that the pictures come from.
const CASE: &str = "pelvic_bleeding";
const SCRIPT: &str = "pelvic_bleeding_expert";
/// Label of the script under which the wire crosses the bifurcation on the roadmap of the first run.
const WIRE_LABEL: &str = "Over the bifurcation";
/// Fluoroscopy pulses before a picture is taken, so that the filter has settled.
const SETTLED_PULSES: u64 = 6;

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    if !(64..=2048).contains(&args.pixels) {
        return Err(CliError::bad_input(format!("--pixels is {}, allowed are 64 to 2048", args.pixels)));
    }
    std::fs::create_dir_all(&args.out)
        .map_err(|e| CliError::bad_input(format!("cannot make {}: {e}", args.out.display())))?;
    let model = attempt::load_model(&attempt::resolve(Path::new(CASE), "scenarios")?)?;
    let config = RendererConfig { pixels: args.pixels, seed: 3 };
    let start = Session::new(model.clone(), 1).snapshot();
    let wide = CArm { field_mm: 480.0, ..start.xray.arm };
    let still =
        |anatomy: &Anatomy, arm: &CArm, program: DetectorProgram| settled(anatomy, arm, program, config);
    let fluoro = DetectorProgram::Fluoro(15.0);
    let native = still(&model.anatomy, &wide, DetectorProgram::Cine(15.0));
    let open = still(&model.anatomy, &wide, fluoro);
    let closed = still(&model.anatomy, &CArm { blades: [0.35, 0.35, 0.45, 0.45], ..wide }, fluoro);
    let (thin, thick) =
        (as_thick_as(&model.anatomy, &wide, 150.0), as_thick_as(&model.anatomy, &wide, 350.0));
    let (dsa, roadmap) = from_the_script(&model, config)?;
    for (name, frame) in [
        ("pelvis_native.png", native),
        ("open_and_collimated.png", beside(&open, &closed)),
        ("thickness_15_and_35_cm.png", beside(&still(&thin, &wide, fluoro), &still(&thick, &wide, fluoro))),
        ("dsa_aortic_bifurcation.png", dsa),
        ("roadmap_with_wire.png", roadmap),
    ] {
        let path = args.out.join(name);
        imaging::write_png(&frame, &path).map_err(|e| CliError::bad_input(e.to_string()))?;
        super::say(&format!("wrote {}", path.display()))?;
    }
    Ok(())
}

/// A picture under exposure control once the filter has settled.
fn settled(anatomy: &Anatomy, arm: &CArm, program: DetectorProgram, config: RendererConfig) -> Frame {
    let body = BodyModel::new(anatomy);
    let (water_mm, gap_mm) = (body.water_equivalent_mm(arm), body.air_gap_mm(arm));
    let set = ExposureControl::for_patient(program, FluoroLevel::Normal, water_mm, gap_mm, arm);
    let mut renderer = Renderer::new(anatomy, &[], config);
    let mut snapshot = Snapshot::default();
    snapshot.xray.arm = *arm;
    snapshot.xray.technique = Technique::of(&set, water_mm, gap_mm);
    for number in 0..SETTLED_PULSES {
        snapshot.time_s = number as f64 / program.rate_per_s();
        snapshot.xray.pulse = Some(Pulse { number, run: None, frame_in_run: 0 });
        renderer.render(&snapshot);
    }
    snapshot.xray.pulse = Some(Pulse { number: SETTLED_PULSES, run: None, frame_in_run: 0 });
    renderer.render(&snapshot)
}

/// The anatomy with its soft tissues stretched forwards until the beam meets this much water; a thin one is flattened as a whole.
fn as_thick_as(anatomy: &Anatomy, arm: &CArm, water_mm: f64) -> Anatomy {
    let back_mm =
        anatomy.body.iter().flat_map(|s| &s.mesh.vertices_mm).map(|p| p.y).fold(f64::NEG_INFINITY, f64::max);
    let stretched = |factor: f64| {
        let mut out = anatomy.clone();
        for surface in &mut out.body {
            if factor < 1.0 || ["skin", "muscle"].iter().any(|n| surface.name.starts_with(n)) {
                surface.mesh.vertices_mm.iter_mut().for_each(|p| p.y = back_mm + factor * (p.y - back_mm));
            }
        }
        out
    };
    let (mut low, mut high) = (0.3, 3.0);
    for _ in 0..20 {
        let middle = 0.5 * (low + high);
        if BodyModel::new(&stretched(middle)).water_equivalent_mm(arm) < water_mm {
            low = middle;
        } else {
            high = middle;
        }
    }
    stretched(0.5 * (low + high))
}

/// The fullest frame of the first run of the script, and the wire on its roadmap.
fn from_the_script(
    model: &std::sync::Arc<Model>,
    config: RendererConfig,
) -> Result<(Frame, Frame), CliError> {
    let mut driver = attempt::load_driver(&attempt::resolve(Path::new(SCRIPT), "assets/scripts")?, model)?;
    let mut session = Session::new(model.clone(), 1);
    let mut renderer = Renderer::new(&model.anatomy, &model.tools, config);
    let mut snapshot = session.snapshot();
    let (mut fullest, mut roadmap): (Option<(u64, Frame)>, Option<Frame>) = (None, None);
    let mut has_come = false;
    while !driver.finished() && driver.failed().is_none() {
        for command in driver.next(&snapshot, snapshot.xray.pulse.is_some()) {
            session.submit(command);
        }
        snapshot = session.step().snapshot;
        let is_there = driver.label() == WIRE_LABEL;
        if has_come && !is_there {
            break;
        }
        has_come |= is_there;
        let Some(pulse) = snapshot.xray.pulse else { continue };
        snapshot.xray.roadmap = true;
        // Before the run only the room moves; those pulses are not shown.
        if pulse.run.is_none() && fullest.is_none() {
            continue;
        }
        let frame = renderer.render(&snapshot);
        match frame.kind {
            FrameKind::Dsa => {
                let dark: u64 = frame.gray.iter().map(|g| u64::from(255 - g)).sum();
                if fullest.as_ref().is_none_or(|f| dark > f.0) {
                    fullest = Some((dark, frame));
                }
            }
            FrameKind::Roadmap => roadmap = Some(frame),
            FrameKind::Fluoro | FrameKind::Native => {}
        }
    }
    match (fullest, roadmap) {
        (Some((_, dsa)), Some(roadmap)) => Ok((dsa, roadmap)),
        _ => Err(CliError::failed_check(format!("the script {SCRIPT} made no run or no roadmap"))),
    }
}

/// Two pictures side by side with a dark bar between.
fn beside(left: &Frame, right: &Frame) -> Frame {
    const BAR: usize = 8;
    let columns = left.columns + BAR + right.columns;
    let rows = left.rows.min(right.rows);
    let mut gray = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        gray.extend(&left.gray[row * left.columns..(row + 1) * left.columns]);
        gray.extend([0; BAR]);
        gray.extend(&right.gray[row * right.columns..(row + 1) * right.columns]);
    }
    Frame { columns, rows, gray, ..left.clone() }
}
