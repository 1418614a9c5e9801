//! Text on the picture: what an angiography monitor shows around the live image.

use font8x8::legacy::BASIC_LEGACY;

use super::{Frame, FrameKind};
use crate::sim::command::{AcquisitionKind, Pedal};
use crate::sim::snapshot::XrayView;

/// Lines for the four corners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayText {
    /// Patient and case.
    pub top_left: Vec<String>,
    /// LIVE or HELD, mode, run.
    pub top_right: Vec<String>,
    /// Geometry.
    pub bottom_left: Vec<String>,
    /// Technique and dose.
    pub bottom_right: Vec<String>,
}

/// Lines for a picture: the pose it was taken at, and technique and dose of the room.
pub fn overlay_text(frame: &Frame, view: &XrayView) -> OverlayText {
    let mut top_right =
        vec![if frame.live { "LIVE".to_owned() } else { "HELD".to_owned() }, mode(frame, view)];
    if let Some(run) = frame.run {
        top_right.push(format!("RUN {run}  FRAME {}", frame.frame_in_run + 1));
    }
    if let Some(moved_mm) = frame.roadmap_moved_mm {
        top_right.push(format!("ROADMAP INVALID - moved {moved_mm:.0} mm"));
    }
    let arm = &frame.arm;
    let mut bottom_left = vec![
        format!(
            "{} {:.0}  {} {:.0}",
            if arm.primary_deg < -0.5 { "RAO" } else { "LAO" },
            arm.primary_deg.abs(),
            if arm.secondary_deg < -0.5 { "CAU" } else { "CRA" },
            arm.secondary_deg.abs()
        ),
        format!("SID {:.0} cm", arm.sid_mm / 10.0),
        format!("FD {:.0} cm", arm.field_mm / 10.0),
    ];
    if arm.table_tilt_deg.abs() >= 0.5 {
        let end = if arm.table_tilt_deg > 0.0 { "HEAD UP" } else { "HEAD DOWN" };
        bottom_left.push(format!("TABLE {end} {:.0}", arm.table_tilt_deg.abs()));
    }
    let t = &view.technique;
    let minutes = (view.fluoro_time_s / 60.0).floor();
    let bottom_right = vec![
        format!("{:.0} kV  {:.0} mA  {:.1} ms", t.tube_kv, t.tube_ma, t.pulse_ms),
        format!("Cu {:.1} mm", t.copper_mm),
        format!("{:.1} mGy/min", view.air_kerma_rate_mgy_per_min),
        format!("total {:.1} mGy", view.air_kerma_mgy),
        format!("KAP {:.2} Gy.cm2", view.kap_gy_cm2),
        format!("fluoro {minutes:02.0}:{:04.1}", view.fluoro_time_s - 60.0 * minutes),
    ];
    OverlayText { top_left: Vec::new(), top_right, bottom_left, bottom_right }
}

fn mode(frame: &Frame, view: &XrayView) -> String {
    match frame.kind {
        FrameKind::Fluoro | FrameKind::Roadmap => {
            format!("{} {} p/s", frame.kind.word(), view.pulse_rate_per_s)
        }
        FrameKind::Native | FrameKind::Dsa => {
            let word = match (view.pedal, view.acquisition) {
                (Pedal::Acquire, AcquisitionKind::Dsa) => FrameKind::Dsa.word(),
                _ => frame.kind.word(),
            };
            format!("{word} {} f/s", view.frame_rate_per_s)
        }
    }
}

/// Burns the lines into the picture, white on a dark rim, in a bitmap font scaled to the picture.
pub fn burn_text(frame: &mut Frame, text: &OverlayText) {
    let scale = (frame.rows / 512).max(1);
    let (glyph, line, margin) = (8 * scale, 10 * scale, 6 * scale);
    let right_aligned =
        |s: &String, columns: usize| columns.saturating_sub(margin + s.chars().count() * glyph);
    let top = |i: usize| margin + i * line;
    for (i, s) in text.top_left.iter().enumerate() {
        draw(frame, margin, top(i), s, scale);
    }
    for (i, s) in text.top_right.iter().enumerate() {
        draw(frame, right_aligned(s, frame.columns), top(i), s, scale);
    }
    let bottom = |i: usize, of: usize, rows: usize| rows.saturating_sub(margin + (of - i) * line);
    for (i, s) in text.bottom_left.iter().enumerate() {
        draw(frame, margin, bottom(i, text.bottom_left.len(), frame.rows), s, scale);
    }
    for (i, s) in text.bottom_right.iter().enumerate() {
        let at = bottom(i, text.bottom_right.len(), frame.rows);
        draw(frame, right_aligned(s, frame.columns), at, s, scale);
    }
}

fn draw(frame: &mut Frame, column: usize, row: usize, text: &str, scale: usize) {
    const INK: u8 = 235;
    const RIM: u8 = 10;
    let lit: Vec<(usize, usize)> = text
        .chars()
        .enumerate()
        .flat_map(|(i, c)| {
            let glyph = BASIC_LEGACY.get(c as usize).copied().unwrap_or([0; 8]);
            (0..8 * scale).flat_map(move |y| {
                (0..8 * scale).filter_map(move |x| {
                    let on = glyph[y / scale] >> (x / scale) & 1 == 1;
                    on.then_some((column + i * 8 * scale + x, row + y))
                })
            })
        })
        .collect();
    let (columns, rows) = (frame.columns, frame.rows);
    let mut put = |x: usize, y: usize, value: u8| {
        if x < columns && y < rows {
            frame.gray[y * columns + x] = value;
        }
    };
    for &(x, y) in &lit {
        for (dx, dy) in [(0, 1), (1, 0), (2, 1), (1, 2)] {
            put((x + dx).saturating_sub(1), (y + dy).saturating_sub(1), RIM);
        }
    }
    for &(x, y) in &lit {
        put(x, y, INK);
    }
}
