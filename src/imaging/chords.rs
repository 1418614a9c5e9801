//! Rays through pieces of tubes: exact chords of a cylinder cut by the mitre planes at its ends, averaged over a pixel.

use std::ops::Range;

use super::fast;
use crate::math::{Vec3, orthogonal};
use crate::xray::Projection;

/// A straight piece of a tube with round cross-section. Neighbors share their mitre plane, so that pieces never overlap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Ends of the axis, mm.
    pub(super) ends_mm: [Vec3; 2],
    /// Normals of the mitre planes, along the tube.
    pub(super) mitres: [Vec3; 2],
    /// Radius at the ends, mm.
    pub(super) radii_mm: [f64; 2],
}

/// Where the ray of a pixel passes a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    /// Raster index.
    pub(super) pixel: usize,
    /// Distance of the ray from the axis, mm.
    pub(super) offset_mm: f64,
    /// Half width over which the pixel averages that distance, mm.
    pub(super) half_width_mm: f64,
    /// The focal spot is seen as two points this far to either side, mm: the spread of the real one, and no ray is lost between pixels.
    pub(super) focal_mm: f64,
    /// Sine of the angle between ray and axis.
    pub(super) sine: f64,
    /// Ray parameter nearest to the axis, mm from the source.
    pub(super) nearest_mm: f64,
    /// The ray is between the mitre planes here, mm from the source.
    pub(super) between_mm: (f64, f64),
    /// Place along the piece, 0 to 1.
    pub(super) along: f64,
    /// Radius there, mm.
    pub(super) radius_mm: f64,
}

impl Pass {
    /// Mean chord of a cylinder around the piece's axis over pixel and focal spot, mm.
    pub(super) fn mean_chord_mm(&self, radius_mm: f64) -> f64 {
        let x = self.offset_mm;
        if x < 0.7 * radius_mm && self.half_width_mm < 0.2 * radius_mm && self.focal_mm < 0.2 * radius_mm {
            // Inside a wide tube the mean is the middle and its second derivative times half the variance.
            let under = radius_mm * radius_mm - x * x;
            let root = under.sqrt();
            let variance = self.half_width_mm * self.half_width_mm / 3.0 + self.focal_mm * self.focal_mm;
            return 2.0 * (root - 0.5 * variance * radius_mm * radius_mm / (under * root)) / self.sine;
        }
        let width_mm = 2.0 * self.half_width_mm * self.sine;
        let at =
            |side| self.chord_below_mm2(radius_mm, side, 1.0) - self.chord_below_mm2(radius_mm, side, -1.0);
        0.5 * (at(-1.0) + at(1.0)) / width_mm
    }

    /// Integral of the chord across the axis, seen from one side of the focal spot (-1 or 1), up to an edge in the pixel (-1 to 1
    /// across it), times the sine, mm2.
    pub(super) fn chord_below_mm2(&self, radius_mm: f64, side: f64, edge: f64) -> f64 {
        chord_integral(self.offset_mm + side * self.focal_mm + edge * self.half_width_mm, radius_mm)
    }

    /// The part of a chord of this length about the nearest point that lies between the mitre planes, mm from the source.
    pub(super) fn clipped_mm(&self, chord_mm: f64) -> (f64, f64) {
        let half = 0.5 * chord_mm;
        ((self.nearest_mm - half).max(self.between_mm.0), (self.nearest_mm + half).min(self.between_mm.1))
    }
}

/// Integral from 0 to x of the chord 2 sqrt(r^2 - x^2), mm2.
fn chord_integral(x_mm: f64, radius_mm: f64) -> f64 {
    let r2 = radius_mm * radius_mm;
    if x_mm.abs() >= radius_mm {
        return std::f64::consts::FRAC_PI_2 * r2 * x_mm.signum();
    }
    x_mm * (r2 - x_mm * x_mm).sqrt() + r2 * fast::asin(x_mm / radius_mm)
}

