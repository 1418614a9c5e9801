//! The page: errors first, then objectives, score, curves, map, embolic, images, moments, raw metrics.

use base64::Engine as _;

use super::svg::{Curve, curve, vessel_map};
use super::{ReportInput, ReportMeta};
use crate::scenario::Grade;
use crate::training::assessment::{Assessment, ErrorRecord, PointLine};
use crate::training::telemetry::Sample;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fbfbf9;--ink:#1c1e21;--soft:#5d6269;--rule:#d9dbdd;--panel:#f1f1ee;\
--line:#0072b2;--bad:#b8420f;--good:#00714f;--warn:#8a5a00;--vessel:#c9cdd2}\
@media(prefers-color-scheme:dark){:root{--ground:#16181b;--ink:#e8e9ea;--soft:#a2a8b0;--rule:#363a40;--panel:#1f2226;\
--line:#56b4e9;--bad:#ff9566;--good:#4cc9a0;--warn:#e6b04d;--vessel:#474c54}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,\"Segoe UI\",\"Noto Sans\",sans-serif}\
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}\
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem;text-wrap:balance}\
h2{font-size:1.15rem;margin:2.6rem 0 .7rem;padding-top:.9rem;border-top:1px solid var(--rule)}\
p{max-width:46rem;margin:.4rem 0}\
.soft,.unit,footer{color:var(--soft)}\
.verdict{display:flex;flex-wrap:wrap;gap:.4rem 2rem;align-items:baseline;margin:1.4rem 0 .4rem}\
.verdict strong{font-size:1.5rem}\
.passed{color:var(--good)}.failed{color:var(--bad)}\
table{border-collapse:collapse;width:100%;font-size:.92rem}\
.wide{overflow-x:auto}\
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--rule)}\
th{color:var(--soft);font-weight:600}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
ol.errors{list-style:none;margin:0;padding:0}\
ol.errors li{padding:.9rem 0;border-bottom:1px solid var(--rule);display:grid;grid-template-columns:7.5rem 1fr;gap:0 1rem}\
ol.errors h3{font-size:1rem;margin:0}ol.errors p{margin:.15rem 0}\
.when{font-variant-numeric:tabular-nums}\
.grade{font-weight:600}.slip{color:var(--warn)}.mistake,.blunder{color:var(--bad)}\
figure{margin:0 0 1rem}figcaption{font-weight:600;margin-bottom:.1rem}.unit{font-weight:400}\
svg{width:100%;height:auto;display:block}\
.grid{stroke:var(--rule);stroke-width:1}.tick{fill:var(--soft);font-size:11px}\
.mark{stroke:var(--bad);stroke-width:1;stroke-dasharray:2 3}\
.line{fill:none;stroke:var(--line);stroke-width:1.6;stroke-linejoin:round}\
.map polyline{fill:none;stroke-linecap:round;stroke-linejoin:round}\
.vessel{stroke:var(--vessel)}.way{stroke:var(--line)}.astray{stroke:var(--bad)}\
.spot circle{fill:var(--ground);stroke:var(--bad);stroke-width:2}.spot text{fill:var(--ink);font-size:11px}\
.images{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}\
.images img{width:100%;display:block;background:#000}\
.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}\
@media(max-width:40rem){ol.errors li{grid-template-columns:1fr}}\
@media print{:root{color-scheme:light;--ground:#fff;--ink:#000;--soft:#444;--rule:#bbb;--line:#0072b2;--bad:#b8420f}\
main{max-width:none;padding:0}h2{break-after:avoid}figure,ol.errors li,tr{break-inside:avoid}}";

/// Text made safe for HTML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Seconds as minutes and seconds.
pub(super) fn clock(s: f64) -> String {
    let whole = s.max(0.0).floor() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

fn number(value: Option<f64>) -> String {
    let Some(v) = value else { return "not measured".to_owned() };
    let decimals = match v.abs() {
        a if a == 0.0 || a >= 100.0 => 0,
        a if a >= 10.0 => 1,
        a if a >= 1.0 => 2,
        _ => 3,
    };
    if v.fract() == 0.0 { format!("{v:.0}") } else { format!("{v:.decimals$}") }
}

pub(super) fn page(input: &ReportInput<'_>) -> String {
    let a = input.assessment;
    let mut out = String::with_capacity(64 * 1024);
    put!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{} - report</title><style>{STYLE}</style></head><body><main>",
        escape(&a.title)
    );
    head(&mut out, a, input.meta);
    errors(&mut out, a);
    objectives(&mut out, a);
    score(&mut out, a);
    curves(&mut out, input);
    super::dose::dose(&mut out, &a.dose);
    map(&mut out, input);
    embolic(&mut out, a);
    images(&mut out, input);
    moments(&mut out, a);
    metrics(&mut out, a);
    foot(&mut out, input.meta);
    out.push_str("</main></body></html>\n");
    out
}

fn head(out: &mut String, a: &Assessment, meta: &ReportMeta) {
    put!(out, "<h1>{}</h1><p class=\"soft\">{}", escape(&a.title), escape(&meta.operator));
    put!(out, " &middot; case {} &middot; seed {}</p>", escape(&a.case), meta.seed);
    let (class, word) = if a.score.passed { ("passed", "Passed") } else { ("failed", "Not passed") };
    put!(
        out,
        "<div class=\"verdict\"><strong class=\"{class}\">{word}</strong><span><b>{:.1}</b> of {:.1} points, \
         {:.1} to pass</span><span>{} errors</span><span>{} min</span></div>",
        a.score.total,
        a.score.maximum,
        a.score.pass_mark,
        a.errors.len(),
        clock(a.time_s)
    );
    if !a.finished {
        out.push_str("<p>The procedure was not declared finished.</p>");
    }
    for reason in &a.score.reasons {
        put!(out, "<p>Not passed because: {}.</p>", escape(reason));
    }
}

fn grade(g: Grade) -> (&'static str, &'static str) {
    match g {
        Grade::Slip => ("slip", "Slip"),
        Grade::Mistake => ("mistake", "Mistake"),
        Grade::Blunder => ("blunder", "Blunder"),
    }
}

fn errors(out: &mut String, a: &Assessment) {
    out.push_str("<h2>Errors</h2>");
    if a.errors.is_empty() {
        out.push_str("<p>None was found.</p>");
        return;
    }
    out.push_str("<ol class=\"errors\">");
    for (n, e) in a.errors.iter().enumerate() {
        error(out, n + 1, e);
    }
    out.push_str("</ol>");
}

fn error(out: &mut String, n: usize, e: &ErrorRecord) {
    let (class, word) = grade(e.grade);
    put!(
        out,
        "<li id=\"error-{n}\"><div class=\"when\">{n}. at {}<br><span class=\"soft\">tick {}</span></div><div>\
         <h3>{} <span class=\"grade {class}\">{word}, -{} points</span></h3><p>{}</p>\
         <p class=\"soft\">Where: {}</p><p><b>Instead:</b> {}</p></div></li>",
        clock(e.time_s),
        e.tick,
        escape(&e.title),
        number(Some(e.points)),
        escape(&e.cause),
        escape(&e.place_label),
        escape(&e.instead)
    );
}

fn objectives(out: &mut String, a: &Assessment) {
    out.push_str(
        "<h2>Objectives</h2><div class=\"wide\"><table><tr><th>Objective</th><th>Done</th>\
         <th class=\"n\">Points</th></tr>",
    );
    for s in &a.steps {
        let done = s.done_s.map_or_else(|| "no".to_owned(), |t| format!("at {}", clock(t)));
        let optional = if s.optional { " (optional)" } else { "" };
        let points = if s.done_s.is_some() { s.points } else { 0.0 };
        put!(
            out,
            "<tr><td>{}{optional}</td><td>{done}</td><td class=\"n\">{} of {}</td></tr>",
            escape(&s.title),
            number(Some(points)),
            number(Some(s.points))
        );
    }
    out.push_str("</table></div>");
}

fn score(out: &mut String, a: &Assessment) {
    let s = &a.score;
    put!(
        out,
        "<h2>Score</h2><p>{}</p><div class=\"wide\"><table><tr><th>Term</th><th>How</th>\
         <th class=\"n\">Points</th></tr>",
        escape(&s.formula)
    );
    let mut rows = |lines: &[PointLine]| {
        for l in lines {
            put!(
                out,
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{:.2}</td></tr>",
                escape(&l.label),
                escape(&l.why),
                l.points
            );
        }
    };
    rows(&s.steps);
    rows(&s.par);
    rows(&s.errors);
    put!(
        out,
        "<tr><th>Sum</th><td>maximum {:.1}, pass mark {:.1}</td><td class=\"n\"><b>{:.2}</b></td></tr></table></div>",
        s.maximum,
        s.pass_mark,
        s.total
    );
}

fn curves(out: &mut String, input: &ReportInput<'_>) {
    out.push_str("<h2>Curves</h2><p class=\"soft\">Dashed lines mark errors.</p>");
    let of =
        |value: fn(&Sample) -> f64| input.telemetry.iter().map(|s| (s.time_s, value(s))).collect::<Vec<_>>();
    let list = [
        Curve { title: "Air kerma at the reference point", unit: "mGy", points: of(|s| s.air_kerma_mgy) },
        Curve { title: "Largest tip force", unit: "N", points: of(largest_tip_force) },
        Curve { title: "Largest hub force", unit: "N", points: of(largest_hub_force) },
        Curve { title: "Flow in the target vessel", unit: "mL/s", points: of(|s| s.target_flow_ml_per_s) },
        Curve { title: "Bleeding", unit: "mL/min", points: of(|s| 60.0 * s.leak_ml_per_s) },
        Curve { title: "Contrast given", unit: "mL", points: of(|s| s.contrast_ml) },
        Curve { title: "Mean arterial pressure", unit: "mmHg", points: of(|s| s.mean_mmhg) },
    ];
    let marks: Vec<f64> = input.assessment.errors.iter().map(|e| e.time_s).collect();
    for c in &list {
        out.push_str(&curve(c, input.assessment.time_s, &marks));
    }
}

fn largest_tip_force(s: &Sample) -> f64 {
    s.tools.iter().map(|t| t.tip_force_n).fold(0.0, f64::max)
}

fn largest_hub_force(s: &Sample) -> f64 {
    s.tools.iter().map(|t| t.hub_force_n.abs()).fold(0.0, f64::max)
}

fn map(out: &mut String, input: &ReportInput<'_>) {
    out.push_str(
        "<h2>Vessels visited</h2><p class=\"soft\">Seen from the front. \
         <span class=\"key\" style=\"background:var(--line)\"></span>on the way or beyond the target\
         <span class=\"key\" style=\"background:var(--bad)\"></span>off the way\
         <span class=\"key\" style=\"background:var(--vessel)\"></span>not visited. Numbers: errors.</p>",
    );
    out.push_str(&vessel_map(input));
    out.push_str(
        "<div class=\"wide\"><table><tr><th>Vessel</th><th>Way</th><th class=\"n\">Entries</th>\
         <th class=\"n\">Seconds</th></tr>",
    );
    for v in &input.assessment.visits {
        let way = if v.on_route { "on" } else { "off" };
        put!(
            out,
            "<tr><td>{}</td><td>{way}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td></tr>",
            escape(&v.label),
            v.entries,
            v.seconds
        );
    }
    out.push_str("</table></div>");
}

fn embolic(out: &mut String, a: &Assessment) {
    if a.embolic.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Where the embolic went</h2><div class=\"wide\"><table><tr><th>Bed</th><th>Territory</th>\
         <th class=\"n\">Particles</th><th class=\"n\">Share, %</th><th class=\"n\">Closed, %</th></tr>",
    );
    for b in a.embolic.iter().filter(|b| b.particles >= 0.5) {
        let territory = if b.target { "target" } else { "not target" };
        put!(
            out,
            "<tr><td>{}</td><td>{territory}</td><td class=\"n\">{:.0}</td><td class=\"n\">{:.1}</td>\
             <td class=\"n\">{:.1}</td></tr>",
            escape(&b.bed),
            b.particles,
            b.share_pct,
            b.occluded_pct
        );
    }
    out.push_str("</table></div>");
}

