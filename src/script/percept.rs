//! What a scripted operator perceives: the flat picture, the hubs, the monitors.
//!
//! Picture coordinates are mm in the plane through the isocenter, right and up on the screen, counted from the
//! patient's origin: panning the table leaves them in place up to parallax, turning the arm makes old ones useless.

use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::sim::command::Pedal;
use crate::sim::dilation::StentPhase;
use crate::sim::snapshot::{RodDeviceView, RodView, Snapshot};
use crate::xray::CArm;
use crate::xray::geometry::SOURCE_ISOCENTER_MM;

/// A vessel is seen in a run where its contrast exceeds this, as iodine along the ray, mg/mL x mm.
const VISIBLE_IODINE_MG_PER_ML_MM: f64 = 15.0;
/// The eye follows a device back from its tip over this length, mm.
const TRACK_MM: f64 = 120.0;
/// Angles within this make two pictures comparable, degrees.
const SAME_VIEW_DEG: f64 = 1.0;
/// Length of the bent end of a wire or microcatheter, and where behind its tip lies the stretch that tells the axis, mm.
const WIRE_BEND_MM: [f64; 3] = [5.0, 5.0, 12.5];
/// The same of a catheter: behind its curves.
const CATHETER_BEND_MM: [f64; 3] = [10.0, 30.0, 60.0];
/// Contrast this far up from the origin of the tip's vessel is noticed as reflux, mm.
const REFLUX_SEEN_MM: f64 = 5.0;

/// A point of the picture, mm: right, up.
pub type Point2 = [f64; 2];

/// A device as it was last seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeenTool {
    /// Polyline backwards from the tip, or from the farthest point inside the picture; about 120 mm of it.
    pub track: Vec<Point2>,
    /// The tip itself is inside the picture.
    pub tip_visible: bool,
    /// When, s.
    pub time_s: f64,
}

impl SeenTool {
    /// The tip, or the farthest point seen.
    pub fn tip(&self) -> Point2 {
        self.track.first().copied().unwrap_or_default()
    }

    /// Direction of the last stretch of this length, degrees from screen right towards up; `None` when foreshortened to
    /// under a fifth.
    pub fn direction_deg(&self, over_mm: f64) -> Option<f64> {
        let tip = self.tip();
        let back = point_behind(&self.track, over_mm)?;
        let d = [tip[0] - back[0], tip[1] - back[1]];
        (d[0].hypot(d[1]) > 0.2 * over_mm).then(|| d[1].atan2(d[0]).to_degrees())
    }
}

fn point_behind(track: &[Point2], over_mm: f64) -> Option<Point2> {
    let mut left = over_mm;
    for w in track.windows(2) {
        let d = distance(w[0], w[1]);
        if d >= left && d > 0.0 {
            let t = left / d;
            return Some([w[0][0] + t * (w[1][0] - w[0][0]), w[0][1] + t * (w[1][1] - w[0][1])]);
        }
        left -= d;
    }
    track.last().copied().filter(|_| track.len() > 1)
}

/// Distance of two points of the picture, mm.
pub(super) fn distance(a: Point2, b: Point2) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// How a device lies in depth, which one flat picture hides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lie {
    /// Place of the tip in the vessels.
    pub place: Option<VesselPlace>,
    /// Tip, patient frame, mm.
    pub tip_mm: Vec3,
    /// Direction of the stretch behind its curves, unit length.
    pub axis: Vec3,
    /// What of the direction of the end is across that.
    pub bend: Vec3,
}

/// A device at the hub.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolPercept {
    /// In a rod.
    pub loaded: bool,
    /// Length from the introducer by the scale at the hub, mm.
    pub inserted_mm: f64,
    /// How far the device (or sheath) around it reaches, mm: shorter than this, its tip is in that lumen.
    pub around_mm: f64,
    /// Hub angle, degrees.
    pub hub_angle_deg: f64,
    /// Axial force at the hub, N.
    pub hub_force_n: f64,
    /// Length of the coil or plug on it, mm; 0 without one.
    pub implant_mm: f64,
    /// That stays joined to it until it is detached.
    pub is_detachable: bool,
    /// It has left that behind.
    pub has_shed: bool,
    /// Gauge of its inflator, atm; none before it was used.
    pub gauge_atm: Option<f64>,
    /// Its balloon is down and flat.
    pub is_flat: bool,
    /// Its stent is off.
    pub stent_is_off: bool,
    /// As last seen; `None` if never.
    pub seen: Option<SeenTool>,
    /// How it lay in depth when last seen.
    pub lie: Option<Lie>,
}

impl ToolPercept {
    /// How deep the tip lies in the lumen around it, mm; negative when it has come out.
    pub fn covered_mm(&self) -> f64 {
        self.around_mm - self.inserted_mm
    }
}

