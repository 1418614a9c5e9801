//! The table of metrics, and the tally that they are read from.

use super::condition::{FlowWatch, infarct_pct, is_fed_by};
use super::dilation_tally::DilationTally;
use super::errors::Ground;
use super::facts::Facts;
use super::smoothness::spectral_arc_length;
use crate::anatomy::{ORGANS, VesselId, is_part_of};
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::sim::event::EventKind;
use crate::sim::snapshot::BedView;
use crate::units::TICKS_PER_S;

/// Path length is summed over chords of at least this length, mm: below it is trembling.
const PATH_RESOLUTION_MM: f64 = 0.5;
/// A tip slower than this rests, mm/s.
const REST_SPEED_MM_PER_S: f64 = 1.0;
/// A movement ends after this many ticks of rest.
const REST_TICKS: usize = 30;
/// Movements shorter than this many ticks say nothing about smoothness.
const SHORTEST_TICKS: usize = 30;
/// Longer movements are cut, so that the work of one tick is bounded, ticks.
const LONGEST_TICKS: usize = 1024;

/// One metric of the table.
pub struct MetricSpec {
    /// Name, as case files use it in `par`.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// How it is computed, in words.
    pub formula: &'static str,
    pub(super) value: fn(&Tally) -> Option<f64>,
}

const fn m(
    name: &'static str,
    unit: &'static str,
    formula: &'static str,
    value: fn(&Tally) -> Option<f64>,
) -> MetricSpec {
    MetricSpec { name, unit, formula, value }
}

