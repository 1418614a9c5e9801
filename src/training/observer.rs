//! Sees every tick once and says what the attempt amounts to.

use super::assessment::{
    Assessment, BedShare, ErrorRecord, KeyMoment, Metric, MomentKind, StepResult, TrapResult, VesselVisit,
};
use super::condition::{FlowWatch, Watch, is_fed_by, targets, treated_organ, waypoints};
use super::dose::DoseWatch;
use super::errors::{ERRORS, Found, Ground, Slot};
use super::facts::{Before, Facts, TreeFacts, is_beam_on, tool_facts};
use super::metrics::{METRICS, Tally};
use super::telemetry::{Sample, TICKS_PER_SAMPLE};
use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::scenario::{Case, Grade};
use crate::sim::command::{Command, ToolId};
use crate::sim::event::{Event, EventKind};
use crate::sim::snapshot::{Snapshot, ToolInfo};

/// Contrast limit per body weight, mL/kg (`clinical.md` A5, `[K]`).
const CONTRAST_ML_PER_KG: f64 = 4.0;
/// Contrast limit, mL (`clinical.md` A5: more is called large).
const CONTRAST_MAX_ML: f64 = 300.0;

#[derive(Clone, Debug, PartialEq)]
struct StepState {
    watch: Watch,
    done: Option<(u64, f64)>,
    open: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct TrapState {
    watch: Watch,
    sprung_s: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Visit {
    entries: u32,
    seconds: f64,
}

/// Watches an attempt. Feed it every tick in order; ask [`Observer::assessment`] at any time.
#[derive(Clone, Debug, PartialEq)]
pub struct Observer {
    case: Case,
    tree: TreeFacts,
    infos: Vec<ToolInfo>,
    ground: Ground,
    steps: Vec<StepState>,
    traps: Vec<TrapState>,
    /// Case events that wait for their condition; `None` once fired or when only the instructor fires them.
    triggers: Vec<Option<Watch>>,
    due: Vec<String>,
    slots: Vec<Slot>,
    tally: Tally,
    dose: DoseWatch,
    before: Before,
    last: Option<(u64, f64)>,
    errors: Vec<ErrorRecord>,
    moments: Vec<KeyMoment>,
    visits: Vec<Visit>,
    lying_in: Option<VesselId>,
    embolic: Vec<BedShare>,
    samples: Vec<Sample>,
    finished: bool,
}

impl Observer {
    /// An observer of a case played in a tree with a tray. Names that do not resolve make their condition never hold.
    pub fn new(case: &Case, tree: &VesselTree, tools: &[ToolInfo]) -> Self {
        let facts = TreeFacts::new(tree);
        let targets = targets(case, &facts);
        let is_device = |id: &String| tools.iter().any(|t| t.id == *id);
        let limit =
            (CONTRAST_ML_PER_KG * case.patient.weight_kg).min(CONTRAST_MAX_ML).min(case.room.contrast_ml);
        let ground = Ground {
            flows: targets.iter().map(|v| FlowWatch::new(*v)).collect(),
            targets,
            organ: treated_organ(case),
            waypoints: waypoints(case, &facts),
            access: None,
            allowed: Vec::new(),
            dose_alert_mgy: case.room.dose_alert_mgy,
            contrast_limit_ml: limit,
            dilated: Vec::new(),
            embolics: case.tray.iter().filter(|id| !is_device(id)).cloned().collect(),
        };
        let step = |s: &crate::scenario::Step| StepState {
            watch: Watch::new(&s.done, &facts, tools),
            done: None,
            open: s.after.is_empty(),
        };
        let trap = |t: &crate::scenario::Trap| TrapState {
            watch: Watch::new(&t.when, &facts, tools),
            sprung_s: None,
        };
        Self {
            steps: case.steps.iter().map(step).collect(),
            traps: case.traps.iter().map(trap).collect(),
            triggers: case
                .events
                .iter()
                .map(|e| e.at.as_ref().map(|at| Watch::new(at, &facts, tools)))
                .collect(),
            due: Vec::new(),
            slots: vec![Slot::default(); ERRORS.len()],
            tally: Tally::new(case.room.contrast_mg_i_per_ml),
            dose: DoseWatch::new(case.room.procedure.name()),
            before: vec![None; tools.len()],
            last: None,
            errors: Vec::new(),
            moments: Vec::new(),
            visits: vec![Visit::default(); tree.branches.len()],
            lying_in: None,
            embolic: Vec::new(),
            samples: Vec::new(),
            finished: false,
            infos: tools.to_vec(),
            case: case.clone(),
            tree: facts,
            ground,
        }
    }

    /// Sees one tick. Ticks after the operator finished are ignored, so the numbers stand still then.
    pub fn observe(&mut self, snap: &Snapshot, events: &[Event]) {
        if self.finished {
            return;
        }
        let dt_s = self.last.map_or(0.0, |(_, t)| (snap.time_s - t).max(0.0));
        self.last = Some((snap.tick, snap.time_s));
        let tools = tool_facts(snap, &self.infos, &mut self.before);
        if self.ground.access.is_none() {
            let base = snap.rods.first().and_then(|r| r.nodes_mm.first());
            self.ground.access = base.and_then(|p| self.tree.tree.nearest(p)).map(|(place, _)| place.vessel);
            if self.ground.access.is_some() {
                self.ground.allow(&self.tree);
            }
        }
        let tree = std::mem::take(&mut self.tree);
        let facts = Facts { snap, events, dt_s, tools, tree: &tree, beam_on: is_beam_on(snap) };
        for flow in &mut self.ground.flows {
            flow.observe(&facts);
        }
        for e in events {
            if let EventKind::Inflated { stretches, .. } = &e.kind {
                self.ground.dilated.extend(stretches);
            }
        }
        self.dose.observe(&facts);
        self.follow_steps(&facts);
        self.follow_traps(&facts);
        self.follow_triggers(&facts);
        self.detect(&facts);
        self.tally.observe(&facts, &self.ground);
        self.tally.beam_moving_s = self.dose.moving_s;
        self.follow_visits(&facts);
        self.follow_beds(&facts);
        self.note_events(&facts);
        if snap.tick.is_multiple_of(TICKS_PER_SAMPLE) {
            self.samples.push(Sample::of(snap, self.tally.target_flow_ml_per_s()));
        }
        self.tree = tree;
    }

    /// Samples of every tenth of a second, for curves and CSV.
    pub fn telemetry(&self) -> &[Sample] {
        &self.samples
    }

    /// Vessels that the case wants treated.
    pub fn targets(&self) -> &[VesselId] {
        &self.ground.targets
    }

    /// Errors so far, in order of time.
    pub fn errors(&self) -> &[ErrorRecord] {
        &self.errors
    }

    /// The steps that are open and not done, in the order of the case: indices into its `steps`.
    pub fn open_steps(&self) -> Vec<usize> {
        let open = |s: &StepState| s.open && s.done.is_none();
        self.steps.iter().enumerate().filter(|(_, s)| open(s)).map(|(i, _)| i).collect()
    }

    fn is_done(&self, id: &str) -> bool {
        let i = self.case.steps.iter().position(|s| s.id == id);
        i.is_some_and(|i| self.steps[i].done.is_some())
    }

    fn follow_steps(&mut self, f: &Facts<'_>) {
        for i in 0..self.steps.len() {
            if self.steps[i].done.is_some() {
                continue;
            }
            let open = self.case.steps[i].after.iter().all(|id| self.is_done(id));
            let mut watch = std::mem::replace(&mut self.steps[i].watch, Watch::Never);
            let holds = watch.observe(f, &|id| self.is_done(id));
            self.steps[i].watch = watch;
            self.steps[i].open = open;
            if holds && open {
                self.steps[i].done = Some((f.snap.tick, f.snap.time_s));
                let label = self.case.steps[i].title.clone();
                self.dose.end_manoeuvre(&label);
                self.note(f, MomentKind::Step, label);
            }
        }
    }

    fn follow_traps(&mut self, f: &Facts<'_>) {
        for i in 0..self.traps.len() {
            if self.traps[i].sprung_s.is_some() {
                continue;
            }
            let mut watch = std::mem::replace(&mut self.traps[i].watch, Watch::Never);
            let holds = watch.observe(f, &|id| self.is_done(id));
            self.traps[i].watch = watch;
            if holds {
                self.traps[i].sprung_s = Some(f.snap.time_s);
                let trap = &self.case.traps[i];
                let tip = f.farthest();
                let found = Found {
                    place: tip.and_then(|t| t.place),
                    position_mm: tip.map(|t| t.tip_mm),
                    cause: trap.say.clone(),
                    tool: None,
                };
                let (id, grade, instead) = (trap.id.clone(), trap.grade, trap.instead.clone());
                let title = trap.say.clone();
                self.record(f, id, title, grade, instead, found);
            }
        }
    }

    fn follow_triggers(&mut self, f: &Facts<'_>) {
        for i in 0..self.triggers.len() {
            let Some(mut watch) = self.triggers[i].take() else { continue };
            if watch.observe(f, &|id| self.is_done(id)) {
                self.due.push(self.case.events[i].id.clone());
            } else {
                self.triggers[i] = Some(watch);
            }
        }
    }

    /// Commands for case events whose condition has come since the last call. Whoever plays live submits them, so that a
    /// recording holds them; a replay must not.
    pub fn take_due_events(&mut self) -> Vec<Command> {
        self.due.drain(..).map(Command::FireEvent).collect()
    }

    fn detect(&mut self, f: &Facts<'_>) {
        let mut found = Vec::new();
        for (i, spec) in ERRORS.iter().enumerate() {
            (spec.detect)(f, &self.ground, &mut self.slots[i], &mut found);
            for one in found.drain(..) {
                self.tally.wrong_entries += u32::from(spec.name == "wrong_vessel");
                let (name, title) = (spec.name.to_owned(), spec.title.to_owned());
                self.record(f, name, title, spec.grade, spec.instead.to_owned(), one);
            }
        }
    }

    fn record(
        &mut self,
        f: &Facts<'_>,
        name: String,
        title: String,
        grade: Grade,
        instead: String,
        found: Found,
    ) {
        let tool = found.tool.and_then(|t| self.infos.get(t.idx()));
        let cause = tool.map_or_else(|| found.cause.clone(), |t| format!("{} ({})", found.cause, t.label));
        self.note(f, MomentKind::Error, title.clone());
        self.tally.errors += 1;
        let points = self.points_of(grade);
        self.errors.push(ErrorRecord {
            name,
            title,
            grade,
            points,
            time_s: f.snap.time_s,
            tick: f.snap.tick,
            place: found.place,
            place_label: f.tree.label(found.place),
            position_mm: found.position_mm.or_else(|| f.tree.position(found.place)),
            cause,
            instead,
        });
    }

    fn points_of(&self, grade: Grade) -> f64 {
        match grade {
            Grade::Slip => self.case.score.slip,
            Grade::Mistake => self.case.score.mistake,
            Grade::Blunder => self.case.score.blunder,
        }
    }

    fn note(&mut self, f: &Facts<'_>, kind: MomentKind, label: String) {
        self.moments.push(KeyMoment { tick: f.snap.tick, time_s: f.snap.time_s, kind, label });
    }

    fn follow_visits(&mut self, f: &Facts<'_>) {
        let place: Option<VesselPlace> = f.farthest().and_then(|t| t.place);
        if let Some(p) = place
            && let Some(visit) = self.visits.get_mut(p.vessel.idx())
        {
            visit.entries += u32::from(self.lying_in != Some(p.vessel));
            visit.seconds += f.dt_s;
        }
        self.lying_in = place.map(|p| p.vessel);
    }

    fn follow_beds(&mut self, f: &Facts<'_>) {
        let lodged = |b: &crate::sim::snapshot::BedView| b.lodged.iter().map(|(_, n)| n).sum::<f64>();
        // Beds change slowly; once a second, and at once when something first lodges, is enough.
        let first = f.events.iter().any(|e| matches!(e.kind, EventKind::Lodged { .. } | EventKind::Finished));
        if !first && !f.snap.tick.is_multiple_of(crate::units::TICKS_PER_S) {
            return;
        }
        let all: f64 = f.snap.beds.iter().map(lodged).sum();
        if all <= 0.0 {
            return;
        }
        self.embolic.clear();
        for bed in &f.snap.beds {
            let n = lodged(bed);
            self.embolic.push(BedShare {
                bed: bed.name.clone(),
                target: is_fed_by(f.tree, &bed.vessels, &self.ground.targets),
                particles: n,
                share_pct: 100.0 * n / all,
                occluded_pct: 100.0 * bed.occluded_share,
            });
        }
    }

    fn label_of(&self, tool: ToolId) -> String {
        self.infos.get(tool.idx()).map_or_else(|| format!("device {}", tool.0), |i| i.label.clone())
    }

    fn note_events(&mut self, f: &Facts<'_>) {
        for e in f.events {
            let (kind, label) = match &e.kind {
                EventKind::Loaded(tool) => (MomentKind::Device, format!("Entered: {}", self.label_of(*tool))),
                EventKind::Unloaded(tool) => {
                    (MomentKind::Device, format!("Taken off: {}", self.label_of(*tool)))
                }
                EventKind::RunEnded { run, contrast_ml, at } => {
                    let place = f.tree.label(*at);
                    (MomentKind::Run, format!("Run {run}: {contrast_ml:.1} mL at {place}"))
                }
                EventKind::InjectionStarted { tool, fluid, .. } if self.ground.embolics.contains(fluid) => {
                    (MomentKind::Treatment, format!("Embolic through the {}", self.label_of(*tool)))
                }
                EventKind::Lodged { bed, agent } => {
                    let name = f.snap.beds.get(*bed as usize).map_or("a bed", |b| b.name.as_str());
                    (MomentKind::Treatment, format!("First particles of {agent} lodge: {name}"))
                }
                EventKind::Said(text) => (MomentKind::Patient, text.clone()),
                EventKind::DoseAlert { quantity, level, .. } => {
                    (MomentKind::Patient, format!("Dose alert: {quantity:?} {level:.0}"))
                }
                EventKind::Given { drug, dose } => (MomentKind::Patient, format!("Given: {drug} {dose}")),
                EventKind::Finished => {
                    self.finished = true;
                    (MomentKind::Step, "Finished".to_owned())
                }
                _ => continue,
            };
            self.note(f, kind, label);
        }
    }

    /// What the attempt amounts to so far: a pure function of the ticks seen.
    pub fn assessment(&self) -> Assessment {
        let (tick, time_s) = self.last.unwrap_or_default();
        let metric = |spec: &super::metrics::MetricSpec| Metric {
            name: spec.name.to_owned(),
            unit: spec.unit.to_owned(),
            formula: spec.formula.to_owned(),
            value: (spec.value)(&self.tally),
        };
        let metrics: Vec<Metric> = METRICS.iter().map(metric).collect();
        let steps = self.step_results();
        let traps = self.trap_results();
        let score = super::score::score(&self.case, &steps, &traps, &self.errors, &metrics);
        Assessment {
            case: self.case.id.clone(),
            title: self.case.title.clone(),
            tick,
            time_s,
            finished: self.finished,
            score,
            steps,
            traps,
            errors: self.errors.clone(),
            metrics,
            moments: self.moments.clone(),
            visits: self.visit_results(),
            embolic: self.embolic.clone(),
            hints_used: self.tally.hints,
            dose: self.dose.report(),
        }
    }

    fn step_results(&self) -> Vec<StepResult> {
        let pairs = self.case.steps.iter().zip(&self.steps);
        let result = |(case, state): (&crate::scenario::Step, &StepState)| StepResult {
            id: case.id.clone(),
            title: case.title.clone(),
            points: case.points,
            optional: case.optional,
            open: state.open,
            done_s: state.done.map(|(_, s)| s),
            done_tick: state.done.map(|(tick, _)| tick),
        };
        pairs.map(result).collect()
    }

    fn trap_results(&self) -> Vec<TrapResult> {
        let pairs = self.case.traps.iter().zip(&self.traps);
        let result = |(case, state): (&crate::scenario::Trap, &TrapState)| TrapResult {
            id: case.id.clone(),
            grade: case.grade,
            fails: case.fails,
            time_s: state.sprung_s,
        };
        pairs.map(result).collect()
    }

    fn visit_results(&self) -> Vec<VesselVisit> {
        let mut out = Vec::new();
        for (i, (branch, visit)) in self.tree.tree.branches.iter().zip(&self.visits).enumerate() {
            if visit.entries == 0 {
                continue;
            }
            out.push(VesselVisit {
                vessel: branch.name.clone(),
                label: branch.label.clone(),
                index: i as u32,
                entries: visit.entries,
                seconds: visit.seconds,
                on_route: self.ground.is_allowed(VesselId(i as u32)),
            });
        }
        out
    }
}