/// Calls `at` for each pixel whose ray may pass the piece.
pub(super) fn for_each_pass(projection: &Projection, piece: &Piece, mut at: impl FnMut(&Pass)) {
    let [a, b] = piece.ends_mm;
    let axis = b - a;
    let length = axis.norm();
    let (Some(pa), Some(pb)) = (projection.project(&a), projection.project(&b)) else { return };
    if length < 1e-9 {
        return;
    }
    let u = axis / length;
    let largest = piece.radii_mm[0].max(piece.radii_mm[1]);
    let magnification = pa.2.max(pb.2);
    let pixel_mm = projection.pixel_mm / magnification;
    let beyond_mm = projection.focal_sigma_mm(magnification) + 1.5 * pixel_mm;
    let Some((columns, rows)) = raster_box(projection, piece, &u, beyond_mm) else { return };
    let from_a = projection.source_mm - a;
    let from_b = projection.source_mm - b;
    let along_source = from_a.dot(&u);
    let middle = (a + b) / 2.0 - projection.source_mm;
    let across = middle.cross(&u);
    // Seen end-on a tube has no direction on the raster.
    let across = if across.norm() > 1e-6 * middle.norm() { across.normalize() } else { projection.right };
    let pitch = across.dot(&projection.right).abs().max(across.dot(&projection.up).abs());
    let half_width_mm = 0.5 * pixel_mm * pitch;
    let focal_mm = projection.focal_sigma_mm(magnification);
    // To the side perspective widens a tube by a few percent off the center.
    let strip = Strip::new(&pa, &pb, (1.15 * largest + beyond_mm) / pixel_mm);
    for row in rows {
        for column in strip.columns(row, &columns) {
            let d = ray(projection, column as f64 + 0.5, row as f64 + 0.5);
            let du = d.dot(&u);
            let sine2 = (1.0 - du * du).max(1e-10);
            let (w, wd) = (from_a - u * along_source, from_a.dot(&d) - along_source * du);
            let nearest_mm = -wd / sine2;
            let closest = w + (d - u * du) * nearest_mm;
            let offset_mm = closest.norm();
            let along = ((along_source + nearest_mm * du) / length).clamp(0.0, 1.0);
            let radius_mm = piece.radii_mm[0] + along * (piece.radii_mm[1] - piece.radii_mm[0]);
            if offset_mm >= radius_mm + half_width_mm + focal_mm {
                continue;
            }
            let mut between_mm = (0.0_f64, f64::INFINITY);
            keep_side(&mut between_mm, from_a.dot(&piece.mitres[0]), d.dot(&piece.mitres[0]));
            keep_side(&mut between_mm, -from_b.dot(&piece.mitres[1]), -d.dot(&piece.mitres[1]));
            if between_mm.0 < between_mm.1 {
                let pixel = row * projection.columns + column;
                let sine = sine2.sqrt();
                at(&Pass {
                    pixel,
                    offset_mm,
                    half_width_mm,
                    focal_mm,
                    sine,
                    nearest_mm,
                    between_mm,
                    along,
                    radius_mm,
                });
            }
        }
    }
}

/// Columns and rows around a piece that is this much thicker: around octagons about its mitred ends.
fn raster_box(
    projection: &Projection,
    piece: &Piece,
    u: &Vec3,
    beyond_mm: f64,
) -> Option<(Range<usize>, Range<usize>)> {
    const SIDES: usize = 8;
    // Corners of an octagon around a circle are 8 % farther out.
    const CORNER: f64 = 1.083;
    let e = orthogonal(u);
    let f = u.cross(&e);
    let (mut lo, mut hi) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for (end, (mitre, radius_mm)) in piece.ends_mm.iter().zip(piece.mitres.iter().zip(&piece.radii_mm)) {
        let reach_mm = CORNER * (radius_mm + beyond_mm);
        for side in 0..SIDES {
            let (s, c) = (std::f64::consts::TAU * side as f64 / SIDES as f64).sin_cos();
            let out = e * c + f * s;
            let along = -(out.dot(mitre) / u.dot(mitre).max(0.2)).clamp(-3.0, 3.0);
            let (column, row, _) = projection.project(&(end + (out + u * along) * reach_mm))?;
            lo = [lo[0].min(column), lo[1].min(row)];
            hi = [hi[0].max(column), hi[1].max(row)];
        }
    }
    let range = |i: usize, limit: usize| {
        let from = (lo[i] - 1.0).floor().max(0.0) as usize;
        from..((hi[i] + 1.0).ceil().clamp(0.0, limit as f64) as usize).max(from)
    };
    Some((range(0, projection.columns), range(1, projection.rows)))
}

/// Raster places near the line of a projected axis.
struct Strip {
    /// Column of the line at row 0, and columns per row; no slope where the line runs along the rows or is a point.
    line: Option<(f64, f64)>,
    /// Half width of the strip along a row, columns.
    half: f64,
}

impl Strip {
    /// `reach` is more than the half width of the tube on the raster. A piece that is seen near its end has no strip.
    fn new(pa: &(f64, f64, f64), pb: &(f64, f64, f64), reach: f64) -> Self {
        let (dx, dy) = (pb.0 - pa.0, pb.1 - pa.1);
        let length = dx.hypot(dy);
        if dy.abs() < 0.05 * length || length < reach {
            return Self { line: None, half: 0.0 };
        }
        let slope = dx / dy;
        Self { line: Some((pa.0 - slope * pa.1, slope)), half: reach * length / dy.abs() }
    }

    /// The columns of a row that lie in the strip and in a range.
    fn columns(&self, row: usize, of: &Range<usize>) -> Range<usize> {
        let Some((at_0, slope)) = self.line else { return of.clone() };
        let middle = at_0 + slope * (row as f64 + 0.5);
        let lo = ((middle - self.half).floor().max(0.0) as usize).max(of.start);
        let hi = ((middle + self.half).ceil().max(0.0) as usize).min(of.end);
        lo..hi.max(lo)
    }
}

/// Unit direction of the ray to a raster place.
pub(super) fn ray(projection: &Projection, column: f64, row: f64) -> Vec3 {
    let scale = projection.pixel_mm / projection.sid_mm;
    let x = (column - projection.columns as f64 / 2.0) * scale;
    let y = (projection.rows as f64 / 2.0 - row) * scale;
    (projection.towards_detector + projection.right * x + projection.up * y).normalize()
}

/// Cuts an interval of t to where `at_source + t slope >= 0`.
fn keep_side(interval: &mut (f64, f64), at_source: f64, slope: f64) {
    let t = -at_source / slope;
    if slope > 0.0 {
        interval.0 = interval.0.max(t);
    } else if slope < 0.0 {
        interval.1 = interval.1.min(t);
    } else if at_source < 0.0 {
        interval.1 = interval.0;
    }
}
