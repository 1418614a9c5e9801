//! Reflux: what was injected in a vessel flows backwards past its origin. The flow alone decides it.

use serde::{Deserialize, Serialize};

use super::state::{ContrastScratch, ContrastState};
use crate::sim::event::EventKind;
use crate::sim::flow::{NONE, Network, Source};

/// Share of the injected amount that must go back before it counts.
const SHARE: f64 = 0.02;
/// Least amount that counts: mg of iodine, particles.
const LEAST: [f64; 2] = [3.0, 5.0];
/// After this long without injection the watch ends, s.
const QUIET_S: f64 = 2.0;

/// What is known of the injection that goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct InjectionTrack {
    /// Branch of the tip.
    branch: u32,
    /// Iodine and particles given.
    given: [f64; 2],
    /// Per branch from the tip's up to the root's: net iodine and particles back through its origin.
    back: Vec<(u32, [f64; 2], [bool; 2])>,
    quiet_s: f64,
}

/// Watches the faces between the tip's vessel and the root.
pub(super) fn watch(
    net: &Network,
    state: &mut ContrastState,
    s: &ContrastScratch,
    sources: &[Source],
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    let tip = s.source_cells.first().map(|&(cell, _)| net.cell_branch[cell as usize]);
    if let Some(branch) = tip.filter(|b| state.track.as_ref().is_none_or(|t| t.branch != *b)) {
        state.track = Some(InjectionTrack { branch, back: route(net, branch), ..InjectionTrack::default() });
    }
    let Some(track) = &mut state.track else { return };
    track.quiet_s = if tip.is_some() { 0.0 } else { track.quiet_s + dt_s };
    for &(_, i) in &s.source_cells {
        let source = &sources[i];
        track.given[0] += source.flow_ml_per_s * source.iodine_mg_per_ml * dt_s;
        track.given[1] += source.particles.map_or(0.0, |p| p.1) * source.flow_ml_per_s * dt_s;
    }
    for (branch, back, told) in &mut track.back {
        let flux = s.start_flux[*branch as usize];
        for kind in 0..2 {
            back[kind] = (back[kind] - flux[kind]).max(0.0);
            let limit = (SHARE * track.given[kind]).max(LEAST[kind]);
            if track.given[kind] > 0.0 && back[kind] > limit && !told[kind] {
                told[kind] = true;
                if let Some(into) = net.branches[*branch as usize].origin {
                    events.push(EventKind::Reflux { into, embolic: kind == 1 });
                }
            }
        }
    }
    if track.quiet_s > QUIET_S {
        state.track = None;
    }
}

/// Branches from this one to the root that have an origin.
fn route(net: &Network, branch: u32) -> Vec<(u32, [f64; 2], [bool; 2])> {
    let mut out = Vec::new();
    let mut at = branch;
    while net.branches[at as usize].from != NONE && out.len() <= net.branches.len() {
        out.push((at, [0.0; 2], [false; 2]));
        at = net.cell_branch[net.branches[at as usize].from as usize];
    }
    out
}
