//! Inline drawings of the report: curves over time and the map of visited vessels. Colors come from the page's style.

use super::ReportInput;
use super::html::{clock, escape};
use crate::anatomy::{Branch, VesselTree};
use crate::math::Vec3;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// Points drawn per curve; each is the largest of its bucket, so that peaks stay.
const BUCKETS: usize = 700;

/// One curve: title, unit, values over time.
pub(super) struct Curve {
    pub title: &'static str,
    pub unit: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// A step of 1, 2 or 5 times a power of ten that gives about `count` ticks over `span`.
fn tick_step(span: f64, count: f64) -> f64 {
    let raw = (span / count).max(1e-9);
    let power = 10_f64.powf(raw.log10().floor());
    let factor = raw / power;
    power
        * if factor > 5.0 {
            10.0
        } else if factor > 2.0 {
            5.0
        } else if factor > 1.0 {
            2.0
        } else {
            1.0
        }
}

/// A tick's number: as many decimals as its step needs.
fn tick_label(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 4.0) as usize;
    format!("{value:.decimals$}")
}

/// Draws a curve with the errors' times as marks below it.
pub(super) fn curve(c: &Curve, end_s: f64, marks_s: &[f64]) -> String {
    let mut out = String::new();
    let (low, high) = range(&c.points);
    let x = |t: f64| LEFT + (WIDTH - LEFT - RIGHT) * (t / end_s.max(1e-9)).clamp(0.0, 1.0);
    let y = |v: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (v - low) / (high - low));
    put!(
        out,
        "<figure class=\"curve\"><figcaption>{} <span class=\"unit\">{}</span></figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} over time\">",
        escape(c.title),
        escape(c.unit),
        escape(c.title)
    );
    let step = tick_step(high - low, 4.0);
    let mut v = (low / step).ceil() * step;
    while v <= high + 1e-9 * step {
        let (yy, label) = (y(v), tick_label(v, step));
        put!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{yy:.1}\" y2=\"{yy:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            yy + 4.0
        );
        v += step;
    }
    let step = time_step(end_s);
    let mut t = 0.0;
    while t <= end_s {
        put!(
            out,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x(t),
            HEIGHT - 6.0,
            clock(t)
        );
        t += step;
    }
    for mark in marks_s {
        put!(
            out,
            "<line class=\"mark\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1:.1}\"/>",
            x(*mark),
            HEIGHT - BOTTOM
        );
    }
    out.push_str("<polyline class=\"line\" points=\"");
    for (t, v) in thin(&c.points) {
        put!(out, "{:.1},{:.1} ", x(t), y(v));
    }
    out.push_str("\"/></svg></figure>");
    out
}

fn time_step(end_s: f64) -> f64 {
    const STEPS: [f64; 8] = [10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0];
    STEPS.into_iter().find(|s| end_s / s <= 10.0).unwrap_or(7200.0)
}

/// Values that the axis must hold: zero is always among them.
fn range(points: &[(f64, f64)]) -> (f64, f64) {
    let low = points.iter().map(|p| p.1).fold(0.0, f64::min);
    let high = points.iter().map(|p| p.1).fold(0.0, f64::max);
    if high - low > 1e-12 { (low, high) } else { (low, low + 1.0) }
}

/// The largest value of each bucket.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let per = points.len().div_ceil(BUCKETS).max(1);
    let largest =
        |chunk: &[(f64, f64)]| chunk.iter().copied().reduce(|a, b| if b.1.abs() > a.1.abs() { b } else { a });
    points.chunks(per).filter_map(largest).collect()
}

/// Frame of the map: seen from the front, patient's right on the left.
struct Frame {
    low: [f64; 2],
    scale: f64,
    size: [f64; 2],
}

impl Frame {
    fn new(tree: &VesselTree, visited: &[u32]) -> Self {
        let near =
            |b: &Branch| b.points.iter().map(|p| [p.position_mm.x, -p.position_mm.z]).collect::<Vec<_>>();
        let some = visited.iter().filter_map(|i| tree.branches.get(*i as usize)).flat_map(near);
        let mut points: Vec<[f64; 2]> = some.collect();
        if points.is_empty() {
            points = tree.branches.iter().flat_map(near).collect();
        }
        let fold =
            |axis: usize, start: f64, f: fn(f64, f64) -> f64| points.iter().map(|p| p[axis]).fold(start, f);
        let low = [fold(0, f64::INFINITY, f64::min) - 25.0, fold(1, f64::INFINITY, f64::min) - 25.0];
        let high = [fold(0, f64::NEG_INFINITY, f64::max) + 25.0, fold(1, f64::NEG_INFINITY, f64::max) + 25.0];
        let span = [(high[0] - low[0]).max(1.0), (high[1] - low[1]).max(1.0)];
        let scale = (WIDTH / span[0]).min(620.0 / span[1]);
        Self { low, scale, size: [span[0] * scale, span[1] * scale] }
    }

    fn place(&self, p: &Vec3) -> (f64, f64) {
        ((p.x - self.low[0]) * self.scale, (-p.z - self.low[1]) * self.scale)
    }
}

/// The tree with visits: on the way, off the way, untouched; numbers of errors at their places.
pub(super) fn vessel_map(input: &ReportInput<'_>) -> String {
    let a = input.assessment;
    let visited: Vec<u32> = a.visits.iter().map(|v| v.index).collect();
    let frame = Frame::new(input.tree, &visited);
    let [w, h] = frame.size;
    let mut out = format!(
        "<svg class=\"map\" viewBox=\"0 0 {w:.0} {h:.0}\" role=\"img\" aria-label=\"map of visited vessels\">"
    );
    for (i, b) in input.tree.branches.iter().enumerate() {
        let visit = a.visits.iter().find(|v| v.index as usize == i);
        let class = match visit {
            Some(v) if v.on_route => "way",
            Some(_) => "astray",
            None => "vessel",
        };
        let width = (2.0 * b.at(0.5 * b.length_mm()).radius_mm * frame.scale).clamp(1.0, 40.0);
        put!(out, "<polyline class=\"{class}\" stroke-width=\"{width:.1}\" points=\"");
        for p in &b.points {
            let (x, y) = frame.place(&p.position_mm);
            put!(out, "{x:.1},{y:.1} ");
        }
        let time = visit.map_or_else(String::new, |v| format!(": {} entries, {:.0} s", v.entries, v.seconds));
        put!(out, "\"><title>{}{}</title></polyline>", escape(&b.label), time);
    }
    for (n, e) in a.errors.iter().enumerate() {
        let Some(p) = e.position_mm else { continue };
        let (x, y) = frame.place(&p);
        put!(
            out,
            "<g class=\"spot\"><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text></g>",
            y + 4.0,
            n + 1
        );
    }
    out.push_str("</svg>");
    out
}
