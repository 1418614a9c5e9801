//! The table of errors: one entry each, with its detector, words and advice.

use super::condition::FlowWatch;
use super::detect;
use super::detect_dilation;
use super::detect_implants;
use super::facts::{Facts, ToolFacts, TreeFacts};
use crate::anatomy::{VesselId, VesselPlace};
use crate::math::Vec3;
use crate::scenario::Grade;
use crate::sim::command::ToolId;

/// A trunk in which a wire may be anchored has at least this radius, mm.
const TRUNK_RADIUS_MM: f64 = 3.0;
/// Origins nearer than this belong to one bifurcation, mm.
const SAME_BIFURCATION_MM: f64 = 10.0;

/// What detectors know besides the tick.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ground {
    /// Vessels to be treated.
    pub targets: Vec<VesselId>,
    /// Organ of which a step wants a share without blood.
    pub organ: Option<String>,
    /// Vessels in which a step wants a tip.
    pub waypoints: Vec<VesselId>,
    /// Mean flow in each target.
    pub flows: Vec<FlowWatch>,
    /// Vessel of the access; known when the first rod is seen.
    pub access: Option<VesselId>,
    /// Per vessel: may the tip be there; empty before the access is known.
    pub allowed: Vec<bool>,
    /// Alert, mGy.
    pub dose_alert_mgy: f64,
    /// Limit, mL.
    pub contrast_limit_ml: f64,
    /// Ids of embolics: what the tray offers and is not a device.
    pub embolics: Vec<String>,
    /// Stretches of vessel that balloons were inflated in: branch, from, to, mm.
    pub dilated: Vec<(VesselId, f64, f64)>,
}

impl Ground {
    /// May a tip be here: on the way from access to a target or waypoint, beyond a target, or in the trunk beside the way.
    pub(super) fn is_allowed(&self, v: VesselId) -> bool {
        self.allowed.get(v.idx()).copied().unwrap_or(true)
    }

    /// Works out where a tip may be, once the access is known. Without a target every vessel is allowed.
    pub(super) fn allow(&mut self, tree: &TreeFacts) {
        let n = tree.tree.branches.len() as u32;
        let is_on_way = |v: VesselId| {
            self.targets.iter().any(|t| tree.is_on_route(v, *t) || tree.is_within(v, *t))
                || self.waypoints.iter().any(|w| tree.is_on_route(v, *w))
                || self.access.is_some_and(|a| tree.is_on_route(v, a))
        };
        let way: Vec<bool> = (0..n).map(|v| self.targets.is_empty() || is_on_way(VesselId(v))).collect();
        // Parents come before children, so one pass follows a trunk to its end.
        self.allowed.clone_from(&way);
        for v in (0..n).map(VesselId) {
            let is_trunk = is_trunk_beside(tree, v, &way, &self.allowed);
            self.allowed[v.idx()] |= is_trunk;
        }
    }

    pub(super) fn is_embolic(&self, fluid: &str) -> bool {
        self.embolics.iter().any(|e| e == fluid)
    }

    pub(super) fn is_injecting_embolic(&self, f: &Facts<'_>) -> bool {
        f.snap.injection.flow_ml_per_s > 0.0 && self.is_embolic(&f.snap.injection.syringe)
    }

    /// Is a place in a target or beyond it, or in a vessel that feeds nothing but targets.
    pub(super) fn is_at_target(&self, f: &Facts<'_>, place: Option<VesselPlace>) -> bool {
        let in_target = |v: VesselId| self.targets.iter().any(|t| f.tree.is_within(v, *t));
        place.is_some_and(|p| in_target(p.vessel) || f.tree.feeds_only(p.vessel, in_target))
    }
}

/// Is `v` a trunk in which a wire is rightly anchored: it parts from the way where the way turns off into a smaller
/// vessel (the external iliac beside the internal one), or continues such a trunk.
fn is_trunk_beside(tree: &TreeFacts, v: VesselId, way: &[bool], allowed: &[bool]) -> bool {
    let branches = &tree.tree.branches;
    let Some(origin) = branches[v.idx()].origin else { return false };
    let radius_mm = tree.radius_mm(v);
    if radius_mm < TRUNK_RADIUS_MM || !allowed[origin.vessel.idx()] {
        return false;
    }
    if !way[origin.vessel.idx()] {
        return origin.arc_mm > branches[origin.vessel.idx()].length_mm() - SAME_BIFURCATION_MM;
    }
    let beside = |(i, b): (usize, &crate::anatomy::Branch)| {
        way[i]
            && b.origin.is_some_and(|o| {
                o.vessel == origin.vessel && (o.arc_mm - origin.arc_mm).abs() < SAME_BIFURCATION_MM
            })
            && tree.radius_mm(VesselId(i as u32)) <= radius_mm
    };
    branches.iter().enumerate().any(beside)
}

