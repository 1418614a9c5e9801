//! Picture of a device: its shaped end free, and beside it the same with a wire inside.

use font8x8::legacy::BASIC_LEGACY;

use super::CliError;
use crate::device::{Device, pair_shape_mm, rest_shape_mm};

/// Edge of a panel, px.
const PANEL_PX: usize = 640;
/// Strip of text above the panels, px.
const HEAD_PX: usize = 44;
/// Strip below them, px: the scale.
const FOOT_PX: usize = 40;
const MARGIN_PX: f64 = 30.0;
const STEP_MM: f64 = 0.25;
const INK: u8 = 30;
const WIRE_INK: u8 = 120;
const NOTE_INK: u8 = 90;

/// A wire inside, its tip this far beyond that of the catheter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside<'a> {
    pub(super) wire: &'a Device,
    pub(super) ahead_mm: f64,
}

/// One panel: points of a line with its half width, the hub end down.
struct Panel {
    title: String,
    /// `[x, y]` (y up), half width, both mm, and gray.
    dots: Vec<([f64; 2], f64, u8)>,
    holes: Vec<[f64; 2]>,
}

/// A gray PNG, true to scale with a bar of 10 mm: the free shape, and with `inside` a second one beside it.
pub(super) fn picture(device: &Device, inside: Option<Inside<'_>>) -> Result<Vec<u8>, CliError> {
    let mut panels = vec![free(device)];
    panels.extend(inside.map(|i| with_wire(device, i)));
    let span_mm = panels.iter().map(Panel::span_mm).fold(20.0, f64::max);
    let px_per_mm = (PANEL_PX as f64 - 2.0 * MARGIN_PX) / span_mm;
    let mut canvas = Canvas::new(PANEL_PX * panels.len(), HEAD_PX + PANEL_PX + FOOT_PX);
    canvas.text(8, 6, &device.label, INK);
    for (i, panel) in panels.iter().enumerate() {
        let left = PANEL_PX * i;
        canvas.text(left + 8, 26, &panel.title, NOTE_INK);
        panel.draw(&mut canvas, left as f64, px_per_mm);
        if i > 0 {
            (HEAD_PX..HEAD_PX + PANEL_PX).for_each(|row| canvas.darken(left, row, 190));
        }
    }
    let bar_px = 10.0 * px_per_mm;
    let row = HEAD_PX + PANEL_PX + FOOT_PX / 2;
    for i in 0..=(2.0 * bar_px) as usize {
        canvas.disc(16.0 + 0.5 * i as f64, row as f64, 1.5, NOTE_INK);
    }
    canvas.text(16 + bar_px as usize + 12, row - 8, "10 mm", NOTE_INK);
    canvas.encode().map_err(|e| CliError::bad_input(format!("the picture cannot be made: {e}")))
}

/// Length to show, mm: a little of the straight shaft beyond the last curve, or enough of a straight device.
fn shown_mm(device: &Device) -> f64 {
    let (mut from_mm, mut shaped_mm) = (0.0, 0.0);
    for z in &device.zones {
        from_mm += z.length_mm;
        if z.rest_curvature_per_mm != 0.0 || z.rest_curvature_2_per_mm != 0.0 {
            shaped_mm = from_mm;
        }
    }
    let holes_mm = device.side_holes_mm.iter().copied().fold(0.0, f64::max);
    (1.4 * f64::max(shaped_mm, holes_mm) + 25.0).min(device.length_mm)
}

fn free(device: &Device) -> Panel {
    let points = hub_down(&rest_shape_mm(device, shown_mm(device), STEP_MM));
    let half_mm = |from_tip_mm: f64| 0.5 * device.section_at(from_tip_mm).outer_diameter_mm;
    Panel {
        title: "free".to_owned(),
        dots: points.iter().map(|p| ([p[0], p[1]], half_mm(p[2]), INK)).collect(),
        holes: holes(device, &points, 0.0),
    }
}

fn with_wire(device: &Device, inside: Inside<'_>) -> Panel {
    let Inside { wire, ahead_mm } = inside;
    let length_mm = ahead_mm + shown_mm(device);
    let points = hub_down(&pair_shape_mm(device, wire, ahead_mm, length_mm, STEP_MM));
    let dots = points.iter().map(|p| {
        let (section, ink) = if p[2] < ahead_mm {
            (wire.section_at(p[2]), WIRE_INK)
        } else {
            (device.section_at(p[2] - ahead_mm), INK)
        };
        ([p[0], p[1]], 0.5 * section.outer_diameter_mm, ink)
    });
    Panel {
        title: format!("with {}, {ahead_mm:.0} mm ahead", wire.id),
        dots: dots.collect(),
        holes: holes(device, &points, ahead_mm),
    }
}

