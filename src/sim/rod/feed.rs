//! Feed points and adaptive nodes: where rest length comes in and goes out, and how finely it is cut.

use super::RodInputs;
use super::layout::{GHOST_MM, fill_arcs};
use super::state::{Anchor, RodState};
use super::touch::sites;
use crate::device::Device;
use crate::math::{Vec3, orthogonal};

/// A rod shorter than this is not simulated (it lies in the sheath's mouth), mm.
pub(super) const WAKE_MM: f64 = 1.0;
/// Below this a rod falls asleep again, mm.
const SLEEP_MM: f64 = 0.7;
/// Shortest edge at a feed point, mm.
const SHORTEST_MM: f64 = 0.3;
/// Shortest stretch between two tips that both have nodes, mm.
const TIP_GAP_MM: f64 = 0.8;
/// Edge length times curvature.
const TURN_PER_EDGE: f64 = 0.12;
/// Bounds of the edge length, mm.
const EDGE_MM: (f64, f64) = (0.7, 4.0);
/// Edge length per lumen radius.
const EDGE_PER_RADIUS: f64 = 0.8;
/// An edge this many times its target is split; a pair shorter than the second is merged.
const SPLIT_MERGE: (f64, f64) = (1.5, 1.0);
/// Changes of the mesh in one substep.
const CHANGES: usize = 8;
/// Radius of a lumen not asked for yet, mm.
const UNKNOWN_LUMEN_MM: f64 = 1e6;
/// Edge length where nothing adapts, mm.
const EVEN_MM: f64 = 1.5;
/// Nodes above which edges are cut coarser.
const NODE_BUDGET: usize = 350;

/// Arc length of the farthest tip among devices `0..=d`, at least 0.
fn reached(inserted: &[f64]) -> Vec<f64> {
    let mut far: f64 = 0.0;
    inserted
        .iter()
        .map(|i| {
            far = far.max(*i);
            far
        })
        .collect()
}

impl RodState {
    /// Moves the tips to `target` (arc lengths of all devices) by changing rest lengths at the feed points.
    ///
    /// Nodes move along their tangents with the material as a first guess, but for the last `resting`; `start_mm` are the
    /// positions before, kept parallel to the nodes.
    pub(super) fn feed(&mut self, target: &[f64], resting: usize, start_mm: &mut Vec<Vec3>) {
        let old: Vec<f64> = self.devices.iter().map(|d| d.inserted_mm).collect();
        let (before, after) = (reached(&old), reached(target));
        for (d, t) in self.devices.iter_mut().zip(target) {
            d.inserted_mm = *t;
        }
        let total = after.last().copied().unwrap_or(0.0);
        if self.nodes_mm.is_empty() {
            if total >= WAKE_MM {
                self.wake(total);
            }
            start_mm.clone_from(&self.nodes_mm);
            return;
        }
        if total < SLEEP_MM {
            self.sleep();
            start_mm.clear();
            return;
        }
        let mut shift = vec![0.0; self.nodes_mm.len()];
        // From the distal end on, so that arcs below each feed point are still the old ones.
        for d in (0..self.devices.len()).rev() {
            let below = |r: &[f64]| if d == 0 { 0.0 } else { r[d - 1] };
            let change = (after[d] - below(&after)) - (before[d] - below(&before));
            if change != 0.0 {
                let at = self.feed_edge(&old, below(&before), d);
                self.change_rest(at, change, &mut shift, start_mm);
            }
        }
        self.true_up(&after);
        self.hold_resting(resting, &mut shift);
        self.move_along(&shift);
    }

    /// What is fed in before loops that rest is taken up on the way to them.
    fn hold_resting(&self, resting: usize, shift: &mut [f64]) {
        if resting == 0 {
            return;
        }
        let live = shift.len().saturating_sub(resting);
        shift[live..].fill(0.0);
        let fed = shift[..live].last().copied().unwrap_or(0.0);
        let from = shift[..live].iter().rposition(|s| *s != fed).map_or(0, |i| i + 1);
        let steps = (live - from + 1) as f64;
        for (k, s) in shift[from..live].iter_mut().enumerate() {
            *s *= 1.0 - (k + 1) as f64 / steps;
        }
    }

    /// Moves every node along its tangent; frames follow.
    fn move_along(&mut self, shift: &[f64]) {
        if shift.iter().all(|s| *s == 0.0) {
            return;
        }
        let edges = self.rest_mm.len();
        let old: Vec<Vec3> = (0..edges).map(|j| self.edge_tangent(j)).collect();
        let tangents: Vec<Vec3> = (0..=edges).map(|i| self.node_tangent(i)).collect();
        for ((x, t), s) in self.nodes_mm.iter_mut().zip(&tangents).zip(shift) {
            *x += t * *s;
        }
        self.transport_from(&old);
    }

