//! Hubs: what the hands ask for, what stops them, what they feel; forces between nested devices.

use super::bend::{AngleBlock, EdgeBlock, Strain, add_vertex};
use super::energy::Potential;
use super::frames::Frames;
use super::release::cannot_return;
use super::state::RodState;
use super::step::RodScratch;
use super::{Blocked, RodInputs};
use crate::device::Device;
use crate::math::Vec3;
use crate::sim::command::Hold;

/// Friction of the valve on a released hub, N and N mm `[D]`.
const VALVE_N: f64 = 0.3;
const VALVE_N_MM: f64 = 1.0;
/// The same for a device in another's valve, opened `[D]`.
const INNER_VALVE_N: f64 = 0.05;
const INNER_VALVE_N_MM: f64 = 0.2;
/// How far a released hub yields to a force beyond its friction, mm/N, and at most in a tick, mm.
const YIELD_MM_PER_N: f64 = 0.3;
const YIELD_MM: f64 = 0.3;
/// Force of a hand on a hub, N `[D]`.
const HAND_N: f64 = 25.0;
/// Shaft between the fingers and the valve, mm `[D]`.
const FREE_SHAFT_MM: f64 = 25.0;
/// Sliding that mobilizes the whole friction between nested devices, mm.
const MOBILIZE_MM: f64 = 0.5;
/// Smallest share of friction that is left for rotation while a device slides.
const LEAST_SPIN_SHARE: f64 = 0.1;

/// Movement of a hub in a tick.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Motion {
    pub(super) feed_mm: f64,
    pub(super) spin_rad: f64,
}

impl Motion {
    pub(super) fn scaled(&self, share: f64) -> Self {
        Self { feed_mm: self.feed_mm * share, spin_rad: self.spin_rad * share }
    }
}

/// What every hub does in this tick: hands, clamps, friction of released hubs, ends of shafts.
pub(super) fn plan(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    dt_s: f64,
    blocked: &mut Vec<Blocked>,
) -> Vec<Motion> {
    let mut motions: Vec<Motion> = Vec::new();
    for d in 0..state.devices.len() {
        let device = &mut state.devices[d];
        let control = inputs.controls.get(device.tool.idx()).copied().unwrap_or_default();
        let carrier = d.checked_sub(1).map_or(Motion::default(), |c| motions[c]);
        device.hold = control.hold;
        let finite = |v: f64| if v.is_finite() { v } else { 0.0 };
        motions.push(match control.hold {
            Hold::Held => Motion {
                feed_mm: finite(control.feed_mm_per_s).clamp(-100.0, 100.0) * dt_s,
                spin_rad: finite(control.spin_rad_per_s).clamp(-7.0, 7.0) * dt_s,
            },
            Hold::Clamped => carrier,
            Hold::Free => free_motion(state, d, carrier),
        });
    }
    stop_loose(inputs.tools, state, &mut motions, blocked);
    stop_at_strength(inputs.tools, state, &mut motions, blocked);
    stop_at_ends(inputs.tools, state, &mut motions, blocked);
    motions
}

/// A loose coil that has begun to leave its catheter does not follow its pusher back.
fn stop_loose(tools: &[Device], state: &RodState, motions: &mut [Motion], blocked: &mut Vec<Blocked>) {
    for (d, (device, motion)) in state.devices.iter().zip(motions).enumerate() {
        if device.hold == Hold::Held && motion.feed_mm < 0.0 && cannot_return(state, tools, d) {
            motion.feed_mm = 0.0;
            let label = tools.get(device.tool.idx()).map_or("", |t| t.label.as_str());
            let reason = format!(
                "{label} lies loose before its pusher and has begun to leave: it cannot be drawn back"
            );
            blocked.push(Blocked { tool: device.tool, reason });
        }
    }
}

