//! One tick of a rod: substeps, the solve, what friction remembers, the ladder of fallbacks.

use super::energy::{DRAG_N_S_PER_MM2, Potential, Rub, World};
use super::frames::Frames;
use super::hub::{self, Motion};
use super::layout::resting_nodes;
use super::loads::Loads;
use super::newton::{Buffers, Outcome, Settings, minimize};
use super::state::{Anchor, RodState};
use super::touch::{FIRST_SITE, edge_of, position, sites, skin_of};
use super::{Blocked, RodInputs, RodReport};
use crate::math::Vec3;

/// Feed in one substep, mm.
const FEED_PER_SUBSTEP_MM: f64 = 0.5;
/// Turn in one substep, rad.
const SPIN_PER_SUBSTEP_RAD: f64 = 0.2;
/// Time over which bending and twisting settle, s `[D]`: a snap lasts about three times this.
const SETTLE_S: f64 = 0.015;
/// Natural unevenness of a device, 1/mm, so that perfect columns buckle `[D]`.
const IMPERFECTION_PER_MM: f64 = 1.0e-4;
/// Node center farther outside than this is not accepted, mm.
const OUTSIDE_MM: f64 = 0.9;
/// Force left over that is not accepted, N, while a smaller substep can still be tried, and at the last; what is
/// accepted goes on being balanced in the next tick.
const TOO_UNBALANCED_N: (f64, f64) = (0.3, 10.0);
/// Halvings of a substep.
const LEVELS: u32 = 3;
/// Rotation before a rubbing pair of devices slips, rad.
const RUB_SLACK_RAD: f64 = 0.02;
/// Stop of the solve in play.
const IN_PLAY: Settings = Settings { force_n: 1e-4, torque_n_mm: 2e-4, step_mm: 5e-5, iterations: 24 };

/// Buffers that a tick needs and forgets; carries nothing from one tick to the next.
#[derive(Debug, Default)]
pub struct RodScratch {
    pub(super) potential: Potential,
    pub(super) frames: Frames,
    pub(super) buffers: Buffers,
}

/// Advances a rod; see [`super::advance`].
pub(super) fn advance(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
    dt_s: f64,
) -> RodReport {
    let mut report = RodReport::default();
    state.coil_ticks = state.coil_ticks.wrapping_add(1);
    let motions = hub::plan(inputs, state, dt_s, &mut report.blocked);
    let feed = motions.iter().map(|m| m.feed_mm.abs()).fold(0.0, f64::max);
    let spin = motions.iter().map(|m| m.spin_rad.abs()).fold(0.0, f64::max);
    let parts = (feed / FEED_PER_SUBSTEP_MM).max(spin / SPIN_PER_SUBSTEP_RAD).ceil().clamp(1.0, 16.0) as u32;
    let good = state.clone();
    for _ in 0..parts {
        let share = 1.0 / f64::from(parts);
        if let Err(reason) = ladder(inputs, state, scratch, loads, &motions, share, dt_s, 0, &mut report) {
            // Hold everything where it is and let it settle; if even that fails the last good state stays.
            let still: Vec<Motion> = motions.iter().map(|_| Motion::default()).collect();
            let kept = state.clone();
            if substep(inputs, state, scratch, loads, &still, share * dt_s, true, &mut report).is_err() {
                *state = kept;
                state.velocity_mm_per_s.iter_mut().for_each(|v| *v = Vec3::zeros());
                report.diverged = Some(reason.clone());
            }
            for (d, m) in state.devices.iter().zip(&motions) {
                if m.feed_mm != 0.0 || m.spin_rad != 0.0 {
                    report.blocked.push(Blocked { tool: d.tool, reason: reason.clone() });
                }
            }
            break;
        }
    }
    if state.nodes_mm.iter().any(|x| !x.iter().all(|c| c.is_finite())) {
        *state = good;
        report.diverged = Some("a position was not finite".to_owned());
    }
    hub::outputs(inputs, state, scratch, &motions);
    report
}