/// A vessel of the last run: the stretch that contrast filled, projected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Which.
    pub vessel: u32,
    /// Centerline from its origin on.
    pub points: Vec<Point2>,
    /// Half width, mm, at each point.
    pub half_width_mm: Vec<f64>,
}

impl Course {
    /// Length, mm.
    pub fn length_mm(&self) -> f64 {
        self.points.windows(2).map(|w| distance(w[0], w[1])).sum()
    }

    /// The nearest place: distance from the centerline, length from the origin, half width there, mm.
    pub fn nearest(&self, p: Point2) -> (f64, f64, f64) {
        let mut best = (f64::INFINITY, 0.0, 0.0);
        let mut along = 0.0;
        for (i, w) in self.points.windows(2).enumerate() {
            let d = [w[1][0] - w[0][0], w[1][1] - w[0][1]];
            let len = d[0].hypot(d[1]);
            let dot = (p[0] - w[0][0]) * d[0] + (p[1] - w[0][1]) * d[1];
            let t = (dot / (len * len).max(1e-12)).clamp(0.0, 1.0);
            let off = distance(p, [w[0][0] + t * d[0], w[0][1] + t * d[1]]);
            if off < best.0 {
                let width = self.half_width_mm[i] + t * (self.half_width_mm[i + 1] - self.half_width_mm[i]);
                best = (off, along + t * len, width);
            }
            along += len;
        }
        best
    }

    /// Point at a length from the origin (clamped).
    pub fn at(&self, along_mm: f64) -> Point2 {
        let mut left = along_mm.max(0.0);
        for w in self.points.windows(2) {
            let d = distance(w[0], w[1]);
            if left <= d && d > 0.0 {
                let t = left / d;
                return [w[0][0] + t * (w[1][0] - w[0][0]), w[0][1] + t * (w[1][1] - w[0][1])];
            }
            left -= d;
        }
        self.points.last().copied().unwrap_or_default()
    }
}

/// Everything that the operator perceives now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Percept {
    /// Time, s.
    pub time_s: f64,
    /// Devices in tray order.
    pub tools: Vec<ToolPercept>,
    /// Vessels of the last run, empty before the first or after the arm has turned away from its angles.
    pub roadmap: Vec<Course>,
    /// A picture came in with this tick.
    pub fresh: bool,
    /// The pedal.
    pub pedal: Pedal,
    /// Fluid leaves the tip now, mL/s.
    pub injecting_ml_per_s: f64,
    /// Left in the syringe, mL.
    pub syringe_ml: f64,
    /// Embolic given so far, mL.
    pub embolic_given_ml: f64,
    /// Heart beats that the contrast column at the tip is seen to need.
    pub beats_to_clear: f64,
    /// Contrast is seen flowing back beyond the origin of the vessel that the tip is in.
    pub reflux_seen: bool,
    /// Mean arterial pressure, mmHg.
    pub mean_mmhg: f64,
    /// Heart rate, 1/min.
    pub heart_rate_bpm: f64,
    /// The arm or table still moves.
    pub arm_moves: bool,
    /// Angles, table and field as the room's display shows them.
    pub arm: CArm,
}

impl Percept {
    /// The course of a vessel in the roadmap.
    pub fn course(&self, v: VesselId) -> Option<&Course> {
        self.roadmap.iter().find(|c| c.vessel == v.0)
    }
}

/// Turns snapshots into percepts; remembers what was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Eye {
    tree: VesselTree,
    percept: Percept,
    /// Farthest point seen filled in the present run, per vessel, mm of arc length; `None` if not filled.
    filled_mm: Vec<Option<f64>>,
    run_view: Option<CArm>,
    map_view: Option<CArm>,
    map: Vec<Course>,
    is_map_shown: bool,
    last_arm: Option<CArm>,
}

impl Eye {
    /// An eye that knows the names of the vessels of a tree.
    pub fn new(tree: &VesselTree) -> Self {
        Self {
            tree: tree.clone(),
            percept: Percept::default(),
            filled_mm: vec![None; tree.branches.len()],
            run_view: None,
            map_view: None,
            map: Vec::new(),
            is_map_shown: false,
            last_arm: None,
        }
    }

    /// The vessels' names and order, which an operator knows by heart.
    pub(super) fn tree(&self) -> &VesselTree {
        &self.tree
    }

    /// What is perceived.
    pub fn percept(&self) -> &Percept {
        &self.percept
    }