/// Side holes on a line of `[x, y, distance from its end]`.
fn holes(device: &Device, points: &[[f64; 3]], ahead_mm: f64) -> Vec<[f64; 2]> {
    let near = |at_mm: f64| points.iter().find(|p| p[2] >= at_mm + ahead_mm).map(|p| [p[0], p[1]]);
    device.side_holes_mm.iter().filter_map(|at_mm| near(*at_mm)).collect()
}

/// Turns a line so that its last piece, towards the hub, points straight down.
fn hub_down(points: &[[f64; 3]]) -> Vec<[f64; 3]> {
    let [.., a, b] = points else {
        return points.to_vec();
    };
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx.hypot(dy).max(1e-12);
    let (c, s) = (-dy / length, -dx / length);
    points.iter().map(|p| [c * p[0] - s * p[1], s * p[0] + c * p[1], p[2]]).collect()
}

impl Panel {
    /// Lowest and highest coordinates, mm.
    fn bounds(&self) -> ([f64; 2], [f64; 2]) {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for (p, half_mm, _) in &self.dots {
            for axis in 0..2 {
                low[axis] = low[axis].min(p[axis] - half_mm);
                high[axis] = high[axis].max(p[axis] + half_mm);
            }
        }
        (low, high)
    }

    fn span_mm(&self) -> f64 {
        let (low, high) = self.bounds();
        (high[0] - low[0]).max(high[1] - low[1])
    }

    fn draw(&self, canvas: &mut Canvas, left_px: f64, px_per_mm: f64) {
        let (low, high) = self.bounds();
        let half = 0.5 * PANEL_PX as f64;
        let place = |p: &[f64; 2]| {
            let x = left_px + half + (p[0] - 0.5 * (low[0] + high[0])) * px_per_mm;
            let y = HEAD_PX as f64 + half - (p[1] - 0.5 * (low[1] + high[1])) * px_per_mm;
            (x, y)
        };
        for (p, half_mm, ink) in &self.dots {
            let (x, y) = place(p);
            canvas.disc(x, y, (half_mm * px_per_mm).max(1.2), *ink);
        }
        for p in &self.holes {
            let (x, y) = place(p);
            canvas.hole(x, y, (0.3 * px_per_mm).max(1.0));
        }
    }
}

/// White paper.
struct Canvas {
    columns: usize,
    rows: usize,
    gray: Vec<u8>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, gray: vec![255; columns * rows] }
    }

    fn darken(&mut self, column: usize, row: usize, gray: u8) {
        if column < self.columns && row < self.rows {
            let pixel = &mut self.gray[row * self.columns + column];
            *pixel = (*pixel).min(gray);
        }
    }

    /// Darkens a disc, with an edge one pixel soft.
    fn disc(&mut self, x: f64, y: f64, radius_px: f64, gray: u8) {
        self.each_in(x, y, radius_px, |pixel, cover| {
            *pixel = (*pixel).min((255.0 - cover * (255.0 - f64::from(gray))) as u8);
        });
    }

    /// Lightens a disc.
    fn hole(&mut self, x: f64, y: f64, radius_px: f64) {
        self.each_in(x, y, radius_px, |pixel, cover| *pixel = (*pixel).max((220.0 * cover) as u8));
    }

    fn each_in(&mut self, x: f64, y: f64, radius_px: f64, mut set: impl FnMut(&mut u8, f64)) {
        let (columns, rows) = (self.columns, self.rows);
        let clamp = |v: f64, count: usize| v.clamp(0.0, (count - 1) as f64) as usize;
        for row in clamp(y - radius_px - 1.0, rows)..=clamp(y + radius_px + 1.0, rows) {
            for column in clamp(x - radius_px - 1.0, columns)..=clamp(x + radius_px + 1.0, columns) {
                let distance = (column as f64 - x).hypot(row as f64 - y);
                let cover = (radius_px + 0.5 - distance).clamp(0.0, 1.0);
                set(&mut self.gray[row * columns + column], cover);
            }
        }
    }

    /// Text in a bitmap font of 8 x 16 px, the upper left corner given.
    fn text(&mut self, column: usize, row: usize, text: &str, gray: u8) {
        for (i, c) in text.chars().enumerate() {
            let glyph = BASIC_LEGACY.get(c as usize).copied().unwrap_or([0; 8]);
            for y in 0..16 {
                for x in (0..8).filter(|x| glyph[y / 2] >> x & 1 == 1) {
                    self.darken(column + 8 * i + x, row + y, gray);
                }
            }
        }
    }

    fn encode(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.columns as u32, self.rows as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.gray)?;
        writer.finish()?;
        Ok(bytes)
    }
}