/// A substep; where it fails, two halves of it, down to some levels.
fn ladder(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
    motions: &[Motion],
    share: f64,
    dt_s: f64,
    level: u32,
    report: &mut RodReport,
) -> Result<(), String> {
    let scaled: Vec<Motion> = motions.iter().map(|m| m.scaled(share)).collect();
    let before = state.clone();
    let reason = match substep(inputs, state, scratch, loads, &scaled, share * dt_s, level >= LEVELS, report)
    {
        Ok(()) => return Ok(()),
        Err(reason) => reason,
    };
    *state = before;
    if level >= LEVELS {
        return Err(reason);
    }
    for _ in 0..2 {
        ladder(inputs, state, scratch, loads, motions, 0.5 * share, dt_s, level + 1, report)?;
    }
    Ok(())
}

/// Feed, remesh, solve, commit.
fn substep(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
    motions: &[Motion],
    dt_s: f64,
    is_last: bool,
    report: &mut RodReport,
) -> Result<(), String> {
    report.substeps += 1;
    let target: Vec<f64> =
        state.devices.iter().zip(motions).map(|(d, m)| d.inserted_mm + m.feed_mm).collect();
    let mut start_mm = state.nodes_mm.clone();
    let resting = resting_nodes(state, inputs.tools);
    state.feed(&target, resting, &mut start_mm);
    for (d, m) in state.devices.iter_mut().zip(motions) {
        d.hub_angle_rad += m.spin_rad;
    }
    if state.nodes_mm.is_empty() {
        return Ok(());
    }
    state.mark_tips(&mut start_mm);
    state.adapt(inputs, &mut start_mm);
    prepare(inputs, state, scratch, &start_mm, dt_s);
    let world = World { wall: inputs.wall, law: inputs.law, loads };
    let outcome =
        minimize(&mut scratch.potential, &mut scratch.frames, &world, &IN_PLAY, &mut scratch.buffers);
    report.iterations += outcome.iterations;
    report.residual_n = outcome.residual_n;
    check(&outcome, scratch, inputs, &start_mm, is_last)?;
    commit(inputs, state, scratch, &start_mm, dt_s);
    Ok(())
}

/// Sets the potential up for a step from the state.
pub(super) fn prepare(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    start_mm: &[Vec3],
    dt_s: f64,
) {
    let p = &mut scratch.potential;
    p.layout.rebuild(state, inputs.tools, IMPERFECTION_PER_MM);
    p.rest_mm.clone_from(&state.rest_mm);
    let n = state.nodes_mm.len();
    p.contacts.reset(n);
    p.contacts.look_around(
        &state.nodes_mm,
        &p.layout.skins,
        &p.layout.arc_mm,
        p.layout.live_nodes(),
        inputs.others,
    );
    p.inertia_target.clear();
    p.inertia_weight.clear();
    p.drag_from.clear();
    p.drag_weight.clear();
    for (i, start) in start_mm.iter().enumerate() {
        let skin = &p.layout.skins[i];
        p.inertia_target.push(start + state.velocity_mm_per_s[i] * dt_s);
        p.inertia_weight.push(skin.mass_t / (dt_s * dt_s));
        p.drag_from.push(*start);
        p.drag_weight.push(DRAG_N_S_PER_MM2 * skin.length_mm / dt_s);
    }
    prepare_friction(inputs, state, p);
    scratch.frames.load(state);
    // Damping as a spring towards the shape at the start of the step.
    let c = SETTLE_S / dt_s;
    for d in 0..state.devices.len() {
        for i in 1..p.layout.reach[d] {
            let k = scratch.frames.corner(i).curvatures(&scratch.frames.directors(d, i));
            let twist = scratch.frames.twist(d, i);
            let spring = &mut p.layout.springs[d][i];
            spring.rest = [(spring.rest[0] + c * k[0]) / (1.0 + c), (spring.rest[1] + c * k[1]) / (1.0 + c)];
            spring.rest_twist = c * twist / (1.0 + c);
            spring.bend *= 1.0 + c;
            spring.twist *= 1.0 + c;
        }
    }
}

/// Hubs, anchors and rubbing.
pub(super) fn prepare_friction(inputs: &RodInputs<'_>, state: &RodState, p: &mut Potential) {
    p.contacts.anchors.clone_from(&state.anchors);
    for (s, anchor) in state.anchors.iter().enumerate() {
        let length = p.site_length_mm(s);
        p.contacts.touches[s].bristle = Potential::bristle_stiffness(&inputs.law, length, anchor.normal_n);
    }
    p.hub_angle.clear();
    p.rubs.resize(state.devices.len(), Vec::new());
    for (d, device) in state.devices.iter().enumerate() {
        p.hub_angle.push(device.hub_angle_rad);
        let rubs = &mut p.rubs[d];
        rubs.clear();
        for (j, memory) in device.rubs.iter().enumerate() {
            // The carrier is the nearest device around that reaches this edge.
            let carrier = (0..d).rev().find(|&c| j < p.layout.reach[c]);
            rubs.push(match carrier {
                Some(carrier) if memory.bound_n_mm > 1e-9 => Rub {
                    carrier,
                    bound: memory.bound_n_mm,
                    bristle: memory.bound_n_mm / RUB_SLACK_RAD,
                    anchor: memory.anchor_rad,
                },
                _ => Rub::default(),
            });
        }
    }
}