    /// Looks at one tick; `picture` is false when no new picture has been shown.
    pub fn look(&mut self, snap: &Snapshot, picture: bool) {
        let arm = snap.xray.arm;
        let beam = snap.xray.pedal != Pedal::Off && picture;
        let p = &mut self.percept;
        p.time_s = snap.time_s;
        p.fresh = beam;
        p.pedal = snap.xray.pedal;
        p.injecting_ml_per_s = snap.injection.flow_ml_per_s;
        p.syringe_ml = snap.injection.syringe_ml;
        p.embolic_given_ml = snap.injection.embolic_given_ml;
        p.mean_mmhg = snap.patient.mean_mmhg;
        p.heart_rate_bpm = snap.patient.heart_rate_bpm;
        p.arm = arm;
        p.arm_moves = self.last_arm.is_some_and(|a| a != arm);
        p.tools.resize(snap.tools.len(), ToolPercept::default());
        for (t, info) in p.tools.iter_mut().zip(&snap.tools) {
            t.loaded = false;
            t.implant_mm = info.implant_mm;
            t.is_detachable = info.is_detachable;
        }
        perceive_balloons(p, snap);
        for rod in &snap.rods {
            let mut around_mm = 0.0_f64;
            for d in &rod.devices {
                let outer_mm = around_mm;
                around_mm = around_mm.max(d.inserted_mm);
                let Some(t) = p.tools.get_mut(d.tool.idx()) else { continue };
                t.loaded = true;
                t.inserted_mm = d.inserted_mm;
                t.around_mm = outer_mm;
                t.hub_angle_deg = d.hub_angle_rad.to_degrees();
                t.hub_force_n = d.hub_force_n;
                t.has_shed = d.shed_mm > 0.0;
                if beam
                    && d.inserted_mm > 0.0
                    && let Some(seen) = see(&arm, rod, d)
                {
                    t.seen = Some(SeenTool { time_s: snap.time_s, ..seen });
                    t.lie = lie(rod, d, snap.tools[d.tool.idx()].kind);
                }
            }
        }
        for t in p.tools.iter_mut().filter(|t| !t.loaded) {
            t.seen = None;
            t.lie = None;
        }
        if beam {
            p.beats_to_clear = snap.injection.beats_to_clear;
            p.reflux_seen = reflux_seen(&self.tree, snap);
        }
        self.follow_run(snap, beam);
        self.last_arm = Some(arm);
        let is_valid = self.map_view.is_some_and(|v| is_same_view(&v, &arm));
        if is_valid != self.is_map_shown {
            self.is_map_shown = is_valid;
            self.percept.roadmap = if is_valid { self.map.clone() } else { Vec::new() };
        }
    }

    fn follow_run(&mut self, snap: &Snapshot, beam: bool) {
        if snap.xray.pedal == Pedal::Acquire {
            if self.run_view.is_none() {
                self.run_view = Some(snap.xray.arm);
                self.filled_mm.fill(None);
            }
            if beam {
                self.mark_filled(snap);
            }
        } else if let Some(view) = self.run_view.take() {
            let courses: Vec<Course> =
                (0..self.tree.branches.len()).filter_map(|i| self.course(i, &view)).collect();
            // A run without contrast leaves the old map.
            if !courses.is_empty() {
                self.map = courses;
                self.map_view = Some(view);
                self.is_map_shown = false;
            }
        }
    }

    fn mark_filled(&mut self, snap: &Snapshot) {
        for (i, v) in snap.vessels.iter().enumerate().take(self.filled_mm.len()) {
            let branch = &self.tree.branches[i];
            for (cell, iodine) in v.iodine_mg_per_ml.iter().enumerate() {
                if *iodine <= 0.0 {
                    continue;
                }
                let arc_mm = v.start_mm + (cell as f64 + 0.5) * v.cell_mm;
                let width_mm = 2.0 * branch.at(arc_mm).radius_mm;
                if f64::from(*iodine) * width_mm > VISIBLE_IODINE_MG_PER_ML_MM {
                    let end_mm = arc_mm + 0.5 * v.cell_mm;
                    self.filled_mm[i] = Some(self.filled_mm[i].map_or(end_mm, |m| m.max(end_mm)));
                }
            }
        }
    }

    /// The projected course of a vessel up to where it was filled.
    fn course(&self, i: usize, view: &CArm) -> Option<Course> {
        let end_mm = self.filled_mm[i]?;
        let mut course = Course { vessel: i as u32, ..Course::default() };
        for p in self.tree.branches[i].points.iter().take_while(|p| p.arc_mm <= end_mm) {
            if let Some(q) = picture_point(view, &p.position_mm) {
                course.points.push(q);
                course.half_width_mm.push(p.radius_mm);
            }
        }
        (course.points.len() > 1).then_some(course)
    }
}

/// Gauges, flat balloons, stents that are off.
fn perceive_balloons(p: &mut Percept, snap: &Snapshot) {
    for (i, t) in p.tools.iter_mut().enumerate() {
        let balloon = snap.balloons.iter().find(|b| b.tool.idx() == i);
        t.gauge_atm = balloon.map(|b| b.gauge_atm);
        t.is_flat = balloon.is_none_or(|b| b.iodine_mg_per_ml <= 0.0);
        let own = |s: &&crate::sim::dilation::StentView| s.tool.idx() == i;
        t.stent_is_off = snap.stents.iter().filter(own).any(|s| s.phase != StentPhase::Opening);
    }
}