/// All metrics, in report order.
#[rustfmt::skip]
pub const METRICS: &[MetricSpec] = &[
    m("procedure_time_s", "s", "time from the start to Finish (or to the last tick)", |t| Some(t.time_s)),
    m("fluoro_time_min", "min", "time with the fluoroscopy pedal down / 60", |t| Some(t.fluoro_s / 60.0)),
    m("time_to_target_s", "s", "first time that a catheter or microcatheter tip lies in a target vessel or beyond", |t| t.target_s),
    m("air_kerma_mgy", "mGy", "air kerma at the reference point, all pulses", |t| Some(t.kerma_mgy)),
    m("kap_gy_cm2", "Gy cm2", "kerma-area product, all pulses", |t| Some(t.kap_gy_cm2)),
    m("peak_skin_dose_mgy", "mGy", "largest dose to a bin of skin: kerma x inverse square x backscatter x table", |t| Some(t.peak_skin_mgy)),
    m("beam_while_moving_s", "s", "time with the beam on while C-arm or table moved", |t| Some(t.beam_moving_s)),
    m("operator_eye_ugy", "uGy", "scattered air kerma at the operator's eyes", |t| Some(t.operator_eye_ugy)),
    m("frames", "1", "frames of acquisition runs", |t| Some(f64::from(t.frames))),
    m("runs", "1", "acquisition runs", |t| Some(f64::from(t.runs))),
    m("contrast_ml", "mL", "pure contrast that left a tip", |t| Some(t.contrast_ml)),
    m("iodine_g", "g", "contrast_ml x iodine of the contrast / 1000", |t| Some(t.contrast_ml * t.iodine_mg_per_ml / 1000.0)),
    m("devices_used", "1", "different tray devices that were entered", |t| Some(t.used.iter().filter(|n| **n > 0).count() as f64)),
    m("exchanges", "1", "catheters entered after another catheter was taken off", |t| Some(f64::from(t.exchanges))),
    m("wire_path_length_mm", "mm", "path of wire tips outside carriers, chords of 0.5 mm", |t| Some(t.path_of(DeviceKind::Wire))),
    m("catheter_path_length_mm", "mm", "path of catheter tips, chords of 0.5 mm", |t| Some(t.path_of(DeviceKind::Catheter))),
    m("microcatheter_path_length_mm", "mm", "path of microcatheter tips outside carriers, chords of 0.5 mm", |t| Some(t.path_of(DeviceKind::Microcatheter))),
    m("smoothness_sal", "1", "mean spectral arc length of the leading tip's speed over movements, weighted by their duration (Balasubramanian 2015, 0 to 10 Hz, threshold 0.05); nearer to 0 is smoother", Tally::smoothness),
    m("peak_hub_force_n", "N", "largest axial force at any hub", |t| Some(t.peak_hub_n)),
    m("mean_hub_force_n", "N", "mean over time in motion of the largest axial force at any hub", |t| t.mean(t.hub_n_s)),
    m("peak_tip_force_n", "N", "largest wall force on any free tip", |t| Some(t.peak_tip_n)),
    m("mean_tip_force_n", "N", "mean over time in motion of the largest wall force on any free tip", |t| t.mean(t.tip_n_s)),
    m("wrong_vessel_entries", "1", "entries of the leading tip, more than 10 mm deep and for more than 3 s, into vessels off the route", |t| Some(f64::from(t.wrong_entries))),
    m("wrong_vessel_s", "s", "time of the leading tip in vessels off the route", |t| Some(t.wrong_s)),
    m("target_reentries", "1", "times that the leading tip came back into a target after leaving it", |t| Some(f64::from(t.target_entries.saturating_sub(1)))),
    m("embolic_given_ml", "mL", "embolic suspension that left a tip", |t| Some(t.embolic_ml)),
    m("embolic_target_pct", "%", "particles lodged in beds fed by a target / all lodged particles", |t| t.share_pct(t.lodged_target)),
    m("embolic_nontarget_pct", "%", "particles lodged in other beds / all lodged particles", |t| t.share_pct(t.lodged_all - t.lodged_target)),
    m("infarct_pct", "%", "tissue without blood / all tissue of the organ that the case treats (of the beds fed by a target where it names none), by resting flow", |t| t.infarct),
    m("infarct_other_pct", "%", "the same of the organ that lost most and is not to be treated", |t| t.infarct_other),
    m("coils_placed", "1", "coils and plugs left in the patient", |t| Some(t.coils)),
    m("coil_length_mm", "mm", "length of coils and plugs at rest in the vessels", |t| Some(t.coil_mm)),
    m("coil_in_target_pct", "%", "length of coils and plugs in target vessels or beyond / all of it", |t| (t.coil_mm > 0.0).then(|| 100.0 * t.coil_target_mm / t.coil_mm)),
    m("coil_packing_pct", "%", "volume of coils / volume of the lumen in which they lie, mean over coils by their length", |t| t.packing),
    m("residual_stenosis_pct", "%", "largest diameter reduction left in a narrowing of a target vessel", |t| t.dilation.residual_pct),
    m("gradient_mmhg", "mmHg", "largest mean pressure fall across a narrowing of a target vessel", |t| t.dilation.gradient_mmhg),
    m("balloon_to_vessel", "1", "largest diameter of a balloon, free in air at its highest pressure, over that of the narrowest healthy vessel along it", |t| t.dilation.balloon_to_vessel),
    m("inflation_s", "s", "time with a balloon up, above 1 atm", |t| Some(t.dilation.inflation_s)),
    m("act_at_inflation_s", "s", "least clotting time while a balloon was up", |t| t.dilation.act_s),
    m("stent_margin_mm", "mm", "least length that stents reach beyond an end of a narrowing of a target vessel", |t| t.dilation.margin_mm),
    m("stent_into_parent_mm", "mm", "how far the last stent stands out of the mouth of its vessel", |t| t.dilation.into_parent_mm),
    m("emboli_downstream", "1", "pieces of debris that came to rest in a vessel", |t| Some(f64::from(t.dilation.emboli))),
    m("embolic_reflux_events", "1", "times that embolic flowed back past an origin", |t| Some(f64::from(t.embolic_refluxes))),
    m("contrast_reflux_events", "1", "times that other fluid flowed back past an origin", |t| Some(f64::from(t.contrast_refluxes))),
    m("target_beats_to_clear", "beats", "lumen volume / mean flow of the slowest target vessel x heart rate / 60", |t| t.target_beats),
    m("target_flow_share_pct", "%", "mean flow of the first target vessel at the end / in the first minute", Tally::flow_share),
    m("leak_ml_per_min", "mL/min", "all leaks together at the end, mean of 1.5 s", |t| t.leak_ml_per_s.map(|q| 60.0 * q)),
    m("blood_loss_ml", "mL", "blood lost", |t| Some(t.blood_loss_ml)),
    m("hints_used", "1", "hints asked for", |t| Some(f64::from(t.hints))),
    m("error_count", "1", "errors of the table and traps", |t| Some(f64::from(t.errors))),
];

