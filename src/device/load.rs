//! Reads `assets/devices/*.ron` and turns what is written into zones of constant properties.

use std::path::{Path, PathBuf};

use super::file::{BuildSection, DeviceEntry, DeviceFile, EmbolicEntry, ImplantEntry, Piece, Size};
use super::schema::DEVICE_FILE;
use super::{Catalog, Device, DeviceKind, Embolic, Implant, Opaque, Zone, check};
use crate::files::{CheckReport, Fault, FaultKind, Node, fault_at, line_and_column, parse, walk};

/// Zones that a taper is split into.
const TAPER_ZONES: usize = 6;

/// Reads all `*.ron` under `devices/` of the assets folder, in order of name; all faults of all files together.
pub fn load_catalog(assets_root: &Path) -> Result<Catalog, CheckReport> {
    let folder = assets_root.join("devices");
    let entries = std::fs::read_dir(&folder).map_err(|e| CheckReport::unreadable(&folder, &e.to_string()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "ron"));
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let text =
            std::fs::read_to_string(&path).map_err(|e| CheckReport::unreadable(&path, &e.to_string()))?;
        texts.push((path.display().to_string(), text));
    }
    catalog_from_files(&texts)
}

/// A catalogue from file names and texts; ids must be given once in all of them.
pub fn catalog_from_files(texts: &[(String, String)]) -> Result<Catalog, CheckReport> {
    let mut catalog = Catalog::default();
    let mut report = CheckReport::default();
    let mut ids: Vec<(String, String)> = Vec::new();
    for (name, text) in texts {
        let (root, faults) = check_file(name, text);
        report.merge(faults);
        let Some(root) = root else {
            continue;
        };
        doubles(&root, name, text, &mut ids, &mut report);
        if !report.is_clean() {
            continue;
        }
        match options().from_str::<DeviceFile>(text) {
            Ok(file) => {
                catalog.devices.extend(file.devices.iter().map(device_of));
                catalog.embolics.extend(file.embolics.iter().map(embolic_of));
            }
            Err(e) => {
                let fault = fault_at(name, text, root.span.clone(), FaultKind::WrongType, "");
                report.faults.push(Fault { found: e.to_string(), ..fault });
            }
        }
    }
    if !report.is_clean() {
        return Err(report);
    }
    catalog.devices.sort_by(|a, b| a.id.cmp(&b.id));
    catalog.embolics.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(catalog)
}

/// The tree of a device file and every fault in it, ids of other files aside.
pub fn check_file(name: &str, text: &str) -> (Option<Node>, CheckReport) {
    let (root, mut report) = parse(name, text);
    if let Some(root) = &root {
        walk(root, &DEVICE_FILE, text, name, &|_| None, &mut report);
        report.faults.extend(check::cross_checks(root, text, name));
        report.tidy();
    }
    (root, report)
}

fn options() -> ron::Options {
    ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
}

fn doubles(root: &Node, file: &str, text: &str, ids: &mut Vec<(String, String)>, report: &mut CheckReport) {
    for list in ["devices", "embolics"] {
        for (i, node) in root.get(list).map_or(&[] as &[Node], Node::items).iter().enumerate() {
            let Some((node, id)) = node.get("id").and_then(|n| n.text().map(|t| (n, t))) else {
                continue;
            };
            let (line, _) = line_and_column(text, node.span.start);
            if let Some((_, place)) = ids.iter().find(|(other, _)| other == id) {
                let field = format!("{list}[{i}].id");
                let fault = fault_at(file, text, node.span.clone(), FaultKind::Contradiction, &field);
                let found = format!("\"{id}\" a second time (first in {place})");
                report.faults.push(Fault {
                    found,
                    allowed: "an id that nothing else has".to_owned(),
                    ..fault
                });
            } else {
                ids.push((id.to_owned(), format!("{file}:{line}")));
            }
        }
    }
}

/// Zones of a device as written: cut at every border of shape, section and taper step.
pub(super) fn device_of(entry: &DeviceEntry) -> Device {
    let steps = build_steps(&entry.sections, entry.length_mm);
    let mut shape = Vec::new();
    if let Some(implant) = entry.implant.filter(|_| entry.kind == DeviceKind::Coil) {
        shape.push(loops(&implant, entry.sections.first()));
    }
    shape.extend_from_slice(&entry.shape);
    let zones = cut(&steps, &shape, entry);
    let max_outer_diameter_mm = zones.iter().map(|z| z.outer_diameter_mm).fold(0.0, f64::max);
    Device {
        id: entry.id.clone(),
        label: entry.label.clone(),
        kind: entry.kind,
        length_mm: entry.length_mm,
        inner_diameter_mm: entry.lumen.map(Size::to_mm),
        max_outer_diameter_mm,
        friction_lumen: entry.friction_lumen,
        zones,
        side_holes_mm: entry.side_holes_mm.clone(),
        max_pressure_psi: entry.max_pressure_psi,
        implant: entry.implant.map(|i| Implant {
            length_mm: i.length_mm,
            diameter_mm: i.diameter_mm,
            release: i.release,
            bores_mm: (i.bore_from.to_mm(), i.bore_to.to_mm()),
            fibered: i.fibered,
            mesh: i.mesh,
        }),
        run: entry.run,
        loop_mm: entry.loop_mm,
        balloon: entry.balloon.clone(),
        stent: entry.stent.clone(),
        filter: entry.filter,
        source: entry.source.clone(),
    }
}