/// Stops a hand where pushing or pulling on would need more than it has, or than the shaft bears before the valve.
///
/// Between fingers and valve a shaft is a clamped column: it buckles at `4 pi^2 EI / L^2`.
fn stop_at_strength(tools: &[Device], state: &RodState, motions: &mut [Motion], blocked: &mut Vec<Blocked>) {
    for (d, device) in state.devices.iter().enumerate() {
        let Some(tool) = tools.get(device.tool.idx()).filter(|_| device.hold == Hold::Held) else { continue };
        let (force_n, feed) = (device.hub_force_n, motions[d].feed_mm);
        let ei = tool.section_at(tool.length_mm).bend_stiffness_n_mm2;
        let column_n = 4.0 * std::f64::consts::PI.powi(2) * ei / (FREE_SHAFT_MM * FREE_SHAFT_MM);
        let label = &tool.label;
        let reason = if feed > 0.0 && force_n > column_n.min(HAND_N) {
            if column_n < HAND_N {
                format!("{label} buckles before the valve: {force_n:.1} N of push, it bears {column_n:.1} N")
            } else {
                format!("{label} does not advance: {force_n:.1} N of push, a hand has {HAND_N} N")
            }
        } else if feed < 0.0 && -force_n > HAND_N {
            format!("{label} does not come back: {:.1} N of pull, a hand has {HAND_N} N", -force_n)
        } else {
            continue;
        };
        motions[d].feed_mm = 0.0;
        blocked.push(Blocked { tool: device.tool, reason });
    }
}

/// A released hub: it goes along with its carrier as long as friction can, and yields to what friction cannot hold.
fn free_motion(state: &RodState, d: usize, carrier: Motion) -> Motion {
    let device = &state.devices[d];
    let (valve_n, valve_n_mm) =
        if d == 0 { (VALVE_N, VALVE_N_MM) } else { (INNER_VALVE_N, INNER_VALVE_N_MM) };
    let mut motion = Motion::default();
    if d > 0 && device.grip_n + valve_n >= device.exit_force_n * carrier.feed_mm.signum() {
        motion.feed_mm = carrier.feed_mm;
    }
    let excess = device.hub_force_n.abs() - valve_n;
    if excess > 0.0 {
        motion.feed_mm -= device.hub_force_n.signum() * (excess * YIELD_MM_PER_N).min(YIELD_MM);
    }
    let excess = device.hub_torque_n_mm.abs() - valve_n_mm;
    if excess > 0.0 && !device.theta.is_empty() {
        let twist = device.hub_angle_rad - device.theta[0];
        motion.spin_rad = -twist * excess / device.hub_torque_n_mm.abs();
    }
    motion
}

/// Keeps every tip between the hub of what surrounds it and the end of its own shaft.
fn stop_at_ends(tools: &[Device], state: &RodState, motions: &mut [Motion], blocked: &mut Vec<Blocked>) {
    let label = |d: usize| {
        let id = state.devices[d].tool;
        tools.get(id.idx()).map_or_else(|| format!("device {}", id.0), |t| t.label.clone())
    };
    // A hub cannot be drawn back beyond the end of the wire that runs in it.
    for d in (1..state.devices.len()).rev() {
        let (inner, outer) = (motions[d].feed_mm, motions[d - 1].feed_mm);
        let left = state.external_mm(d) + outer - inner;
        if left < 0.0 && outer < 0.0 && state.devices[d].hold == Hold::Held {
            motions[d - 1].feed_mm = (outer - left).min(0.0);
            blocked.push(Blocked {
                tool: state.devices[d - 1].tool,
                reason: format!(
                    "{} cannot come back further: {} has {:.0} mm outside its hub and 0 mm are the least",
                    label(d - 1),
                    label(d),
                    state.external_mm(d).max(0.0)
                ),
            });
        }
    }
    for d in 0..state.devices.len() {
        let device = &state.devices[d];
        let hub = state.carrier_hub_mm(d) + d.checked_sub(1).map_or(0.0, |c| motions[c].feed_mm);
        let wanted = device.inserted_mm + motions[d].feed_mm;
        let (least, most) = (hub, hub + device.length_mm);
        let allowed = wanted.clamp(least.min(most), most);
        if (allowed - wanted).abs() > 1e-9 {
            let asked = motions[d].feed_mm;
            motions[d].feed_mm = allowed - device.inserted_mm;
            // A tip that its carrier takes along has not asked for anything.
            if device.hold != Hold::Held || (allowed - wanted) * asked >= 0.0 {
                continue;
            }
            let reason = if wanted > most {
                format!(
                    "{} is in to its hub: {:.0} mm of {:.0} mm",
                    label(d),
                    device.length_mm,
                    device.length_mm
                )
            } else {
                format!("{} is withdrawn to the hub: 0 mm of {:.0} mm are in", label(d), device.length_mm)
            };
            blocked.push(Blocked { tool: device.tool, reason });
        }
    }
}

