//! Pictures of an anatomy: a shaded 3-D view, and X-ray pictures from the front and from the left, put together from
//! stations along the table.

use super::CliError;
use crate::anatomy::{Anatomy, Material, Mesh};
use crate::imaging::{RendererConfig, render_still};
use crate::math::Vec3;
use crate::xray::CArm;

/// Distance between stations, mm: so little that perspective hardly changes from one to the next.
const STATION_MM: f64 = 24.0;
/// Detector field of a station (diagonal), mm: wide enough for a trunk.
const FIELD_MM: f64 = 860.0;
/// Source to image distance of the stations, mm.
const SID_MM: f64 = 1150.0;
/// Height of the 3-D view over the width of the X-ray pictures.
const VIEW_SHARE: f64 = 1.4;
/// Least margin of the 3-D view, mm.
const MARGIN_MM: f64 = 15.0;

/// (name of the view, PNG); the X-ray pictures are `pixels` wide.
pub(super) fn pictures(
    a: &Anatomy,
    contrast: bool,
    pixels: usize,
) -> Result<Vec<(&'static str, Vec<u8>)>, CliError> {
    Ok(vec![
        ("3d", view(a, (VIEW_SHARE * pixels as f64) as usize)?),
        ("ap", stations(a, 0.0, contrast, pixels)?),
        ("lateral", stations(a, 90.0, contrast, pixels)?),
    ])
}

/// Lowest and highest corner of what is to be seen: the vessels and the bones near them.
fn bounds(a: &Anatomy) -> (Vec3, Vec3) {
    let mut low = Vec3::repeat(f64::INFINITY);
    let mut high = -low;
    for p in a.tree.branches.iter().flat_map(|b| &b.points) {
        low = low.inf(&p.position_mm.add_scalar(-p.radius_mm));
        high = high.sup(&p.position_mm.add_scalar(p.radius_mm));
    }
    for s in &a.body {
        let is_bone = matches!(s.material, Material::CorticalBone | Material::TrabecularBone);
        for p in s.mesh.vertices_mm.iter().filter(|_| is_bone) {
            low = low.inf(p);
            high = high.sup(p);
        }
    }
    (low, high)
}

/// A strip of X-ray stations from the head down. Each has its own exposure, and every row is blended from the two stations
/// nearest to it, so that no seam shows where exposure or perspective change.
fn stations(a: &Anatomy, primary_deg: f64, contrast: bool, pixels: usize) -> Result<Vec<u8>, CliError> {
    let (low, high) = bounds(a);
    let middle = 0.5 * (low + high);
    let count = ((high.z - low.z) / STATION_MM).ceil().max(1.0) as usize;
    let arm = CArm { primary_deg, sid_mm: SID_MM, field_mm: FIELD_MM, ..CArm::default() };
    // Scale at the isocenter.
    let px_per_mm = pixels as f64 / (FIELD_MM / std::f64::consts::SQRT_2) * SID_MM
        / crate::xray::geometry::SOURCE_ISOCENTER_MM;
    let band = ((STATION_MM * px_per_mm).round() as usize).clamp(1, pixels / 2);
    let rows = band * count;
    let mut gray = vec![0.0_f32; rows * pixels];
    for i in 0..count {
        let z = high.z - STATION_MM * (i as f64 + 0.5);
        let isocenter_mm = Vec3::new(middle.x, if primary_deg == 0.0 { middle.y } else { -5.0 }, z);
        let arm = CArm { isocenter_mm, ..arm };
        let config = RendererConfig { pixels, seed: i as u64 };
        let frame = render_still(a, &arm, contrast, config);
        let center = band * i + band / 2;
        for row in center.saturating_sub(band)..(center + band).min(rows) {
            let off = row as f64 + 0.5 - center as f64;
            // The first and last station have no neighbor beyond them.
            let is_alone = (i == 0 && off < 0.0) || (i + 1 == count && off > 0.0);
            let share = if is_alone { 1.0 } else { (1.0 - off.abs() / band as f64).max(0.0) } as f32;
            let seen = (pixels as isize / 2 + off.floor() as isize).clamp(0, pixels as isize - 1) as usize;
            for (sum, g) in gray[row * pixels..(row + 1) * pixels]
                .iter_mut()
                .zip(&frame.gray[seen * pixels..(seen + 1) * pixels])
            {
                *sum += share * f32::from(*g);
            }
        }
    }
    let gray: Vec<u8> = gray.iter().map(|g| g.round().clamp(0.0, 255.0) as u8).collect();
    encode(&gray, pixels, rows, png::ColorType::Grayscale)
}

/// What a layer of the 3-D view shows at a pixel: depth towards the viewer and brightness.
struct Layer {
    depth: Vec<f64>,
    light: Vec<f64>,
}