/// The loops of a coil at rest: one arc of its whole length.
fn loops(implant: &ImplantEntry, section: Option<&BuildSection>) -> Piece {
    let outer_mm = section.map_or(0.0, |s| s.outer.to_mm());
    let radius_mm = (0.5 * (implant.diameter_mm - outer_mm)).max(outer_mm);
    Piece::Arc { deg: (implant.length_mm / radius_mm).to_degrees(), radius_mm, plane_deg: 0.0 }
}

fn embolic_of(entry: &EmbolicEntry) -> Embolic {
    Embolic {
        id: entry.id.clone(),
        label: entry.label.clone(),
        size_classes: entry.size_classes.clone(),
        particles_per_ml: entry.particles_per_ml,
        iodine_mg_per_ml: entry.iodine_mg_per_ml,
        min_lumen_mm: entry.min_lumen.to_mm(),
        clumping: entry.clumping,
        dissolves_half_life_h: entry.dissolves_half_life_h,
        source: entry.source.clone(),
    }
}

/// A stretch of constant build.
struct BuildStep {
    length_mm: f64,
    outer_mm: f64,
    bend_n_mm2: f64,
    torsion_ratio: f64,
    radiopacity: f64,
    opaque: Opaque,
}

/// Sections as constant steps; EI changes geometrically along a taper, the outer size linearly.
fn build_steps(sections: &[BuildSection], device_length_mm: f64) -> Vec<BuildStep> {
    let mut steps = Vec::new();
    let mut used_mm = 0.0;
    for section in sections {
        let length_mm = section.length_mm.unwrap_or((device_length_mm - used_mm).max(0.0));
        used_mm += length_mm;
        let outer_mm = section.outer.to_mm();
        let outer_to_mm = section.outer_to.map_or(outer_mm, Size::to_mm);
        let bend_to = section.bend_to_n_mm2.unwrap_or(section.bend_n_mm2);
        let is_taper = section.bend_to_n_mm2.is_some() || section.outer_to.is_some();
        let count = if is_taper { TAPER_ZONES } else { 1 };
        for i in 0..count {
            let t = (i as f64 + 0.5) / count as f64;
            steps.push(BuildStep {
                length_mm: length_mm / count as f64,
                outer_mm: outer_mm + t * (outer_to_mm - outer_mm),
                bend_n_mm2: section.bend_n_mm2 * (bend_to / section.bend_n_mm2).powf(t),
                torsion_ratio: section.torsion_ratio,
                radiopacity: section.radiopacity,
                opaque: section.opaque,
            });
        }
    }
    steps
}

/// Overlays steps and shape pieces; each border of either ends a zone.
fn cut(steps: &[BuildStep], shape: &[Piece], entry: &DeviceEntry) -> Vec<Zone> {
    const SHORTEST_MM: f64 = 1e-6;
    let mut zones = Vec::new();
    let mut pieces = shape.iter();
    let mut piece = pieces.next();
    let mut piece_left_mm = piece.map_or(f64::INFINITY, |p| p.length_mm());
    for step in steps {
        let mut left_mm = step.length_mm;
        while left_mm > SHORTEST_MM {
            if piece_left_mm <= SHORTEST_MM {
                piece = pieces.next();
                piece_left_mm = piece.map_or(f64::INFINITY, |p| p.length_mm());
                continue;
            }
            let length_mm = left_mm.min(piece_left_mm);
            let (curvature, curvature_2) = piece.map_or((0.0, 0.0), |p| p.curvature_per_mm());
            zones.push(Zone {
                length_mm,
                outer_diameter_mm: step.outer_mm,
                bend_stiffness_n_mm2: step.bend_n_mm2,
                torsion_stiffness_n_mm2: step.bend_n_mm2 * step.torsion_ratio,
                rest_curvature_per_mm: curvature,
                rest_curvature_2_per_mm: curvature_2,
                friction_wall: entry.friction_wall,
                radiopacity_steel_ratio: step.radiopacity,
                opaque: step.opaque,
            });
            left_mm -= length_mm;
            piece_left_mm -= length_mm;
        }
    }
    zones
}
