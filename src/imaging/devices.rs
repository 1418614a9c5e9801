//! Devices on the raster: what wires and catheters take off in every energy bin, and soft balls of iodine.

use std::ops::Range;

use rayon::prelude::*;

use super::chords::{Pass, Piece, for_each_pass};
use super::detector::{BINS, Detector};
use super::fast;
use crate::anatomy::Breathing;
use crate::device::{Device, DeviceKind, Opaque};
use crate::math::Vec3;
use crate::sim::dilation::BalloonView;
use crate::sim::snapshot::{ImplantView, RodView, Snapshot};
use crate::xray::Projection;

/// Radiopacity of a filter's frame, mm of steel per mm: nitinol with a gold mark `[K]`.
const FILTER_RADIOPACITY: f64 = 1.6;
/// Length of sheath and devices drawn behind the sheath tip, mm.
const SHEATH_MM: f64 = 110.0;
/// Longest straight piece of a drawn device, mm.
const PIECE_MM: f64 = 1.5;
/// Most that such a piece turns, rad.
const PIECE_TURN_RAD: f64 = 0.2;
/// Most parts of a pixel across a thin device.
const MAX_PARTS: f64 = 24.0;

/// Metal on the rays: the share of every energy bin that passes it, kept only where there is some.
#[derive(Clone, Debug, Default)]
pub(super) struct MetalLayer {
    /// Place in `shares` by pixel, plus 1; 0 where there is no metal.
    places: Vec<u32>,
    pixels: Vec<u32>,
    shares: Vec<[f32; BINS]>,
}

impl MetalLayer {
    /// An empty layer.
    pub(super) fn new(pixels: usize) -> Self {
        Self { places: vec![0; pixels], ..Self::default() }
    }

    fn clear(&mut self) {
        for pixel in self.pixels.drain(..) {
            self.places[pixel as usize] = 0;
        }
        self.shares.clear();
    }

    fn add(&mut self, pixel: usize, share: &[f32; BINS]) {
        if self.places[pixel] == 0 {
            self.pixels.push(pixel as u32);
            self.shares.push([1.0; BINS]);
            self.places[pixel] = self.shares.len() as u32;
        }
        let product = &mut self.shares[self.places[pixel] as usize - 1];
        product.iter_mut().zip(share).for_each(|(p, s)| *p *= s);
    }

    /// What passes the metal on a pixel's ray.
    #[inline]
    pub(super) fn at(&self, pixel: usize) -> Option<&[f32; BINS]> {
        match self.places[pixel] {
            0 => None,
            place => self.shares.get(place as usize - 1),
        }
    }

    /// A number per pixel that is 0 where there is no metal.
    pub(super) fn row(&self, pixels: Range<usize>) -> &[u32] {
        &self.places[pixels]
    }
}

/// A point of a drawn centerline.
#[derive(Clone, Copy, Debug)]
struct Knot {
    position_mm: Vec3,
    arc_mm: f64,
}

/// Puts all devices on a layer, which is cleared before.
pub(super) fn add_devices(
    projection: &Projection,
    snapshot: &Snapshot,
    tray: &[Device],
    detector: &Detector,
    layer: &mut MetalLayer,
) {
    layer.clear();
    for view in &snapshot.implants {
        if let Some(device) = tray.get(view.tool.idx()) {
            add_implant(projection, view, device, detector, layer);
        }
    }
    for view in &snapshot.stents {
        if let Some(stent) = tray.get(view.tool.idx()).and_then(|d| d.stent.as_ref()) {
            let metal = (stent.radiopacity, stent.opaque);
            add_struts(projection, &view.struts_mm, view.strut_mm, metal, detector, layer);
        }
    }
    for view in &snapshot.filters {
        let metal = (FILTER_RADIOPACITY, Opaque::Nitinol);
        add_struts(projection, &view.frame_mm, view.frame_thickness_mm, metal, detector, layer);
    }
    for rod in &snapshot.rods {
        let line = smooth_line(rod);
        if line.len() < 2 {
            continue;
        }
        for view in &rod.devices {
            if let Some(device) = tray.get(view.tool.idx()) {
                add_device(projection, &line, device, (view.inserted_mm, view.shed_mm), detector, layer);
            }
        }
        let drawn_by_rod =
            |d: &&Device| rod.devices.iter().any(|v| tray.get(v.tool.idx()).is_some_and(|t| t.id == d.id));
        if let Some(sheath) = tray.iter().find(|d| d.kind == DeviceKind::Sheath).filter(|d| !drawn_by_rod(d))
        {
            add_device(projection, &line, sheath, (0.0, 0.0), detector, layer);
        }
    }
}