/// Bones pale and half transparent before red vessels, seen from the front and a little from the left and above.
fn view(a: &Anatomy, rows: usize) -> Result<Vec<u8>, CliError> {
    let turn = nalgebra::Rotation3::from_axis_angle(&Vec3::z_axis(), -25.0_f64.to_radians());
    let (low, high) = bounds(a);
    let middle = 0.5 * (low + high);
    let half = 0.5 * (high - low);
    let height_mm = 2.0 * (half.z + MARGIN_MM);
    let width_mm = 2.0 * (half.x.hypot(0.4 * half.y) + MARGIN_MM);
    let px_per_mm = rows as f64 / height_mm;
    let columns = (width_mm * px_per_mm).ceil() as usize;
    let place = |p: &Vec3| {
        let q = turn * (p - middle);
        // The viewer stands in front, at negative y.
        Vec3::new((q.x + 0.5 * width_mm) * px_per_mm, (0.5 * height_mm - q.z) * px_per_mm, -q.y)
    };
    let layer = |meshes: &mut dyn Iterator<Item = &Mesh>| {
        let n = columns * rows;
        let mut layer = Layer { depth: vec![f64::NEG_INFINITY; n], light: vec![0.0; n] };
        for mesh in meshes {
            let at: Vec<Vec3> = mesh.vertices_mm.iter().map(place).collect();
            for t in &mesh.triangles {
                fill(&mut layer, columns, rows, &t.map(|i| at[i as usize]));
            }
        }
        layer
    };
    let is_bone = |m: Material| matches!(m, Material::CorticalBone);
    let is_rib = |name: &str| name.starts_with("rib");
    let bones = layer(&mut a.body.iter().filter(|s| is_bone(s.material) || is_rib(&s.name)).map(|s| &s.mesh));
    let vessels = layer(&mut std::iter::once(&a.lumen.mesh));
    let mut rgb = Vec::with_capacity(3 * columns * rows);
    for i in 0..columns * rows {
        let mut color = [250.0, 250.0, 252.0];
        let bone = bones.light[i] * 225.0;
        let has_bone = bones.depth[i].is_finite();
        if has_bone {
            color = [bone, 0.96 * bone, 0.86 * bone];
        }
        if vessels.depth[i].is_finite() {
            let red = [60.0 + 180.0 * vessels.light[i], 60.0 * vessels.light[i], 55.0 * vessels.light[i]];
            let share = if has_bone && bones.depth[i] > vessels.depth[i] { 0.55 } else { 1.0 };
            color = std::array::from_fn(|k| share * red[k] + (1.0 - share) * color[k]);
        }
        rgb.extend(color.map(|c: f64| c.clamp(0.0, 255.0) as u8));
    }
    encode(&rgb, columns, rows, png::ColorType::Rgb)
}

/// Fills a triangle given in pixels and depth; brighter where it faces the viewer's upper left.
fn fill(layer: &mut Layer, columns: usize, rows: usize, t: &[Vec3; 3]) {
    let normal = (t[1] - t[0]).cross(&(t[2] - t[0]));
    let Some(n) = normal.try_normalize(1e-12) else { return };
    let light = 0.35 + 0.65 * n.dot(&Vec3::new(-0.35, -0.4, 0.85)).abs();
    let area = normal.z;
    if area.abs() < 1e-12 {
        return;
    }
    let range = |k: usize, most: usize| {
        let low = t.iter().map(|p| p[k]).fold(f64::INFINITY, f64::min).max(0.0) as usize;
        let high = t.iter().map(|p| p[k]).fold(0.0, f64::max).min((most - 1) as f64) as usize;
        low..=high
    };
    for row in range(1, rows) {
        for column in range(0, columns) {
            let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
            let weight = |a: &Vec3, b: &Vec3| ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)) / area;
            let w = [weight(&t[1], &t[2]), weight(&t[2], &t[0]), weight(&t[0], &t[1])];
            if w.iter().any(|w| *w < 0.0) {
                continue;
            }
            let depth = w[0] * t[0].z + w[1] * t[1].z + w[2] * t[2].z;
            let i = row * columns + column;
            if depth > layer.depth[i] {
                layer.depth[i] = depth;
                layer.light[i] = light;
            }
        }
    }
}

fn encode(bytes: &[u8], columns: usize, rows: usize, color: png::ColorType) -> Result<Vec<u8>, CliError> {
    let fault = |e: png::EncodingError| CliError::bad_input(format!("the picture cannot be made: {e}"));
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, columns as u32, rows as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().map_err(fault)?;
    writer.write_image_data(bytes).map_err(fault)?;
    writer.finish().map_err(fault)?;
    Ok(out)
}
