//! What one tick says, worked out once for predicates, errors and metrics.

use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::sim::command::{Pedal, ToolId};
use crate::sim::event::Event;
use crate::sim::snapshot::{Snapshot, ToolInfo, VesselView};

/// Names and ancestry of the tree, worked out once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TreeFacts {
    /// The tree itself.
    pub tree: VesselTree,
    /// `above[v]` holds the vessels from the root down to `v`.
    above: Vec<Vec<VesselId>>,
}

impl TreeFacts {
    pub(super) fn new(tree: &VesselTree) -> Self {
        let above = (0..tree.branches.len()).map(|i| tree.route(VesselId(i as u32))).collect();
        Self { tree: tree.clone(), above }
    }

    /// Is `v` the vessel `of` or beyond it.
    pub(super) fn is_within(&self, v: VesselId, of: VesselId) -> bool {
        self.above.get(v.idx()).is_some_and(|route| route.contains(&of))
    }

    /// Is `v` on the way from the root to `to`, `to` included.
    pub(super) fn is_on_route(&self, v: VesselId, to: VesselId) -> bool {
        self.is_within(to, v)
    }

    /// Does all that flows through a vessel end in beds of vessels for which `is_wanted` holds: no arcade leads elsewhere.
    pub(super) fn feeds_only(&self, vessel: VesselId, is_wanted: impl Fn(VesselId) -> bool) -> bool {
        let beyond =
            self.tree.branches.iter().zip((0..).map(VesselId)).filter(|(_, v)| self.is_within(*v, vessel));
        let mut ends = beyond.filter(|(b, _)| b.outlet.is_some() || b.distal_join.is_some()).peekable();
        ends.peek().is_some() && ends.all(|(b, v)| b.distal_join.is_none() && is_wanted(v))
    }

    /// Radius in the middle of a vessel, mm.
    pub(super) fn radius_mm(&self, v: VesselId) -> f64 {
        self.tree.branches.get(v.idx()).map_or(0.0, |b| b.at(0.5 * b.length_mm()).radius_mm)
    }

    pub(super) fn label(&self, place: Option<VesselPlace>) -> String {
        match place.and_then(|p| self.tree.branches.get(p.vessel.idx()).map(|b| (p, b))) {
            Some((p, b)) => format!("{}, {:.0} mm from its origin", b.label, p.arc_mm),
            None => "outside the vessels".to_owned(),
        }
    }

    pub(super) fn position(&self, place: Option<VesselPlace>) -> Option<Vec3> {
        let p = place?;
        self.tree.branches.get(p.vessel.idx()).map(|b| b.at(p.arc_mm).position_mm)
    }

    /// Length along the vessels from `place` down to the origin of `to`, mm: 0 inside `to`, negative when `place` lies
    /// downstream of the origin in a vessel of the route; `None` when `place` is not on the route to `to`.
    pub(super) fn upstream_mm(&self, place: VesselPlace, to: VesselId) -> Option<f64> {
        if place.vessel == to {
            return Some(0.0);
        }
        let mut length = 0.0;
        let mut at = to;
        for _ in 0..self.tree.branches.len() {
            let origin = self.tree.branches.get(at.idx())?.origin?;
            if origin.vessel == place.vessel {
                return Some(length + origin.arc_mm - place.arc_mm);
            }
            length += origin.arc_mm;
            at = origin.vessel;
        }
        None
    }

    /// Length of the way along the centerlines between two places, mm; `None` in trees that do not join.
    pub(super) fn way_mm(&self, a: VesselPlace, b: VesselPlace) -> Option<f64> {
        let (up, down) = (self.above.get(a.vessel.idx())?, self.above.get(b.vessel.idx())?);
        let common = up.iter().zip(down).take_while(|(x, y)| x == y).count();
        // Length to the last common vessel, and where on it the route arrives.
        let climb = |route: &[VesselId], arc_mm: f64| {
            let mut length_mm = 0.0;
            let mut at_mm = arc_mm;
            for v in route.get(common..)?.iter().rev() {
                length_mm += at_mm;
                at_mm = self.tree.branches.get(v.idx())?.origin?.arc_mm;
            }
            Some((length_mm, at_mm))
        };
        let (from, to) = (climb(up, a.arc_mm)?, climb(down, b.arc_mm)?);
        (common > 0).then_some(from.0 + to.0 + (from.1 - to.1).abs())
    }

    /// Depth of a place in its own lumen, mm (behind the wall of the parent).
    pub(super) fn depth_mm(&self, place: VesselPlace, views: &[VesselView]) -> f64 {
        place.arc_mm - views.get(place.vessel.idx()).map_or(0.0, |v| v.start_mm)
    }
}

/// One device during one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ToolFacts {
    pub tool: ToolId,
    pub kind: DeviceKind,
    pub rod: usize,
    pub inserted_mm: f64,
    /// Change of `inserted_mm` since the last tick.
    pub moved_mm: f64,
    /// Change of the hub angle since the last tick, degrees.
    pub turned_deg: f64,
    pub tip_mm: Vec3,
    pub place: Option<VesselPlace>,
    pub tip_force_n: f64,
    /// The tip presses with its side.
    pub is_blunt: bool,
    pub hub_force_n: f64,
    /// The tip lies in the lumen of an outer device or of the sheath.
    pub covered: bool,
    /// Tip of the farthest inner wire minus own tip, mm; `None` without a wire inside.
    pub wire_ahead_mm: Option<f64>,
}

