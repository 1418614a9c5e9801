//! A picture of the dose to the skin on the patient: from behind and from the front, head up.

use super::png::ImageError;
use crate::xray::skin::{RING_BINS, SkinDose, SkinModel};

/// Ground of the picture.
const GROUND: [u8; 3] = [16, 19, 23];
/// Skin without dose.
const SKIN: [u8; 3] = [92, 84, 80];
/// Colors of the scale, from little dose to much.
const SCALE: [[u8; 3]; 5] = [[60, 80, 160], [40, 150, 160], [90, 190, 80], [240, 200, 60], [230, 60, 40]];

/// A picture in colors, rows from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColorPicture {
    /// Width.
    pub columns: usize,
    /// Height.
    pub rows: usize,
    /// Red, green, blue per pixel.
    pub rgb: Vec<u8>,
}

impl ColorPicture {
    /// The bytes of an 8-bit RGB PNG.
    ///
    /// # Errors
    /// When the encoder refuses (an empty picture).
    pub fn encode_png(&self) -> Result<Vec<u8>, ImageError> {
        super::png::encode(self.columns, self.rows, png::ColorType::Rgb, &self.rgb)
    }
}

/// Top of the color scale for a peak: the next of 100 mGy, 500 mGy, 2 Gy (first notification), 5 Gy, 15 Gy.
pub fn scale_top_mgy(peak_mgy: f64) -> f64 {
    [10.0, 100.0, 500.0, 2000.0, 5000.0].into_iter().find(|top| peak_mgy <= *top).unwrap_or(15_000.0)
}

/// Color of a dose on a scale up to `top_mgy`.
pub fn dose_color(dose_mgy: f64, top_mgy: f64) -> [u8; 3] {
    let x = dose_mgy / top_mgy;
    if x < 0.01 {
        return SKIN;
    }
    let at = x.min(1.0) * (SCALE.len() - 1) as f64;
    let i = (at as usize).min(SCALE.len() - 2);
    let t = at - i as f64;
    std::array::from_fn(|k| (f64::from(SCALE[i][k]) * (1.0 - t) + f64::from(SCALE[i + 1][k]) * t) as u8)
}

/// The patient from behind (left half: the patient's left is on the left) and from the front (right half), `height` pixels high.
pub fn skin_picture(model: &SkinModel, dose: &SkinDose, height: usize) -> ColorPicture {
    let rings = model.bins.len() / RING_BINS;
    if rings == 0 || height == 0 {
        return ColorPicture::default();
    }
    let reach = model.bins.iter().map(|b| b.position_mm.x.abs()).fold(1.0, f64::max) + 20.0;
    let (low, high) = (model.bins[0].position_mm.z, model.bins[model.bins.len() - 1].position_mm.z);
    let (low, high) = (low - 20.0, high + 20.0);
    let scale = height as f64 / (high - low);
    let half = (2.0 * reach * scale).ceil() as usize;
    let mut picture = ColorPicture { columns: 2 * half, rows: height, rgb: GROUND.repeat(2 * half * height) };
    let top = scale_top_mgy(dose.peak_mgy);
    for row in 0..height {
        let z = high - (row as f64 + 0.5) / scale;
        let at = (z - model.bins[0].position_mm.z) / crate::xray::skin::RING_MM;
        let ring = at.round();
        if ring < 0.0 || ring as usize >= rings {
            continue;
        }
        let bins = ring as usize * RING_BINS;
        for column in 0..2 * half {
            let behind = column < half;
            let across = ((column % half) as f64 + 0.5) / scale - reach;
            // From behind the patient's left is on the left of the picture.
            let x = if behind { -across } else { across };
            if let Some((bin, facing)) = seen(&model.bins[bins..bins + RING_BINS], x, behind) {
                let mgy = dose.dose_mgy.get(bins + bin).map_or(0.0, |d| f64::from(*d));
                let color = dose_color(mgy, top);
                let light = 0.45 + 0.55 * facing;
                let at = 3 * (row * 2 * half + column);
                for (value, channel) in picture.rgb[at..at + 3].iter_mut().zip(color) {
                    *value = (f64::from(channel) * light) as u8;
                }
            }
        }
    }
    picture
}

/// The bin of a ring that is seen at `x` from behind or from the front, and how squarely it faces the viewer.
fn seen(ring: &[crate::xray::skin::SkinBin], x: f64, behind: bool) -> Option<(usize, f64)> {
    let sign = if behind { 1.0 } else { -1.0 };
    let mut best: Option<(usize, f64)> = None;
    for i in 0..ring.len() {
        let (a, b) = (&ring[i], &ring[(i + 1) % ring.len()]);
        let (x0, x1) = (a.position_mm.x, b.position_mm.x);
        if (x0 <= x) == (x1 <= x) {
            continue;
        }
        let t = (x - x0) / (x1 - x0);
        let y = sign * (a.position_mm.y + t * (b.position_mm.y - a.position_mm.y));
        if best.is_none_or(|(_, nearest)| y > nearest) {
            best = Some((if t < 0.5 { i } else { (i + 1) % ring.len() }, y));
        }
    }
    best.map(|(i, _)| (i, (sign * ring[i].normal.y).clamp(0.0, 1.0)))
}
