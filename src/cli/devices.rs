//! `cathnav devices`: the catalogue as a table, one device with its picture.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::CliError;
use crate::device::{Catalog, Device, Embolic, load_catalog, rest_shape_mm};
use crate::files::nearest;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List devices and embolics
    List,
    /// Show a device's data and write a picture of its shape at rest
    Show {
        /// Id, as `devices list` prints it
        id: String,
        /// Picture to write; `ID.png` in the working folder if absent
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let catalog = load_catalog(&super::root()?.join("assets"))?;
    match &args.command {
        Action::List => super::say(&list(&catalog)),
        Action::Show { id, out } => show(&catalog, id, out.as_deref()),
    }
}

fn list(catalog: &Catalog) -> String {
    let mut text =
        format!("{:<38} {:>9} {:>8} {:>8}  {}\n", "id", "length mm", "outer mm", "bore mm", "what it is");
    for d in &catalog.devices {
        let bore = d.inner_diameter_mm.map_or_else(|| "-".to_owned(), |b| format!("{b:.2}"));
        let outer = d.max_outer_diameter_mm;
        writeln!(text, "{:<38} {:>9.0} {outer:>8.2} {bore:>8}  {}", d.id, d.length_mm, d.label).ok();
    }
    for e in &catalog.embolics {
        writeln!(text, "{:<38} {:>9} {:>8} {:>8.2}  {}", e.id, "-", "-", e.min_lumen_mm, e.label).ok();
    }
    text.push_str("bore of particles: the smallest that they pass");
    text
}

fn show(catalog: &Catalog, id: &str, out: Option<&Path>) -> Result<(), CliError> {
    if let Some(embolic) = catalog.embolic(id) {
        return super::say(&describe_embolic(embolic));
    }
    let Some(device) = catalog.device(id) else {
        let ids = catalog
            .devices
            .iter()
            .map(|d| d.id.as_str())
            .chain(catalog.embolics.iter().map(|e| e.id.as_str()));
        let guess = nearest(id, ids).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        return Err(CliError::bad_input(format!(
            "no device is called `{id}`{guess} (`cathnav devices list` shows all)"
        )));
    };
    let path = out.map_or_else(|| PathBuf::from(format!("{id}.png")), Path::to_path_buf);
    super::write_file(&path, &picture(device)?)?;
    super::say(&describe(device))?;
    super::say(&format!("picture: {}", path.display()))
}

fn describe(device: &Device) -> String {
    let mut text = format!("{}\n{:?}, id {}\n", device.label, device.kind, device.id);
    let bore = device.inner_diameter_mm.map_or_else(|| "none".to_owned(), |b| format!("{b:.3} mm"));
    let (length, outer) = (device.length_mm, device.max_outer_diameter_mm);
    writeln!(text, "length {length:.0} mm, largest outer diameter {outer:.3} mm, bore {bore}").ok();
    let holes = device.side_holes_mm.len();
    let (friction, psi) = (device.friction_lumen, device.max_pressure_psi);
    writeln!(text, "friction in a lumen {friction}, rated {psi:.0} psi, {holes} side holes").ok();
    writeln!(text, "from tip mm  length mm  outer mm  EI N mm2  GJ N mm2  radius mm  friction  steel ratio")
        .ok();
    let mut from_mm = 0.0;
    for z in &device.zones {
        let curvature = z.rest_curvature_per_mm.hypot(z.rest_curvature_2_per_mm);
        let radius = if curvature > 0.0 { format!("{:.1}", 1.0 / curvature) } else { "straight".to_owned() };
        let (ei, gj) = (z.bend_stiffness_n_mm2, z.torsion_stiffness_n_mm2);
        let (outer, length) = (z.outer_diameter_mm, z.length_mm);
        let (friction, steel) = (z.friction_wall, z.radiopacity_steel_ratio);
        writeln!(
            text,
            "{from_mm:>11.1} {length:>10.1} {outer:>9.3} {ei:>9.2} {gj:>9.2} {radius:>10} {friction:>9} {steel:>12}"
        )
        .ok();
        from_mm += z.length_mm;
    }
    write!(text, "source: {}", device.source).ok();
    text
}