/// Names of all metrics, for the validation of case files.
pub const METRIC_NAMES: [&str; METRICS.len()] = {
    let mut names = [""; METRICS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = METRICS[i].name;
        i += 1;
    }
    names
};

/// Path of one tip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Path {
    anchor_mm: Option<Vec3>,
    length_mm: f64,
}

impl Path {
    fn follow(&mut self, tip_mm: Option<Vec3>) {
        match (self.anchor_mm, tip_mm) {
            (Some(a), Some(p)) => {
                let d = (p - a).norm();
                if d >= PATH_RESOLUTION_MM {
                    self.length_mm += d;
                    self.anchor_mm = Some(p);
                }
            }
            (_, p) => self.anchor_mm = p,
        }
    }
}

/// Sums that metrics are read from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    time_s: f64,
    fluoro_s: f64,
    target_s: Option<f64>,
    kerma_mgy: f64,
    kap_gy_cm2: f64,
    peak_skin_mgy: f64,
    pub beam_moving_s: f64,
    operator_eye_ugy: f64,
    frames: u32,
    runs: u32,
    contrast_ml: f64,
    iodine_mg_per_ml: f64,
    /// Times each tray device was entered.
    used: Vec<u32>,
    exchanges: u32,
    catheter_left: bool,
    paths: Vec<(DeviceKind, Path)>,
    /// Speed of the leading tip in the present movement, mm/s.
    movement: Vec<f64>,
    rest_ticks: usize,
    leading: Option<(u8, Vec3)>,
    sal_s: f64,
    sal_weight_s: f64,
    peak_hub_n: f64,
    peak_tip_n: f64,
    hub_n_s: f64,
    tip_n_s: f64,
    motion_s: f64,
    pub wrong_entries: u32,
    wrong_s: f64,
    target_entries: u32,
    in_target: bool,
    embolic_ml: f64,
    lodged_target: f64,
    lodged_all: f64,
    infarct: Option<f64>,
    infarct_other: Option<f64>,
    coils: f64,
    coil_mm: f64,
    coil_target_mm: f64,
    packing: Option<f64>,
    dilation: DilationTally,
    embolic_refluxes: u32,
    contrast_refluxes: u32,
    target_beats: Option<f64>,
    first_flow: (f64, f64),
    last_flow: Option<f64>,
    leak_ml_per_s: Option<f64>,
    blood_loss_ml: f64,
    pub hints: u32,
    pub errors: u32,
}

impl Tally {
    pub(super) fn new(iodine_mg_per_ml: f64) -> Self {
        Self { iodine_mg_per_ml, ..Self::default() }
    }

    pub(super) fn observe(&mut self, f: &Facts<'_>, g: &Ground) {
        self.room(f);
        self.motion(f);
        self.places(f, g);
        self.treatment(f, g);
        self.dilation.observe(f, g);
        for e in f.events {
            match &e.kind {
                EventKind::Loaded(tool) => self.loaded(f, *tool),
                EventKind::Unloaded(tool) => {
                    let kind = f.snap.tools.get(tool.idx()).map(|t| t.kind);
                    self.catheter_left |= kind == Some(DeviceKind::Catheter);
                }
                EventKind::Reflux { embolic: true, .. } => self.embolic_refluxes += 1,
                EventKind::Reflux { embolic: false, .. } => self.contrast_refluxes += 1,
                EventKind::HintAsked => self.hints += 1,
                _ => {}
            }
        }
    }

    fn loaded(&mut self, f: &Facts<'_>, tool: crate::sim::command::ToolId) {
        if self.used.len() <= tool.idx() {
            self.used.resize(tool.idx() + 1, 0);
        }
        self.used[tool.idx()] += 1;
        let is_catheter = f.snap.tools.get(tool.idx()).is_some_and(|t| t.kind == DeviceKind::Catheter);
        if is_catheter && self.catheter_left {
            self.exchanges += 1;
            self.catheter_left = false;
        }
    }