/// The rod's nodes with a straight stretch through the sheath before them, refined by a Hermite curve.
fn smooth_line(rod: &RodView) -> Vec<Knot> {
    let nodes: Vec<Knot> =
        rod.nodes_mm.iter().zip(&rod.arc_mm).map(|(p, s)| Knot { position_mm: *p, arc_mm: *s }).collect();
    let (Some(first), Some(second)) = (nodes.first().copied(), nodes.get(1).copied()) else { return nodes };
    let way = second.position_mm - first.position_mm;
    let mut line = Vec::with_capacity(nodes.len() * 3);
    if way.norm() > 1e-9 {
        line.push(Knot {
            position_mm: first.position_mm - way.normalize() * SHEATH_MM,
            arc_mm: first.arc_mm - SHEATH_MM,
        });
    }
    line.push(first);
    refine(&nodes, &mut line);
    line
}

/// Appends the nodes after the first with points of a Hermite curve between them, closer where it bends.
fn refine(nodes: &[Knot], line: &mut Vec<Knot>) {
    let slope = |i: usize| {
        let (a, b) = (nodes[i.saturating_sub(1)], nodes[(i + 1).min(nodes.len() - 1)]);
        (b.position_mm - a.position_mm) / (b.arc_mm - a.arc_mm).max(1e-9)
    };
    for i in 1..nodes.len() {
        let (a, b) = (nodes[i - 1], nodes[i]);
        let span = b.arc_mm - a.arc_mm;
        let (ma, mb) = (slope(i - 1) * span, slope(i) * span);
        let turn_rad = ma.angle(&mb);
        let parts = (span / PIECE_MM).max(turn_rad / PIECE_TURN_RAD).ceil().clamp(1.0, 20.0) as usize;
        for k in 1..=parts {
            let t = k as f64 / parts as f64;
            let (t2, t3) = (t * t, t * t * t);
            let position_mm = a.position_mm * (2.0 * t3 - 3.0 * t2 + 1.0)
                + ma * (t3 - 2.0 * t2 + t)
                + b.position_mm * (3.0 * t2 - 2.0 * t3)
                + mb * (t3 - t2);
            line.push(Knot { position_mm, arc_mm: a.arc_mm + t * span });
        }
    }
}

/// An implant: its whole length has the build of its device's tip.
fn add_implant(
    projection: &Projection,
    view: &ImplantView,
    device: &Device,
    detector: &Detector,
    layer: &mut MetalLayer,
) {
    let mut arc_mm = 0.0;
    let nodes: Vec<Knot> = (0..view.points_mm.len())
        .map(|i| {
            if i > 0 {
                arc_mm += (view.points_mm[i] - view.points_mm[i - 1]).norm();
            }
            Knot { position_mm: view.points_mm[i], arc_mm }
        })
        .collect();
    let (Some(first), Some(last)) = (nodes.first().copied(), nodes.last()) else { return };
    let length_mm = last.arc_mm;
    let mut line = vec![first];
    refine(&nodes, &mut line);
    add_device(projection, &line, device, (length_mm, 0.0), detector, layer);
}

fn add_device(
    projection: &Projection,
    line: &[Knot],
    device: &Device,
    (inserted_mm, shed_mm): (f64, f64),
    detector: &Detector,
    layer: &mut MetalLayer,
) {
    let mut stops: Vec<f64> = line.iter().map(|k| k.arc_mm).filter(|s| *s < inserted_mm).collect();
    let mut from_tip = -shed_mm;
    for zone in &device.zones {
        stops.push(inserted_mm - from_tip);
        from_tip += zone.length_mm;
    }
    stops.push(inserted_mm - from_tip);
    let (lo, hi) = (line[0].arc_mm, line[line.len() - 1].arc_mm);
    stops.retain(|s| *s >= lo && *s <= hi.min(inserted_mm) && *s >= inserted_mm - from_tip);
    stops.sort_by(f64::total_cmp);
    stops.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
    let points: Vec<Vec3> = stops.iter().map(|s| at(line, *s)).collect();
    let direction = |i: usize| {
        let d = points[(i + 1).min(points.len() - 1)] - points[i.saturating_sub(1)];
        if d.norm() > 1e-12 { d.normalize() } else { Vec3::z() }
    };
    let inner_mm = device.inner_diameter_mm.unwrap_or(0.0) / 2.0;
    let shares_of = |i: usize| {
        let section = device.section_at(shed_mm + inserted_mm - 0.5 * (stops[i - 1] + stops[i]));
        let outer_mm = section.outer_diameter_mm / 2.0;
        let piece = Piece {
            ends_mm: [points[i - 1], points[i]],
            mitres: [mitre(&points, i - 1, &direction), mitre(&points, i, &direction)],
            radii_mm: [outer_mm; 2],
        };
        let tube = Tube {
            outer_mm,
            inner_mm: inner_mm.min(0.95 * outer_mm),
            ratio: section.radiopacity_steel_ratio,
        };
        let per_mm = detector.metal_per_mm(section.opaque);
        let mut found = Vec::new();
        for_each_pass(projection, &piece, |pass| {
            found.extend(tube.share(pass, per_mm).map(|share| (pass.pixel, share)));
        });
        found
    };
    // Pieces in parallel, their products in order: the same bits for any number of threads.
    let found: Vec<_> = (1..points.len()).into_par_iter().map(shares_of).collect();
    found.iter().flatten().for_each(|(pixel, share)| layer.add(*pixel, share));
}

