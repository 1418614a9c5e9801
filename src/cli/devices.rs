//! `cathnav devices`: the catalogue as a table, one device with its picture.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::CliError;
use crate::device::{Catalog, Device, DeviceKind, Embolic, load_catalog, passes};
use crate::files::nearest;

mod picture;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List devices and embolics, grouped by kind
    List {
        /// Only this kind: wire, catheter, guide, microcatheter, sheath, coil, plug, snare, balloon, stent, particles or gelatin
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show a device's data and write a picture of its shape at rest, free and with a wire inside
    Show {
        /// Id, as `devices list` prints it
        id: String,
        /// Picture to write; `ID.png` in the working folder if absent
        #[arg(long)]
        out: Option<PathBuf>,
        /// Wire inside; the hydrophilic wire that passes if absent
        #[arg(long)]
        wire: Option<String>,
        /// How far the wire's tip lies beyond the catheter's, mm
        #[arg(long, default_value_t = 60.0)]
        ahead_mm: f64,
    },
}

/// Wires for the picture, the first that passes is taken.
const USUAL_WIRES: [&str; 3] =
    ["wire.hydrophilic_angled.035", "wire.micro.018", "wire.coronary_workhorse.014"];

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let catalog = load_catalog(&super::root()?.join("assets"))?;
    match &args.command {
        Action::List { kind } => super::say(&list(&catalog, kind.as_deref())?),
        Action::Show { id, out, wire, ahead_mm } => {
            show(&catalog, id, out.as_deref(), wire.as_deref(), *ahead_mm)
        }
    }
}

/// The group of an id: its first word.
fn group(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// Groups in the order in which devices go in, with their headings.
const GROUPS: [(&str, &str); 12] = [
    ("wire", "Guidewires"),
    ("sheath", "Introducer sheaths"),
    ("guide", "Guiding catheters"),
    ("catheter", "Diagnostic catheters"),
    ("microcatheter", "Microcatheters"),
    ("coil", "Coils on their pushers"),
    ("plug", "Plugs on their cables"),
    ("snare", "Snares"),
    ("balloon", "Balloon catheters"),
    ("stent", "Stents on their delivery catheters"),
    ("particles", "Particles (bore: the smallest that they pass)"),
    ("gelatin", "Gelatin (bore: the smallest that it passes)"),
];

fn list(catalog: &Catalog, kind: Option<&str>) -> Result<String, CliError> {
    if let Some(kind) = kind.filter(|k| GROUPS.iter().all(|g| g.0 != *k)) {
        let names: Vec<&str> = GROUPS.iter().map(|g| g.0).collect();
        return Err(CliError::bad_input(format!(
            "no kind is called `{kind}`; there are {}",
            names.join(", ")
        )));
    }
    let mut text = String::new();
    for (word, heading) in GROUPS.iter().filter(|g| kind.is_none_or(|k| k == g.0)) {
        if !text.is_empty() {
            text.push('\n');
        }
        writeln!(text, "{heading}").ok();
        writeln!(text, "{:<46} {:>9} {:>8} {:>8}  what it is", "id", "length mm", "outer mm", "bore mm").ok();
        for d in catalog.devices.iter().filter(|d| group(&d.id) == *word) {
            let bore = d.inner_diameter_mm.map_or_else(|| "-".to_owned(), |b| format!("{b:.2}"));
            let outer = d.max_outer_diameter_mm;
            writeln!(text, "{:<46} {:>9.0} {outer:>8.2} {bore:>8}  {}", d.id, d.length_mm, d.label).ok();
        }
        for e in catalog.embolics.iter().filter(|e| group(&e.id) == *word) {
            writeln!(text, "{:<46} {:>9} {:>8} {:>8.2}  {}", e.id, "-", "-", e.min_lumen_mm, e.label).ok();
        }
    }
    Ok(text.trim_end().to_owned())
}

fn show(
    catalog: &Catalog,
    id: &str,
    out: Option<&Path>,
    wire: Option<&str>,
    ahead_mm: f64,
) -> Result<(), CliError> {
    if let Some(embolic) = catalog.embolic(id) {
        return super::say(&describe_embolic(embolic));
    }
    let device = find(catalog, id)?;
    if !(0.0..=1000.0).contains(&ahead_mm) {
        return Err(CliError::bad_input(format!("--ahead-mm is {ahead_mm}; allowed: 0 to 1000")));
    }
    let inside = wire_for(catalog, device, wire)?.map(|wire| picture::Inside { wire, ahead_mm });
    let path = out.map_or_else(|| PathBuf::from(format!("{id}.png")), Path::to_path_buf);
    super::write_file(&path, &picture::picture(device, inside)?)?;
    super::say(&describe(device))?;
    super::say(&format!("picture: {}", path.display()))
}

fn find<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Device, CliError> {
    if let Some(device) = catalog.device(id) {
        return Ok(device);
    }
    let ids =
        catalog.devices.iter().map(|d| d.id.as_str()).chain(catalog.embolics.iter().map(|e| e.id.as_str()));
    let guess = nearest(id, ids).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    Err(CliError::bad_input(format!("no device is called `{id}`{guess} (`cathnav devices list` shows all)")))
}

/// The wire to show inside a device: as named, or the usual one that passes; none in a wire.
fn wire_for<'a>(
    catalog: &'a Catalog,
    device: &Device,
    named: Option<&str>,
) -> Result<Option<&'a Device>, CliError> {
    let Some(id) = named else {
        let usual = USUAL_WIRES.iter().filter_map(|id| catalog.device(id));
        return Ok(usual.into_iter().find(|w| passes(w, device).is_ok()));
    };
    let wire = find(catalog, id)?;
    if wire.kind != DeviceKind::Wire {
        return Err(CliError::bad_input(format!("`{id}` is no wire")));
    }
    passes(wire, device).map_err(|e| CliError::bad_input(e.to_string()))?;
    Ok(Some(wire))
}