fn images(out: &mut String, input: &ReportInput<'_>) {
    if input.images.is_empty() {
        return;
    }
    out.push_str("<h2>Key images</h2><div class=\"images\">");
    for image in input.images {
        let caption = escape(&image.caption);
        let data = base64::engine::general_purpose::STANDARD.encode(&image.png);
        put!(
            out,
            "<figure><img alt=\"{caption}\" src=\"data:image/png;base64,{data}\"><figcaption>{caption}</figcaption></figure>"
        );
    }
    out.push_str("</div>");
}

fn moments(out: &mut String, a: &Assessment) {
    out.push_str(
        "<h2>Moments</h2><div class=\"wide\"><table><tr><th class=\"n\">Time</th><th class=\"n\">Tick</th>\
         <th>Kind</th><th>What</th></tr>",
    );
    for m in &a.moments {
        put!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{:?}</td><td>{}</td></tr>",
            clock(m.time_s),
            m.tick,
            m.kind,
            escape(&m.label)
        );
    }
    out.push_str("</table></div>");
}

fn metrics(out: &mut String, a: &Assessment) {
    out.push_str(
        "<h2>Metrics</h2><div class=\"wide\"><table><tr><th>Name</th><th class=\"n\">Value</th><th>Unit</th>\
         <th>Formula</th></tr>",
    );
    for m in &a.metrics {
        put!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
            escape(&m.name),
            number(m.value),
            escape(&m.unit),
            escape(&m.formula)
        );
    }
    out.push_str("</table></div>");
}

fn foot(out: &mut String, meta: &ReportMeta) {
    put!(
        out,
        "<footer><h2>About this report</h2><p>cathnav is a teaching tool, not a medical device. That skill shown here \
         carries over to patients is not claimed. Limits marked [K] in the program are customary values that a \
         clinician should confirm.</p><p>Program {}, case hash {}, state hash {}, recording {}. A tick is 1/60 s and \
         finds the moment in the recording.</p></footer>",
        escape(&meta.version),
        escape(&meta.case_hash),
        escape(&meta.state_hash),
        escape(&meta.recording)
    );
}