/// Whether a result may become the state.
fn check(
    outcome: &Outcome,
    scratch: &RodScratch,
    inputs: &RodInputs<'_>,
    start_mm: &[Vec3],
    is_last: bool,
) -> Result<(), String> {
    if outcome.broken {
        return Err("the solver found no finite step".to_owned());
    }
    let most = if is_last { TOO_UNBALANCED_N.1 } else { TOO_UNBALANCED_N.0 };
    if outcome.residual_n > most && !outcome.converged {
        return Err(format!("{:.2} N are left unbalanced, at most {most} N are allowed", outcome.residual_n));
    }
    let p = &scratch.potential;
    let touches = &p.contacts.touches;
    let outside_of = |s: usize| touches[s].depth_mm - p.layout.skins[skin_of(s)].radius_mm;
    let outside = (FIRST_SITE..touches.len()).map(outside_of).fold(0.0, f64::max);
    if outside > OUTSIDE_MM {
        // What was outside before (a moving wall, a poor start) may come back bit by bit.
        let before = (FIRST_SITE..touches.len())
            .map(|s| -inputs.wall.at(&position(start_mm, s)).inside_mm)
            .fold(OUTSIDE_MM, f64::max);
        if outside > before {
            return Err(format!(
                "a node would be {outside:.2} mm outside, at most {before:.2} mm are allowed"
            ));
        }
    }
    Ok(())
}

/// Writes a solved configuration into the state and moves what friction remembers.
pub(super) fn commit(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &RodScratch,
    start_mm: &[Vec3],
    dt_s: f64,
) {
    let (frames, p) = (&scratch.frames, &scratch.potential);
    frames.store(state);
    let live = p.layout.rests_from.min(start_mm.len());
    for (i, start) in start_mm.iter().enumerate().take(live).skip(2) {
        state.velocity_mm_per_s[i] = (frames.x[i] - start) / dt_s;
        state.lumen_mm[i] = p.contacts.lumen_mm(i);
    }
    // What rests remembers what it pressed with.
    state.velocity_mm_per_s[live..].fill(Vec3::zeros());
    for s in FIRST_SITE..sites(live) {
        state.anchors[s] = anchor_after(inputs, p, frames, s);
    }
    for d in 0..state.devices.len() {
        for j in 0..state.devices[d].rubs.len() {
            let rub = p.rubs[d][j];
            let carrier = (0..d).rev().find(|&c| j < p.layout.reach[c]);
            let Some(carrier) = carrier else { continue };
            let angle = frames.theta[d][j] - frames.theta[carrier][j];
            let memory = &mut state.devices[d].rubs[j];
            if rub.bound > 0.0 {
                let slack = rub.bound / rub.bristle;
                memory.anchor_rad = angle - (angle - rub.anchor).clamp(-slack, slack);
            } else {
                memory.anchor_rad = angle;
            }
        }
    }
}

/// Anchor of a contact after a step: the force stays, the stiffness is that of the new normal force.
fn anchor_after(inputs: &RodInputs<'_>, p: &Potential, frames: &Frames, s: usize) -> Anchor {
    let (touch, skin) = (&p.contacts.touches[s], &p.layout.skins[skin_of(s)]);
    if touch.force_n <= 0.0 {
        return Anchor::default();
    }
    let theta = frames.theta[skin.device].get(edge_of(s)).copied().unwrap_or(0.0);
    let mut point_mm = position(&frames.x, s);
    if let Some((u, _, secant, _)) = p.friction_at(frames, &inputs.law, s) {
        let stiffness = Potential::bristle_stiffness(&inputs.law, p.site_length_mm(s), touch.force_n);
        point_mm -= u * (secant / stiffness);
    }
    Anchor { active: true, point_mm, theta, normal_n: touch.force_n }
}