/// Forces and torques at the hubs, friction between nested devices, for display and for the next tick.
///
/// The centerline feels only sums. An inner device's axial force changes along its carrier by `mu` times the force
/// with which the two press on each other, which is what its own bending and tension do not balance by themselves
/// (reference A3.7); the share that is mobilized follows the sliding between the two.
pub(super) fn outputs(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    motions: &[Motion],
) {
    let devices = state.devices.len();
    for d in 0..devices {
        let relative = motions[d].feed_mm - d.checked_sub(1).map_or(0.0, |c| motions[c].feed_mm);
        let device = &mut state.devices[d];
        device.mobilized = (device.mobilized + relative / MOBILIZE_MM).clamp(-1.0, 1.0);
        (device.hub_force_n, device.hub_torque_n_mm) = (0.0, 0.0);
        (device.grip_n, device.exit_force_n) = (0.0, 0.0);
    }
    let edges = state.rest_mm.len();
    if state.nodes_mm.is_empty() {
        return;
    }
    let p = &mut scratch.potential;
    p.layout.rebuild(state, inputs.tools, 0.0);
    p.rest_mm.clone_from(&state.rest_mm);
    scratch.frames.load(state);
    let frames = &scratch.frames;
    let total: Vec<f64> =
        (0..edges).map(|j| -p.layout.axial_n[j] * (frames.length[j] / state.rest_mm[j] - 1.0)).collect();
    let mut press: Vec<Vec<Vec3>> = Vec::new();
    for d in 0..devices {
        // The outermost device has no carrier to press on.
        press.push(if d == 0 { Vec::new() } else { own_forces(p, frames, d) });
    }
    let mut axial = vec![vec![0.0; edges + 1]; devices];
    for j in (1..edges).rev() {
        let covering: Vec<usize> =
            (0..devices).filter(|&d| state.devices[d].inserted_mm > p.layout.arc_mm[j] + 1e-9).collect();
        let Some((&outer, inner)) = covering.split_first() else { continue };
        let mut left = total[j];
        for (slot, &d) in inner.iter().enumerate() {
            let carrier = covering[slot];
            let push = axial[d][j + 1];
            let normal = contact_force(frames, &press[d], push, j + 1);
            let mu = lumen_friction(inputs.tools, state, d, carrier);
            let device = &mut state.devices[d];
            if device.grip_n == 0.0 && device.exit_force_n == 0.0 {
                device.exit_force_n = push;
            }
            device.grip_n += mu * normal;
            axial[d][j] = push + device.mobilized * mu * normal;
            left -= axial[d][j];
            remember_rub(state, p, frames, d, carrier, j, mu * normal, motions);
        }
        axial[outer][j] = left;
    }
    for (d, (device, axial)) in state.devices.iter_mut().zip(&axial).enumerate() {
        if let Some(first) = device.theta.first() {
            device.hub_force_n = axial[1] - sleeve_force(p, frames, d);
            device.hub_torque_n_mm = p.layout.hub_spring[d] * (device.hub_angle_rad - first);
        }
    }
}