/// Memory of one detector.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    amounts: Vec<f64>,
    latches: Vec<bool>,
}

impl Slot {
    pub(super) fn amount(&mut self, i: usize) -> &mut f64 {
        if self.amounts.len() <= i {
            self.amounts.resize(i + 1, 0.0);
        }
        &mut self.amounts[i]
    }

    pub(super) fn latch(&mut self, i: usize) -> &mut bool {
        if self.latches.len() <= i {
            self.latches.resize(i + 1, false);
        }
        &mut self.latches[i]
    }

    /// True once when `held` has been true for longer than `for_s`; armed again when it turns false.
    pub(super) fn held(&mut self, i: usize, held: bool, dt_s: f64, for_s: f64) -> bool {
        let t = self.amount(i);
        *t = if held { *t + dt_s } else { 0.0 };
        let over = *t > for_s;
        let fresh = over && !*self.latch(i);
        *self.latch(i) = over;
        fresh
    }

    /// True once in a case when `held` has been true for longer than `for_s` in total.
    pub(super) fn in_total(&mut self, i: usize, held: bool, dt_s: f64, for_s: f64) -> bool {
        if held {
            *self.amount(i) += dt_s;
        }
        let fresh = *self.amount(i) > for_s && !*self.latch(i);
        *self.latch(i) |= fresh;
        fresh
    }
}

/// What a detector found.
pub(super) struct Found {
    pub place: Option<VesselPlace>,
    pub position_mm: Option<Vec3>,
    pub cause: String,
    pub tool: Option<ToolId>,
}

impl Found {
    pub(super) fn new(cause: String) -> Self {
        Self { place: None, position_mm: None, cause, tool: None }
    }

    pub(super) fn at_tool(t: &ToolFacts, cause: String) -> Self {
        Self { place: t.place, position_mm: Some(t.tip_mm), cause, tool: Some(t.tool) }
    }

    pub(super) fn at_place(place: VesselPlace, cause: String) -> Self {
        Self { place: Some(place), position_mm: None, cause, tool: None }
    }
}

