//! Rays through pieces of tubes: exact chords of a cylinder cut by the mitre planes at its ends, averaged over a pixel.

use crate::math::Vec3;
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
    x_mm * (r2 - x_mm * x_mm).sqrt() + r2 * (x_mm / radius_mm).asin()
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
    // The mitre planes reach past the ends by the radius times the tangent of half the bend.
    let reach = (1.5 * largest + projection.focal_sigma_mm(magnification)) * magnification
        / projection.pixel_mm
        + 1.5;
    let range = |p: f64, q: f64, limit: usize| {
        let lo = (p.min(q) - reach).floor().max(0.0);
        let hi = (p.max(q) + reach).ceil().min(limit as f64);
        lo as usize..(hi.max(lo) as usize)
    };
    let (columns, rows) = (range(pa.0, pb.0, projection.columns), range(pa.1, pb.1, projection.rows));
    let from_a = projection.source_mm - a;
    let from_b = projection.source_mm - b;
    let along_source = from_a.dot(&u);
    let middle = (a + b) / 2.0 - projection.source_mm;
    let across = middle.cross(&u);
    // Seen end-on a tube has no direction on the raster.
    let across = if across.norm() > 1e-6 * middle.norm() { across.normalize() } else { projection.right };
    let pitch = across.dot(&projection.right).abs().max(across.dot(&projection.up).abs());
    let half_width_mm = 0.5 * projection.pixel_mm / magnification * pitch;
    let focal_mm = projection.focal_sigma_mm(magnification);
    for row in rows {
        for column in columns.clone() {
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