fn describe_embolic(embolic: &Embolic) -> String {
    let mut text = format!("{}\nid {}\n", embolic.label, embolic.id);
    for class in &embolic.size_classes {
        writeln!(text, "{:.3}-{:.3} mm: {:.0} % by count", class.min_mm, class.max_mm, 100.0 * class.share)
            .ok();
    }
    let (count, iodine, bore) = (embolic.particles_per_ml, embolic.iodine_mg_per_ml, embolic.min_lumen_mm);
    writeln!(text, "{count:.0} particles per mL, iodine {iodine:.0} mg/mL, smallest bore {bore:.2} mm").ok();
    write!(text, "source: {}", embolic.source).ok();
    text
}

const SIZE_PX: usize = 640;

/// A grey PNG: the shaped end free in its plane, true to scale, with a bar of 10 mm.
fn picture(device: &Device) -> Result<Vec<u8>, CliError> {
    // A little of the straight shaft beyond the last curve, and enough of a straight device to see.
    let mut from_mm = 0.0;
    let mut shaped_mm: f64 = 0.0;
    for z in &device.zones {
        from_mm += z.length_mm;
        if z.rest_curvature_per_mm != 0.0 || z.rest_curvature_2_per_mm != 0.0 {
            shaped_mm = from_mm;
        }
    }
    let shown_mm = (1.4 * shaped_mm + 20.0).min(device.length_mm);
    let points = rest_shape_mm(device, shown_mm, 0.25);
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for p in &points {
        for axis in 0..2 {
            low[axis] = low[axis].min(p[axis]);
            high[axis] = high[axis].max(p[axis]);
        }
    }
    let margin_px = 40.0;
    let span_mm = (high[0] - low[0]).max(high[1] - low[1]).max(20.0);
    let px_per_mm = (SIZE_PX as f64 - 2.0 * margin_px) / span_mm;
    let center_px = SIZE_PX as f64 / 2.0;
    let mut canvas = vec![255_u8; SIZE_PX * SIZE_PX];
    let middle = [0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1])];
    for p in &points {
        let x = center_px + (p[0] - middle[0]) * px_per_mm;
        let y = center_px - (p[1] - middle[1]) * px_per_mm;
        let outer_mm = device.section_at(p[2]).outer_diameter_mm;
        disc(&mut canvas, x, y, (0.5 * outer_mm * px_per_mm).max(1.0), 40);
    }
    let bar_px = 10.0 * px_per_mm;
    let steps = (4.0 * bar_px) as usize;
    for i in 0..=steps {
        let x = 12.0 + bar_px * i as f64 / steps.max(1) as f64;
        disc(&mut canvas, x, SIZE_PX as f64 - 12.0, 1.5, 120);
    }
    encode(&canvas)
}

/// Darkens a disc, with an edge one pixel soft.
fn disc(canvas: &mut [u8], x: f64, y: f64, radius_px: f64, grey: u8) {
    let clamp = |v: f64| v.clamp(0.0, (SIZE_PX - 1) as f64) as usize;
    for row in clamp(y - radius_px - 1.0)..=clamp(y + radius_px + 1.0) {
        for column in clamp(x - radius_px - 1.0)..=clamp(x + radius_px + 1.0) {
            let distance = (column as f64 - x).hypot(row as f64 - y);
            let cover = (radius_px + 0.5 - distance).clamp(0.0, 1.0);
            let value = 255.0 - cover * (255.0 - f64::from(grey));
            let pixel = &mut canvas[row * SIZE_PX + column];
            *pixel = (*pixel).min(value as u8);
        }
    }
}

fn encode(canvas: &[u8]) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE_PX as u32, SIZE_PX as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let fail = |e: png::EncodingError| CliError::bad_input(format!("the picture cannot be made: {e}"));
    let mut writer = encoder.write_header().map_err(fail)?;
    writer.write_image_data(canvas).map_err(fail)?;
    writer.finish().map_err(fail)?;
    Ok(bytes)
}