/// Force with which a frictionless sleeve draws in a device that leaves it bent, N: `EI kappa^2 / 2`.
///
/// The energy that a length of device takes along when it leaves the straight sheath into a curve comes from the hub
/// (Bigoni et al. 2015, Eshelby-like forces); here as the derivative of the bending energy against the rest length of
/// the first edge, so that hub work and energy agree in the discrete rod.
fn sleeve_force(p: &Potential, frames: &Frames, d: usize) -> f64 {
    let mut sum = 0.0;
    for i in 1..p.layout.reach[d].min(3).min(frames.tangent.len()) {
        let cell = if i == 1 { 0.5 * p.rest_mm[1] } else { 0.5 * (p.rest_mm[i - 1] + p.rest_mm[i]) };
        let k = frames.corner(i).curvatures(&frames.directors(d, i));
        sum += 0.25 * p.layout.springs[d][i].bend * (k[0] * k[0] + k[1] * k[1]) / cell;
    }
    sum
}

/// Friction coefficient between two nested devices: that of the more slippery surface. A wet coating or a PTFE liner
/// lubricates the pair whatever it slides on.
fn lumen_friction(tools: &[Device], state: &RodState, inner: usize, outer: usize) -> f64 {
    let of = |d: usize| tools.get(state.devices[d].tool.idx()).map_or(0.1, |t| t.friction_lumen);
    of(inner).min(of(outer))
}

/// Force of a device's own bending on each node (minus the gradient of its energy), N.
fn own_forces(p: &Potential, frames: &Frames, d: usize) -> Vec<Vec3> {
    let n = frames.x.len();
    let mut force = vec![Vec3::zeros(); n];
    for i in 1..p.layout.reach[d].min(n - 1) {
        let spring = &p.layout.springs[d][i];
        let corner = frames.corner(i);
        let directors = frames.directors(d, i);
        let k = corner.curvatures(&directors);
        let strain = Strain {
            bend: spring.bend,
            k,
            dk: [k[0] - spring.rest[0], k[1] - spring.rest[1]],
            twist: 0.0,
            dm: 0.0,
        };
        let (mut edges, mut angles) = (EdgeBlock::default(), AngleBlock::default());
        add_vertex(&corner, &directors, &strain, false, &mut edges, &mut angles);
        force[i - 1] += edges.ge;
        force[i] += edges.gf - edges.ge;
        force[i + 1] -= edges.gf;
    }
    force
}

/// Force with which a device presses on its carrier at a node: what its bending and its push do not balance, N.
fn contact_force(frames: &Frames, own: &[Vec3], push_n: f64, i: usize) -> f64 {
    let edges = frames.tangent.len();
    let (a, b) = (frames.tangent[i - 1], frames.tangent[i.min(edges - 1)]);
    let mean = a + b;
    let t = if mean.norm() > 1e-9 { mean.normalize() } else { a };
    // A push along both edges leaves push (a - b) at the node.
    let f = own[i] + (a - b) * push_n;
    (f - t * t.dot(&f)).norm()
}

/// Sets the bound of rubbing in rotation on an edge for the next tick.
fn remember_rub(
    state: &mut RodState,
    p: &Potential,
    frames: &Frames,
    d: usize,
    carrier: usize,
    j: usize,
    friction_n: f64,
    motions: &[Motion],
) {
    if j >= p.layout.reach[d] || j >= p.layout.reach[carrier] {
        return;
    }
    let radius = p.layout.radius_mm[d][j];
    let slide = (motions[d].feed_mm - motions[carrier].feed_mm).abs();
    let turn = (motions[d].spin_rad - motions[carrier].spin_rad).abs() * radius;
    // One cone for sliding and turning: what slides fast has little friction left against turning.
    let share = if slide < 1e-9 { 1.0 } else { (turn / slide.hypot(turn)).max(LEAST_SPIN_SHARE) };
    let angle = frames.theta[d][j] - frames.theta[carrier][j];
    let memory = &mut state.devices[d].rubs[j];
    if memory.bound_n_mm <= 0.0 {
        memory.anchor_rad = angle;
    }
    memory.bound_n_mm = (friction_n * radius * share).max(1e-9);
}