fn is_same_view(a: &CArm, b: &CArm) -> bool {
    a.is_turned_like(b, SAME_VIEW_DEG)
}

/// A point of the patient in the picture; see the module's page for the coordinates.
pub fn picture_point(arm: &CArm, p_mm: &Vec3) -> Option<Point2> {
    let projection = arm.projection(2);
    let r = p_mm - projection.source_mm;
    let depth = r.dot(&projection.towards_detector);
    if depth < 1.0 {
        return None;
    }
    let scale = SOURCE_ISOCENTER_MM / depth;
    let right = r.dot(&projection.right) * scale + arm.isocenter_mm.dot(&projection.right);
    let up = r.dot(&projection.up) * scale + arm.isocenter_mm.dot(&projection.up);
    Some([right, up])
}

/// The visible part of a device, from its tip backwards; `None` when nothing of it is in the picture.
fn see(arm: &CArm, rod: &RodView, device: &RodDeviceView) -> Option<SeenTool> {
    let tip_visible = is_in_picture(arm, &device.tip_mm);
    let mut seen = SeenTool { tip_visible, ..SeenTool::default() };
    if tip_visible {
        seen.track.extend(picture_point(arm, &device.tip_mm));
    }
    let mut first_arc_mm = device.inserted_mm;
    for (p, s) in rod.nodes_mm.iter().zip(&rod.arc_mm).rev().filter(|(_, s)| **s < device.inserted_mm) {
        let in_picture = is_in_picture(arm, p);
        if seen.track.is_empty() {
            first_arc_mm = *s;
        } else if !in_picture || *s < first_arc_mm - TRACK_MM {
            break;
        }
        if in_picture {
            seen.track.extend(picture_point(arm, p));
        }
    }
    (!seen.track.is_empty()).then_some(seen)
}

fn lie(rod: &RodView, device: &RodDeviceView, kind: DeviceKind) -> Option<Lie> {
    let [end_mm, near_mm, far_mm] = match kind {
        DeviceKind::Catheter => CATHETER_BEND_MM,
        _ => WIRE_BEND_MM,
    };
    let nodes = rod.arc_mm.iter().zip(&rod.nodes_mm);
    let at =
        |behind_mm: f64| nodes.clone().rfind(|(s, _)| **s <= device.inserted_mm - behind_mm).map(|x| x.1);
    let axis = (at(near_mm)? - at(far_mm)?).try_normalize(1e-6)?;
    let end = (device.tip_mm - at(end_mm)?).try_normalize(1e-6)?;
    let bend = end - axis * axis.dot(&end);
    Some(Lie { place: device.tip_place, tip_mm: device.tip_mm, axis, bend })
}

/// Is a point inside the open part of the field.
fn is_in_picture(arm: &CArm, p_mm: &Vec3) -> bool {
    // Two pixels across: the middle is at 1, an edge at 0 and 2.
    let Some((column, row, _)) = arm.projection(2).project(p_mm) else { return false };
    let (right, up) = (column - 1.0, 1.0 - row);
    let [left_blade, right_blade, bottom_blade, top_blade] = arm.blades;
    (-left_blade..=right_blade).contains(&right) && (-bottom_blade..=top_blade).contains(&up)
}

/// Is contrast or embolic visible in the parent, upstream of the origin of the vessel that the injecting tip is in.
fn reflux_seen(tree: &VesselTree, snap: &Snapshot) -> bool {
    let Some(tool) = snap.injection.connected else { return false };
    let tip = snap.rods.iter().flat_map(|r| &r.devices).find(|d| d.tool == tool).and_then(|d| d.tip_place);
    let Some(origin) = tip.and_then(|p| tree.branches.get(p.vessel.idx())).and_then(|b| b.origin) else {
        return false;
    };
    let (Some(view), Some(parent)) =
        (snap.vessels.get(origin.vessel.idx()), tree.branches.get(origin.vessel.idx()))
    else {
        return false;
    };
    let wall_mm = parent.at(origin.arc_mm).radius_mm + REFLUX_SEEN_MM;
    view.iodine_mg_per_ml.iter().enumerate().any(|(i, c)| {
        let arc_mm = view.start_mm + (i as f64 + 0.5) * view.cell_mm;
        let is_near = arc_mm < origin.arc_mm + wall_mm && arc_mm > origin.arc_mm - 3.0 * wall_mm;
        is_near && f64::from(*c) * 2.0 * parent.at(arc_mm).radius_mm > VISIBLE_IODINE_MG_PER_ML_MM
    })
}