    fn room(&mut self, f: &Facts<'_>) {
        let x = &f.snap.xray;
        self.time_s = f.snap.time_s;
        self.fluoro_s = x.fluoro_time_s;
        self.kerma_mgy = x.air_kerma_mgy;
        self.kap_gy_cm2 = x.kap_gy_cm2;
        self.peak_skin_mgy = x.dose.peak_skin_mgy;
        self.operator_eye_ugy = x.dose.staff_ugy[0];
        self.frames = x.frames;
        self.runs = x.runs;
        self.contrast_ml = f.snap.injection.contrast_given_ml;
        self.embolic_ml = f.snap.injection.embolic_given_ml;
        self.blood_loss_ml = f.snap.patient.blood_loss_ml;
        let leak: f64 = f.snap.pools.iter().map(|p| p.leak_ml_per_s).sum();
        let blend = 1.0 - (-f.dt_s / 1.5).exp();
        self.leak_ml_per_s = Some(self.leak_ml_per_s.map_or(leak, |m| m + blend * (leak - m)));
    }

    fn motion(&mut self, f: &Facts<'_>) {
        let (mut hub, mut tip, mut moving) = (0.0_f64, 0.0_f64, false);
        for t in &f.tools {
            let i = t.tool.idx();
            if self.paths.len() <= i {
                self.paths.resize(i + 1, (DeviceKind::Sheath, Path::default()));
            }
            self.paths[i].0 = t.kind;
            self.paths[i].1.follow((!t.covered && t.inserted_mm > 0.0).then_some(t.tip_mm));
            moving |= t.moved_mm != 0.0 || t.turned_deg != 0.0;
            hub = hub.max(t.hub_force_n.abs());
            if !t.covered {
                tip = tip.max(t.tip_force_n);
            }
        }
        self.peak_hub_n = self.peak_hub_n.max(hub);
        self.peak_tip_n = self.peak_tip_n.max(tip);
        if moving {
            self.motion_s += f.dt_s;
            self.hub_n_s += hub * f.dt_s;
            self.tip_n_s += tip * f.dt_s;
        }
        self.follow_speed(f);
    }

    fn follow_speed(&mut self, f: &Facts<'_>) {
        let now = f.farthest().map(|t| (t.tool.0, t.tip_mm));
        let speed = match (self.leading, now) {
            (Some((a, p)), Some((b, q))) if a == b && f.dt_s > 0.0 => (q - p).norm() / f.dt_s,
            _ => 0.0,
        };
        self.leading = now;
        if speed > REST_SPEED_MM_PER_S {
            self.rest_ticks = 0;
        } else if self.movement.is_empty() {
            return;
        } else {
            self.rest_ticks += 1;
        }
        self.movement.push(speed);
        if self.rest_ticks >= REST_TICKS || self.movement.len() >= LONGEST_TICKS {
            let (sum, weight) = self.movement_smoothness();
            self.sal_s += sum;
            self.sal_weight_s += weight;
            self.movement.clear();
            self.rest_ticks = 0;
        }
    }

    /// Smoothness of the present movement times its duration, and the duration, s.
    fn movement_smoothness(&self) -> (f64, f64) {
        let n = self.movement.len() - self.rest_ticks.min(self.movement.len());
        if n < SHORTEST_TICKS {
            return (0.0, 0.0);
        }
        let duration_s = n as f64 / TICKS_PER_S as f64;
        spectral_arc_length(&self.movement[..n], TICKS_PER_S as f64)
            .map_or((0.0, 0.0), |sal| (sal * duration_s, duration_s))
    }

    fn smoothness(&self) -> Option<f64> {
        let (sum, weight) = self.movement_smoothness();
        let weight = self.sal_weight_s + weight;
        (weight > 0.0).then(|| (self.sal_s + sum) / weight)
    }

    fn places(&mut self, f: &Facts<'_>, g: &Ground) {
        let in_target = |v: VesselId| g.targets.iter().any(|t| f.tree.is_within(v, *t));
        let reached = f.tools.iter().any(|t| {
            matches!(t.kind, DeviceKind::Catheter | DeviceKind::Microcatheter)
                && !t.covered
                && t.place.is_some_and(|p| in_target(p.vessel))
        });
        if reached && self.target_s.is_none() {
            self.target_s = Some(f.snap.time_s);
        }
        let Some(place) = f.farthest().and_then(|t| t.place) else { return };
        let now = in_target(place.vessel);
        self.target_entries += u32::from(now && !self.in_target);
        self.in_target = now;
        if !g.is_allowed(place.vessel) {
            self.wrong_s += f.dt_s;
        }
    }