/// The struts of a stent: straight solid pieces.
fn add_struts(
    projection: &Projection,
    struts_mm: &[[Vec3; 2]],
    strut_mm: f64,
    (ratio, opaque): (f64, Opaque),
    detector: &Detector,
    layer: &mut MetalLayer,
) {
    let outer_mm = 0.5 * strut_mm;
    let tube = Tube { outer_mm, inner_mm: 0.0, ratio };
    let per_mm = detector.metal_per_mm(opaque);
    let shares_of = |ends_mm: &[Vec3; 2]| {
        let mut found = Vec::new();
        let way = ends_mm[1] - ends_mm[0];
        if way.norm() > 1e-6 {
            let across = way.normalize();
            let piece = Piece { ends_mm: *ends_mm, mitres: [across; 2], radii_mm: [outer_mm; 2] };
            for_each_pass(projection, &piece, |pass| {
                found.extend(tube.share(pass, per_mm).map(|share| (pass.pixel, share)));
            });
        }
        found
    };
    let found: Vec<_> = struts_mm.par_iter().map(shares_of).collect();
    found.iter().flatten().for_each(|(pixel, share)| layer.add(*pixel, share));
}

/// Bisecting direction at a point of the line, so that neighbors share the plane.
fn mitre(points: &[Vec3], i: usize, chord: &impl Fn(usize) -> Vec3) -> Vec3 {
    if i == 0 || i + 1 == points.len() {
        return chord(i);
    }
    let (a, b) = (points[i] - points[i - 1], points[i + 1] - points[i]);
    let sum = a.normalize() + b.normalize();
    if sum.norm() > 1e-6 { sum.normalize() } else { chord(i) }
}

fn at(line: &[Knot], arc_mm: f64) -> Vec3 {
    let hi = line.partition_point(|k| k.arc_mm < arc_mm).clamp(1, line.len() - 1);
    let (a, b) = (line[hi - 1], line[hi]);
    let t = ((arc_mm - a.arc_mm) / (b.arc_mm - a.arc_mm).max(1e-12)).clamp(0.0, 1.0);
    a.position_mm.lerp(&b.position_mm, t)
}

/// A hollow cross-section whose attenuation across the middle is that of `ratio` times its outer diameter of steel.
struct Tube {
    outer_mm: f64,
    inner_mm: f64,
    ratio: f64,
}

impl Tube {
    /// The pixel's mean transmission in every bin, for the attenuation of 1 mm of the metal.
    fn share(&self, pass: &Pass, per_mm: &[f32; BINS]) -> Option<[f32; BINS]> {
        let chord = pass.mean_chord_mm(self.outer_mm);
        let (from, to) = pass.clipped_mm(chord);
        if to <= from || chord <= 0.0 {
            return None;
        }
        let inside = (to - from) / chord;
        let density = self.ratio * self.outer_mm / (self.outer_mm - self.inner_mm);
        // Parts narrow against the device, since the mean transmission is not the transmission of the mean.
        let parts = (6.0 * pass.half_width_mm / self.outer_mm).ceil().clamp(3.0, MAX_PARTS);
        let mut share = [0.0_f32; BINS];
        let per_part = inside * density / (2.0 * pass.half_width_mm / parts * pass.sine);
        for side in [-1.0, 1.0] {
            let below = |edge: f64| {
                let inner =
                    if self.inner_mm > 0.0 { pass.chord_below_mm2(self.inner_mm, side, edge) } else { 0.0 };
                pass.chord_below_mm2(self.outer_mm, side, edge) - inner
            };
            let mut before = below(-1.0);
            for k in 1..=parts as usize {
                let after = below(2.0 * k as f64 / parts - 1.0);
                let metal_mm = ((after - before) * per_part) as f32;
                before = after;
                for (share, mu) in share.iter_mut().zip(per_mm) {
                    *share += fast::exp(-mu * metal_mm);
                }
            }
        }
        Some(share.map(|t| t * (0.5 / parts as f32)))
    }
}