type Detector = fn(&Facts<'_>, &Ground, &mut Slot, &mut Vec<Found>);

/// An entry of the table.
pub struct ErrorSpec {
    /// Name in files.
    pub name: &'static str,
    /// Title in reports.
    pub title: &'static str,
    /// How bad unless the case says otherwise.
    pub grade: Grade,
    /// What to do instead.
    pub instead: &'static str,
    pub(super) detect: Detector,
}

const fn entry(
    name: &'static str,
    title: &'static str,
    grade: Grade,
    detect: Detector,
    instead: &'static str,
) -> ErrorSpec {
    ErrorSpec { name, title, grade, instead, detect }
}

/// All errors of the general table.
#[rustfmt::skip]
pub const ERRORS: &[ErrorSpec] = &[
    entry("catheter_without_wire", "Catheter advanced without a wire ahead", Grade::Mistake, detect::catheter_without_wire,
        "Lead with the wire: pass it beyond the catheter tip first, then advance the catheter over it."),
    entry("moved_without_beam", "Device moved while the pedal was off", Grade::Slip, detect::moved_without_beam,
        "Step on the pedal before moving a tip that is free in a vessel, and look at the tip."),
    entry("tip_out_of_field", "Tip out of the field while moving", Grade::Slip, detect::tip_out_of_field,
        "Pan the table or open the blades so that the moving tip stays in the picture."),
    entry("tip_force_high", "Tip pressed against the wall", Grade::Slip, detect::tip_force_high,
        "Stop when the tip buckles or stays: withdraw a little, turn, and try again without pushing."),
    entry("tip_force_dangerous", "Tip force that can perforate", Grade::Mistake, detect::tip_force_dangerous,
        "Never push against resistance: pull back until the tip springs free."),
    entry("hub_force_high", "Pushed or pulled hard at the hub", Grade::Slip, detect::hub_force_high,
        "Look for a loop or a sharp bend along the shaft and take it out before going on."),
    entry("perforation", "Vessel perforated", Grade::Blunder, detect::perforation,
        "Keep the tip in view and free; when it bleeds, leave the device in place and seal or embolize."),
    entry("dissection", "Vessel wall dissected", Grade::Blunder, detect::dissection,
        "Do not push or inject with the tip against the wall; check back flow before each injection."),
    entry("spasm", "Vessel spasm provoked", Grade::Slip, detect::spasm,
        "Use a smaller device in small vessels and move gently; give nitroglycerin and wait."),
    entry("wrong_vessel", "Wrong vessel entered and not left", Grade::Slip, detect::wrong_vessel,
        "Check the tip against the roadmap at each ostium; withdraw at once when it leaves the way."),
    entry("wrong_vessel_long", "Stayed long in a wrong vessel", Grade::Mistake, detect::wrong_vessel_long,
        "When in doubt, give a puff of contrast, recognize the vessel and come back."),
    entry("wire_position_lost", "Exchange lost the wire position", Grade::Mistake, detect::wire_position_lost,
        "During an exchange fix the wire: withdraw the catheter as fast as the wire is fed, and watch the wire tip."),
    entry("wedged_injection", "Injection while wedged", Grade::Mistake, detect::wedged_injection,
        "Check for back flow before injecting; withdraw the tip until blood flows past it."),
    entry("pressure_limited", "Injector held back by its pressure limit", Grade::Slip, detect::pressure_limited,
        "Program a rate that the catheter can carry; microcatheters take small rates by hand."),
    entry("air_injected", "Air injected", Grade::Blunder, detect::air_injected,
        "Aspirate and flush the lumen each time a wire has left it, before anything is injected."),
    entry("embolic_reflux", "Embolic flowed back past the origin", Grade::Blunder, detect::embolic_reflux,
        "Give small puffs below the speed of the flow, and stop when the column slows."),
    entry("nontarget_embolization", "Embolic in a territory that is not the target", Grade::Blunder, detect::nontarget,
        "Place the tip in the branch to be closed, check by a test injection, and stop at near stasis."),
    entry("embolic_off_target", "Embolic given outside the target vessel", Grade::Blunder, detect::embolic_off_target,
        "Bring the (micro)catheter into the bleeding branch before any embolic is given."),
    entry("embolic_without_test", "Embolic given without a test injection", Grade::Mistake, detect::embolic_without_test,
        "Inject contrast from the final position first: it shows the territory and the flow."),
    entry("embolic_blind", "Embolic given with the beam off", Grade::Mistake, detect::embolic_blind,
        "Watch every puff of embolic under fluoroscopy: reflux is seen, not felt."),
    entry("embolic_after_stasis", "Embolic given after stasis", Grade::Mistake, detect::embolic_after_stasis,
        "Stop at near stasis (the column clears in five beats or more): what follows flows back."),
    entry("embolic_in_spasm", "Embolic given into a vessel in spasm", Grade::Mistake, detect_implants::embolic_in_spasm,
        "Spasm looks like stasis: give nitroglycerin, wait a minute, look at the flow again, then embolize."),
    entry("coil_undersized", "Coil narrower than its vessel", Grade::Mistake, detect_implants::undersized,
        "Choose a coil about 20 % wider than the vessel: a narrower one is washed on."),
    entry("coil_oversized", "Coil far too wide for its vessel", Grade::Slip, detect_implants::oversized,
        "Choose a coil about 20 % wider than the vessel: a far wider one stays stretched and reaches back into the parent."),
    entry("coil_off_target", "Coil left outside the target vessel", Grade::Blunder, detect_implants::off_target,
        "Check the tip with contrast before the coil is pushed, and hold the catheter while it forms."),
    entry("coil_migrated", "Coil washed away", Grade::Mistake, detect_implants::migration,
        "Anchor the first coil with one that holds; a lost coil is caught with a snare."),
    entry("coil_lost", "Coil lost in another vessel", Grade::Blunder, detect_implants::lost,
        "Take it out with a snare before it is covered with clot."),
    entry("coil_protrudes", "Coil reaches into the parent vessel", Grade::Mistake, detect_implants::protrusion,
        "Begin deeper, choose a shorter coil for the end, and stop while the catheter still points into the branch."),
    entry("infarct_too_large", "More of the organ lost than it bears", Grade::Blunder, detect_implants::infarct_of_target,
        "Embolize in steps with a run after each, and stop before the limit: the rest can be done another day."),
    entry("infarct_elsewhere", "An organ lost its blood", Grade::Blunder, detect_implants::infarct_elsewhere,
        "Know what else the vessel feeds before it is closed, and keep one supply open."),
    entry("no_heparin", "Balloon without enough heparin", Grade::Mistake, detect_dilation::no_heparin,
        "Give heparin before the lesion is crossed, wait, and measure the clotting time before the balloon goes up."),
    entry("no_atropine", "Carotid sinus stretched without atropine", Grade::Mistake, detect_dilation::no_atropine,
        "Give atropine half a minute before the balloon goes up at the carotid bifurcation, and watch the pulse."),
    entry("no_filter", "Carotid artery dilated without a filter", Grade::Blunder, detect_dilation::no_filter,
        "Open a filter two to three centimeters beyond the lesion before anything is dilated."),
    entry("filter_spilled", "Debris lost from a full filter", Grade::Mistake, detect_dilation::filter_spilled,
        "When the flow stops with the filter up, aspirate the standing blood before the filter is closed."),
    entry("balloon_oversized", "Balloon too wide for its vessel", Grade::Mistake, detect_dilation::oversized,
        "Measure the healthy vessel beside the lesion and choose the balloon of that size."),
    entry("balloon_over_rated", "Balloon above its rated pressure", Grade::Slip, detect_dilation::over_rated,
        "Stay below the rated burst pressure: a waist that stays needs a non-compliant balloon or time."),
    entry("balloon_burst", "Balloon burst", Grade::Mistake, detect_dilation::burst,
        "Draw it down, take it out over the wire, and look at the vessel; calcium bursts balloons below their limit."),
    entry("rupture", "Vessel ruptured", Grade::Blunder, detect_dilation::rupture,
        "Pain is the warning: stop. Put the balloon up again at low pressure in the hole, then a covered stent over it."),
    entry("flap_left", "Dissection left uncovered", Grade::Mistake, detect_dilation::flap_left,
        "Hold the balloon up for three minutes at low pressure, or cover the flap with a stent."),
    entry("geographic_miss", "End of the lesion not covered", Grade::Mistake, detect_dilation::geographic_miss,
        "Mark both ends of the lesion on the roadmap and let the balloon or stent reach 2 to 3 mm beyond each."),
    entry("ostium_missed", "Mouth of the vessel not covered", Grade::Mistake, detect_dilation::ostium_missed,
        "Open the mouth in profile and let the stent stand 1 to 2 mm into the parent."),
    entry("stent_in_parent", "Stent far in the parent vessel", Grade::Mistake, detect_dilation::stent_in_parent,
        "Open the mouth in profile: 1 to 2 mm in the parent are enough, more cannot be passed again."),
    entry("stent_lost", "Stent lost", Grade::Blunder, detect_dilation::stent_lost,
        "Choose a stent that holds to the wall; never draw a crimped stent back into a catheter."),
    entry("branch_jailed", "Stent over the mouth of a branch", Grade::Slip, detect_dilation::branch_jailed,
        "Stop short of the branch where the lesion allows it."),
    entry("branch_closed", "Covered stent closes a branch", Grade::Blunder, detect_dilation::branch_closed,
        "Look at what leaves the vessel before a membrane is laid over it."),
    entry("stent_across_joint", "Stent across a joint", Grade::Slip, detect_dilation::across_joint,
        "A stent breaks where the limb bends: end above, or stay with the balloon."),
    entry("wire_lost_lesion", "Wire lost across the treated lesion", Grade::Mistake, detect_dilation::wire_lost,
        "Keep the wire across the lesion until a run has shown that nothing more is to be done."),
    entry("debris_lodged", "Debris lodged downstream", Grade::Mistake, detect_dilation::debris_lodged,
        "Cross gently, dilate once, use a filter where the tissue beyond cannot bear debris; aspirate what has lodged."),
    entry("beam_idle", "Beam on while nothing moves", Grade::Slip, detect::beam_idle,
        "Take the foot off the pedal to think: the last picture is held."),
    entry("open_blades", "Screening without collimation", Grade::Slip, detect::open_blades,
        "Close the blades around the working area: less dose, less scatter, a better picture."),
    entry("steep_oblique", "Steep angle held", Grade::Slip, detect::steep_oblique,
        "Use steep angles for a run, not for screening: the thicker body costs dose."),
    entry("zoom_held", "Screening in the smallest field", Grade::Slip, detect::zoom_held,
        "Magnify for the fine step and go back to a larger field after it."),
    entry("fast_pulses", "High pulse rate", Grade::Slip, detect::fast_pulses,
        "7.5 pulses per second or fewer suffice here."),
    entry("dose_alert_unheeded", "Dose alert unheeded", Grade::Mistake, detect::dose_alert_unheeded,
        "At the alert decide: change the angle, collimate, lower the rate, or stop."),
    entry("contrast_limit", "Contrast above the limit", Grade::Mistake, detect::contrast_limit,
        "Plan the runs; use dilute puffs and the roadmap instead of repeated full runs."),
];