    fn treatment(&mut self, f: &Facts<'_>, g: &Ground) {
        (self.lodged_target, self.lodged_all) = (0.0, 0.0);
        for bed in &f.snap.beds {
            if bed.lodged.is_empty() {
                continue;
            }
            let n: f64 = bed.lodged.iter().map(|(_, n)| n).sum();
            self.lodged_all += n;
            if is_fed_by(f.tree, &bed.vessels, &g.targets) {
                self.lodged_target += n;
            }
        }
        self.implants(f, g);
        if f.snap.tick.is_multiple_of(TICKS_PER_S) || f.events.iter().any(|e| e.kind == EventKind::Finished) {
            self.tissue(f, g);
        }
        let rate = f.snap.patient.heart_rate_bpm;
        let known: Vec<&FlowWatch> = g.flows.iter().filter(|w| w.flow_ml_per_s.is_some()).collect();
        self.target_beats = known.iter().map(|w| w.beats_to_clear(rate)).reduce(f64::max);
        self.last_flow = known.first().and_then(|w| w.flow_ml_per_s);
        if let Some(q) = self.last_flow
            && f.snap.time_s <= 60.0
        {
            self.first_flow.0 += q * f.dt_s;
            self.first_flow.1 += f.dt_s;
        }
    }

    fn implants(&mut self, f: &Facts<'_>, g: &Ground) {
        (self.coils, self.coil_mm, self.coil_target_mm) = (0.0, 0.0, 0.0);
        let mut packed = 0.0;
        for i in f.snap.implants.iter().filter(|i| !i.is_joined) {
            self.coils += 1.0;
            if i.drifts {
                continue;
            }
            for (v, mm) in &i.length_mm {
                self.coil_mm += mm;
                packed += mm * i.packing;
                if g.targets.iter().any(|t| f.tree.is_within(*v, *t)) {
                    self.coil_target_mm += mm;
                }
            }
        }
        self.packing = (self.coil_mm > 0.0).then(|| 100.0 * packed / self.coil_mm);
    }

    fn tissue(&mut self, f: &Facts<'_>, g: &Ground) {
        let beds = &f.snap.beds;
        let is_treated = |b: &BedView| match &g.organ {
            Some(organ) => is_part_of(&b.name, organ),
            None => is_fed_by(f.tree, &b.vessels, &g.targets),
        };
        let whole: f64 = beds.iter().filter(|b| is_treated(b)).map(|b| b.resting_flow_ml_per_s).sum();
        let lost = beds.iter().filter(|b| is_treated(b));
        let lost: f64 = lost.map(|b| b.resting_flow_ml_per_s * b.ischemic_share).sum();
        self.infarct = (whole > 0.0).then(|| 100.0 * lost / whole);
        let others =
            ORGANS.iter().filter(|o| !beds.iter().any(|b| is_part_of(&b.name, o.bed) && is_treated(b)));
        self.infarct_other = others.filter_map(|o| infarct_pct(beds, o.bed)).reduce(f64::max);
    }

    fn flow_share(&self) -> Option<f64> {
        let (sum, time) = self.first_flow;
        let q = self.last_flow?;
        (time > 0.0 && sum > 0.0).then(|| 100.0 * q / (sum / time))
    }

    fn path_of(&self, kind: DeviceKind) -> f64 {
        self.paths.iter().filter(|(k, _)| *k == kind).map(|(_, p)| p.length_mm).sum()
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        (self.motion_s > 0.0).then(|| sum / self.motion_s)
    }

    fn share_pct(&self, part: f64) -> Option<f64> {
        (self.lodged_all > 0.0).then(|| 100.0 * part / self.lodged_all)
    }

    /// Mean flow in the first target now, mL/s.
    pub(super) fn target_flow_ml_per_s(&self) -> f64 {
        self.last_flow.unwrap_or(0.0)
    }
}