fn describe(device: &Device) -> String {
    let mut text = format!("{}\n{:?}, id {}\n", device.label, device.kind, device.id);
    let bore = device.inner_diameter_mm.map_or_else(|| "none".to_owned(), |b| format!("{b:.3} mm"));
    let (length, outer) = (device.length_mm, device.max_outer_diameter_mm);
    writeln!(text, "length {length:.0} mm, largest outer diameter {outer:.3} mm, bore {bore}").ok();
    let holes = device.side_holes_mm.len();
    let (friction, psi) = (device.friction_lumen, device.max_pressure_psi);
    writeln!(text, "friction in a lumen {friction}, rated {psi:.0} psi, {holes} side holes").ok();
    writeln!(
        text,
        "from tip mm  length mm  outer mm  EI N mm2  GJ N mm2  radius mm  friction  steel ratio  visible by"
    )
    .ok();
    let mut from_mm = 0.0;
    for z in &device.zones {
        let curvature = z.rest_curvature_per_mm.hypot(z.rest_curvature_2_per_mm);
        let radius = if curvature > 0.0 { format!("{:.1}", 1.0 / curvature) } else { "straight".to_owned() };
        let (ei, gj) = (z.bend_stiffness_n_mm2, z.torsion_stiffness_n_mm2);
        let (outer, length) = (z.outer_diameter_mm, z.length_mm);
        let (friction, steel, opaque) = (z.friction_wall, z.radiopacity_steel_ratio, z.opaque);
        writeln!(
            text,
            "{from_mm:>11.1} {length:>10.1} {outer:>9.3} {ei:>9.2} {gj:>9.2} {radius:>10} {friction:>9} {steel:>12}  {opaque:?}"
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

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        load_catalog(&super::super::root().unwrap().join("assets")).unwrap()
    }

    #[test]
    fn the_list_holds_every_id_once_and_can_be_cut_to_a_kind() {
        let catalog = catalog();
        let all = list(&catalog, None).unwrap();
        let lines: Vec<&str> = all.lines().filter_map(|l| l.split_whitespace().next()).collect();
        let ids = catalog.devices.iter().map(|d| &d.id).chain(catalog.embolics.iter().map(|e| &e.id));
        for id in ids {
            assert_eq!(lines.iter().filter(|l| *l == id).count(), 1, "{id}");
        }
        let guides = list(&catalog, Some("guide")).unwrap();
        assert!(guides.contains("guide.mpa.8f") && !guides.contains("catheter.cobra_c2.5f"));
        assert!(list(&catalog, Some("gide")).unwrap_err().message.contains("microcatheter"));
    }

    #[test]
    fn a_picture_has_a_second_panel_where_a_wire_passes() {
        let catalog = catalog();
        let width = |id: &str, wire: Option<&str>| {
            let device = find(&catalog, id).unwrap();
            let inside = wire_for(&catalog, device, wire).unwrap();
            let inside = inside.map(|wire| picture::Inside { wire, ahead_mm: 60.0 });
            let bytes = picture::picture(device, inside).unwrap();
            u32::from_be_bytes([bytes[16], bytes[17], bytes[18], bytes[19]])
        };
        let one = width("wire.j_3mm.035", None);
        assert_eq!(width("catheter.simmons_2.5f", None), 2 * one);
        assert_eq!(width("microcatheter.1_7f", None), 2 * one);
        let micro = find(&catalog, "microcatheter.2_4f").unwrap();
        let refused = wire_for(&catalog, micro, Some("wire.lunderquist.035")).unwrap_err();
        assert!(refused.message.contains("0.89 mm"), "{}", refused.message);
        assert!(wire_for(&catalog, micro, Some("sheath.5f.110")).unwrap_err().message.contains("no wire"));
    }
}