/// One tick.
pub(super) struct Facts<'a> {
    pub snap: &'a Snapshot,
    pub events: &'a [Event],
    /// Time since the last tick, s.
    pub dt_s: f64,
    pub tools: Vec<ToolFacts>,
    pub tree: &'a TreeFacts,
    pub beam_on: bool,
}

impl Facts<'_> {
    pub(super) fn tool(&self, tool: ToolId) -> Option<&ToolFacts> {
        self.tools.iter().find(|t| t.tool == tool)
    }

    /// The device that reaches farthest in each rod; the first rod's first.
    pub(super) fn farthest(&self) -> Option<&ToolFacts> {
        let first = self.tools.first()?.rod;
        let mut best: Option<&ToolFacts> = None;
        for t in self.tools.iter().filter(|t| t.rod == first && t.inserted_mm > 0.0) {
            if best.is_none_or(|b| t.inserted_mm > b.inserted_mm) {
                best = Some(t);
            }
        }
        best
    }
}

/// Where each device was a tick ago.
pub(super) type Before = Vec<Option<(f64, f64)>>;

/// Works out a tick's facts and brings `before` (indexed by tool) up to date.
pub(super) fn tool_facts(snap: &Snapshot, infos: &[ToolInfo], before: &mut Before) -> Vec<ToolFacts> {
    let kind = |t: ToolId| infos.get(t.idx()).map_or(DeviceKind::Wire, |i| i.kind);
    let mut now: Before = vec![None; infos.len()];
    let mut out = Vec::with_capacity(4);
    for (rod, view) in snap.rods.iter().enumerate() {
        let mut cover_mm = 0.0_f64;
        for (i, d) in view.devices.iter().enumerate() {
            let was = before.get(d.tool.idx()).copied().flatten();
            let (was_mm, was_rad) = was.unwrap_or((d.inserted_mm, d.hub_angle_rad));
            let inner_wire = view.devices[i + 1..].iter().filter(|w| kind(w.tool) == DeviceKind::Wire);
            let wire_mm = inner_wire.map(|w| w.inserted_mm).reduce(f64::max);
            out.push(ToolFacts {
                tool: d.tool,
                kind: kind(d.tool),
                rod,
                inserted_mm: d.inserted_mm,
                moved_mm: d.inserted_mm - was_mm,
                turned_deg: (d.hub_angle_rad - was_rad).to_degrees(),
                tip_mm: d.tip_mm,
                place: d.tip_place,
                tip_force_n: d.tip_force_n,
                is_blunt: d.is_blunt,
                hub_force_n: d.hub_force_n,
                covered: d.inserted_mm <= cover_mm,
                wire_ahead_mm: wire_mm.map(|w| w - d.inserted_mm),
            });
            cover_mm = cover_mm.max(d.inserted_mm);
            if let Some(slot) = now.get_mut(d.tool.idx()) {
                *slot = Some((d.inserted_mm, d.hub_angle_rad));
            }
        }
    }
    *before = now;
    out
}

/// Cells of a vessel up to where less than half of its blood is left in it: there the column has gone on into a branch.
pub(super) fn column_cells(tree: &VesselTree, vessel: VesselId, view: &VesselView) -> usize {
    let feeds = |v: VesselId| -> f64 {
        let within = |i: &usize| tree.route(VesselId(*i as u32)).contains(&v);
        let outlets =
            (0..tree.branches.len()).filter(within).filter_map(|i| tree.branches[i].outlet.as_ref());
        outlets.map(|o| o.flow_ml_per_s).sum()
    };
    let all = view.flow_ml_per_s.len();
    let mut left = feeds(vessel);
    let half = 0.5 * left;
    let mut children: Vec<(f64, VesselId)> = (0..tree.branches.len())
        .filter_map(|i| Some((tree.branches[i].origin?, VesselId(i as u32))))
        .filter(|(origin, _)| origin.vessel == vessel)
        .map(|(origin, v)| (origin.arc_mm, v))
        .collect();
    children.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (arc_mm, child) in children {
        left -= feeds(child);
        if left < half {
            let cells = ((arc_mm - view.start_mm) / view.cell_mm.max(1e-9)).ceil();
            return (cells.max(1.0) as usize).min(all);
        }
    }
    all
}

/// Lumen of the first cells of a vessel, mL.
pub(super) fn lumen_ml(tree: &VesselTree, vessel: VesselId, view: &VesselView, cells: usize) -> f64 {
    let Some(branch) = tree.branches.get(vessel.idx()) else { return 0.0 };
    (0..cells)
        .map(|i| {
            let r = branch.at(view.start_mm + (i as f64 + 0.5) * view.cell_mm).radius_mm;
            std::f64::consts::PI * r * r * view.cell_mm / crate::units::MM3_PER_ML
        })
        .sum()
}

/// Flow through the first cells of a vessel now, their mean, mL/s.
pub(super) fn mean_flow_ml_per_s(view: &VesselView, cells: usize) -> f64 {
    let flows = &view.flow_ml_per_s[..cells.min(view.flow_ml_per_s.len())];
    if flows.is_empty() {
        return 0.0;
    }
    flows.iter().map(|q| f64::from(*q)).sum::<f64>() / flows.len() as f64
}

/// Is the beam on: a pedal is down.
pub(super) fn is_beam_on(snap: &Snapshot) -> bool {
    snap.xray.pedal != Pedal::Off
}