    /// Edge that takes or gives the length of device `d`, whose bare stretch begins at `arc_mm`.
    fn feed_edge(&self, old: &[f64], arc_mm: f64, d: usize) -> usize {
        if arc_mm <= 0.0 {
            return 1;
        }
        let giver = (0..d).rev().find(|&e| old[e] == arc_mm);
        let marked = giver.and_then(|e| self.tip_of.iter().position(|t| *t == Some(e as u8)));
        let last = self.rest_mm.len() - 1;
        if let Some(node) = marked {
            return node.clamp(1, last);
        }
        let mut s = 0.0;
        for j in 1..last {
            s += self.rest_mm[j];
            if arc_mm < s - 1e-9 {
                return j;
            }
        }
        last
    }

    /// Changes the rest length of an edge, eating up its neighbors where it would vanish.
    fn change_rest(&mut self, mut at: usize, change: f64, shift: &mut Vec<f64>, start_mm: &mut Vec<Vec3>) {
        while self.rest_mm[at] + change < SHORTEST_MM {
            if at + 1 < self.rest_mm.len() {
                self.merge_at(at + 1);
                shift.remove(at + 1);
                start_mm.remove(at + 1);
            } else if at >= 2 {
                self.merge_at(at);
                shift.remove(at);
                start_mm.remove(at);
                at -= 1;
            } else {
                break;
            }
        }
        self.rest_mm[at] = (self.rest_mm[at] + change).max(0.5 * SHORTEST_MM);
        for s in &mut shift[at + 1..] {
            *s += change;
        }
    }

    /// Makes the rest lengths between tips add up exactly, and drops marks of tips that are no feed points any more.
    fn true_up(&mut self, after: &[f64]) {
        let last = self.nodes_mm.len() - 1;
        let total = after.last().copied().unwrap_or(0.0);
        self.tip_of[last] = None;
        let (mut from, mut arc) = (1, 0.0);
        for i in 2..=last {
            let end = match self.tip_of[i].map(usize::from) {
                _ if i == last => total,
                Some(d) if self.is_exposed(d) && self.devices[d].inserted_mm > arc + 1e-9 => {
                    self.devices[d].inserted_mm
                }
                _ => {
                    self.tip_of[i] = None;
                    continue;
                }
            };
            let have: f64 = self.rest_mm[from..i].iter().sum();
            let longest =
                (from..i).max_by(|a, b| self.rest_mm[*a].total_cmp(&self.rest_mm[*b])).unwrap_or(from);
            self.rest_mm[longest] = (self.rest_mm[longest] + (end - arc) - have).max(0.5 * SHORTEST_MM);
            (from, arc) = (i, end);
        }
    }

    /// Whether the tip of a device lies bare (beyond all outer tips) with an inner device beyond it.
    fn is_exposed(&self, d: usize) -> bool {
        let Some(device) = self.devices.get(d) else { return false };
        let tip = device.inserted_mm;
        tip > 0.0
            && self.devices[..d].iter().all(|o| o.inserted_mm < tip)
            && self.devices[d + 1..].iter().any(|o| o.inserted_mm > tip)
    }

    fn wake(&mut self, total: f64) {
        let (x, t) = (self.base.position_mm, self.base.direction);
        self.nodes_mm = vec![x - t * GHOST_MM, x, x + t * total];
        self.velocity_mm_per_s = vec![Vec3::zeros(); 3];
        self.rest_mm = vec![GHOST_MM, total];
        self.director = vec![orthogonal(&t); 2];
        self.reference_twist = vec![0.0; 3];
        self.tip_of = vec![None; 3];
        self.anchors = vec![Anchor::default(); sites(3)];
        self.lumen_mm = vec![UNKNOWN_LUMEN_MM; 3];
    }

    fn sleep(&mut self) {
        self.nodes_mm.clear();
        self.velocity_mm_per_s.clear();
        self.rest_mm.clear();
        self.director.clear();
        self.reference_twist.clear();
        self.tip_of.clear();
        self.anchors.clear();
        self.lumen_mm.clear();
        for d in &mut self.devices {
            d.theta.clear();
            d.rubs.clear();
        }
    }