/// Adds beds, pools and free bodies to a raster of iodine, mg/cm2: soft balls that hold the given mass. Beds and pools follow the breath.
pub(super) fn add_balls(
    projection: &Projection,
    snapshot: &Snapshot,
    breathing: Option<Breathing>,
    iodine_mg_per_cm2: &mut [f32],
) {
    let now = |p: &Vec3| breathing.map_or(*p, |b| p + b.displacement_mm(p) * snapshot.patient.breath);
    for bed in &snapshot.beds {
        add_ball(projection, &now(&bed.center_mm), bed.radius_mm, bed.iodine_mg, iodine_mg_per_cm2);
    }
    for pool in &snapshot.pools {
        add_ball(projection, &now(&pool.center_mm), pool.radius_mm, pool.iodine_mg, iodine_mg_per_cm2);
    }
    for body in &snapshot.bodies {
        add_ball(projection, &body.position_mm, body.radius_mm, body.iodine_mg, iodine_mg_per_cm2);
    }
}

/// Adds the contrast in balloons to a raster of iodine, mg/cm2: pieces of tubes between their cross-sections.
pub(super) fn add_balloons(projection: &Projection, balloons: &[BalloonView], iodine_mg_per_cm2: &mut [f32]) {
    for balloon in balloons.iter().filter(|b| b.iodine_mg_per_ml > 0.0) {
        let direction = |i: usize| {
            let last = balloon.points_mm.len() - 1;
            let d = balloon.points_mm[(i + 1).min(last)] - balloon.points_mm[i.saturating_sub(1)];
            if d.norm() > 1e-12 { d.normalize() } else { Vec3::z() }
        };
        for i in 1..balloon.points_mm.len() {
            let piece = Piece {
                ends_mm: [balloon.points_mm[i - 1], balloon.points_mm[i]],
                mitres: [
                    mitre(&balloon.points_mm, i - 1, &direction),
                    mitre(&balloon.points_mm, i, &direction),
                ],
                radii_mm: [balloon.radius_mm[i - 1], balloon.radius_mm[i]],
            };
            for_each_pass(projection, &piece, |pass| {
                let (from, to) = pass.clipped_mm(pass.mean_chord_mm(pass.radius_mm));
                if to > from {
                    // mg/mL over mm: a tenth of mg/cm2.
                    iodine_mg_per_cm2[pass.pixel] += (0.1 * balloon.iodine_mg_per_ml * (to - from)) as f32;
                }
            });
        }
    }
}

/// Concentration falls as 1 - (x/r)^2; areal mass is 2.5 m / (pi r^2) (1 - (x/r)^2)^1.5.
fn add_ball(projection: &Projection, center_mm: &Vec3, radius_mm: f64, mass_mg: f64, raster: &mut [f32]) {
    let Some((column, row, magnification)) = projection.project(center_mm) else { return };
    let (true, true) = (radius_mm > 0.0, mass_mg > 1e-6) else { return };
    // A ball smaller than a pixel keeps its mass on the raster.
    let pixel_mm = projection.pixel_mm / magnification;
    let radius_mm = radius_mm.max(1.2 * pixel_mm);
    let reach = radius_mm / pixel_mm;
    let peak_mg_per_cm2 = 2.5 * mass_mg / (std::f64::consts::PI * radius_mm * radius_mm) * 100.0;
    let range = |c: f64, limit: usize| {
        let lo = (c - reach).floor().max(0.0) as usize;
        lo..((c + reach).ceil().clamp(0.0, limit as f64) as usize).max(lo)
    };
    for y in range(row, projection.rows) {
        for x in range(column, projection.columns) {
            let (dx, dy) = ((x as f64 + 0.5 - column) / reach, (y as f64 + 0.5 - row) / reach);
            let rest = 1.0 - dx * dx - dy * dy;
            if rest > 0.0 {
                raster[y * projection.columns + x] += (peak_mg_per_cm2 * rest * rest.sqrt()) as f32;
            }
        }
    }
}