    /// Gives every bare outer tip a node of its own.
    pub(super) fn mark_tips(&mut self, start_mm: &mut Vec<Vec3>) {
        for d in 0..self.devices.len() {
            let tip = self.devices[d].inserted_mm;
            if !self.is_exposed(d) || tip < TIP_GAP_MM || self.tip_of.contains(&Some(d as u8)) {
                continue;
            }
            let mut arc = Vec::new();
            fill_arcs(self, &mut arc);
            let last = arc.len() - 1;
            let crowded = (2..last).any(|i| self.tip_of[i].is_some() && (arc[i] - tip).abs() < TIP_GAP_MM);
            if crowded || arc[last] - tip < TIP_GAP_MM {
                continue;
            }
            let Some(j) = (1..last).find(|&j| tip < arc[j + 1]) else { continue };
            let (a, b) = (tip - arc[j], arc[j + 1] - tip);
            let node = if a < SHORTEST_MM && j >= 2 && self.tip_of[j].is_none() {
                self.slide(j, a);
                j
            } else if b < SHORTEST_MM && j + 1 < last && self.tip_of[j + 1].is_none() {
                self.slide(j + 1, -b);
                j + 1
            } else {
                self.split_edge(j, a / (a + b));
                start_mm.insert(j + 1, start_mm[j].lerp(&start_mm[j + 1], a / (a + b)));
                j + 1
            };
            self.tip_of[node] = Some(d as u8);
        }
    }

    /// Moves node `i` along the material by `by_mm`.
    fn slide(&mut self, i: usize, by_mm: f64) {
        let step = self.node_tangent(i) * by_mm;
        self.nodes_mm[i] += step;
        self.anchors[2 * i].point_mm += step;
        for middle in [2 * i - 1, 2 * i + 1] {
            self.anchors[middle].point_mm += step * 0.5;
        }
        self.rest_mm[i - 1] += by_mm;
        self.rest_mm[i] -= by_mm;
    }

    /// Splits long edges and merges short ones; `start_mm` follows.
    pub(super) fn adapt(&mut self, inputs: &RodInputs<'_>, start_mm: &mut Vec<Vec3>) {
        let (tools, meshing) = (inputs.tools, inputs.meshing);
        let coarser =
            meshing.scale * (self.nodes_mm.len() as f64 * meshing.scale / NODE_BUDGET as f64).max(1.0);
        let mut changes = 0;
        let mut arc = 0.0;
        let mut j = 1;
        while j < self.rest_mm.len() && changes < CHANGES {
            let l = self.rest_mm[j];
            let wanted = |state: &Self, arc: f64, j: usize| {
                let h = if meshing.adapts {
                    state.target_edge(tools, arc, j, state.lumen_mm[j + 1])
                } else {
                    EVEN_MM
                };
                coarser * h
            };
            let h = wanted(self, arc, j);
            if l > SPLIT_MERGE.0 * h {
                // At the base leave the grid of the material as it is; elsewhere halve.
                let share = if j == 1 { (l - h) / l } else { 0.5 };
                self.split_edge(j, share);
                start_mm.insert(j + 1, start_mm[j].lerp(&start_mm[j + 1], share));
                changes += 1;
                continue;
            }
            let next = self.rest_mm.get(j + 1).copied();
            if let Some(next) = next.filter(|_| self.tip_of[j + 1].is_none() && j > 1) {
                let h2 = wanted(self, arc + l, j + 1);
                if l + next < SPLIT_MERGE.1 * h.min(h2) {
                    self.merge_at(j + 1);
                    start_mm.remove(j + 1);
                    changes += 1;
                    continue;
                }
            }
            arc += l;
            j += 1;
        }
    }

    /// Edge length wanted for edge `j` that begins at `arc_mm`.
    fn target_edge(&self, tools: &[Device], arc_mm: f64, j: usize, lumen_mm: f64) -> f64 {
        let l = self.rest_mm[j];
        let mut rest: f64 = 0.0;
        for part in [0.0, 0.5, 1.0] {
            let (mut ei, mut moment) = (0.0, 0.0);
            let s = arc_mm + part * l;
            for d in self.devices.iter().filter(|d| d.inserted_mm >= s - 1e-9) {
                let Some(tool) = tools.get(d.tool.idx()) else { continue };
                let sec = tool.section_at(d.behind_tip_mm(s));
                ei += sec.bend_stiffness_n_mm2;
                moment +=
                    sec.bend_stiffness_n_mm2 * sec.rest_curvature_per_mm.hypot(sec.rest_curvature_2_per_mm);
            }
            rest = rest.max(moment / ei.max(1e-12));
        }
        let bend = |i: usize| {
            if i < 1 || i + 1 >= self.nodes_mm.len() {
                return 0.0;
            }
            let c = self.edge_tangent(i - 1).dot(&self.edge_tangent(i)).clamp(-1.0, 1.0);
            let length =
                if i == 1 { 0.5 * self.rest_mm[1] } else { 0.5 * (self.rest_mm[i - 1] + self.rest_mm[i]) };
            // Short pieces at feed points make angles of rounding size look curved.
            c.acos() / length.max(1.0)
        };
        let curvature = rest.max(bend(j)).max(bend(j + 1)).max(1e-9);
        (TURN_PER_EDGE / curvature).min(EDGE_PER_RADIUS * lumen_mm).clamp(EDGE_MM.0, EDGE_MM.1)
    }
}
