//! The cantilever as a chain of rapier's rigid bodies.

use cathnav::math::Vec3;
use rapier3d::prelude as rapier;

use super::{DIAMETER_MM, EI_N_MM2, LENGTH_MM};

/// How the links of a chain hold together and bend.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joints {
    /// Impulse joints with force-based motors.
    Impulse,
    /// A multibody with force-based motors.
    Motors,
    /// A multibody with its implicit joint springs.
    Springs,
}

/// Time step, s.
pub(crate) const CHAIN_DT_S: f32 = 1.0 / 240.0;
/// Damping over stiffness of the joints, s: the lowest mode (0.54 Hz) at about half of its critical damping.
const CHAIN_DAMPING_S: f64 = 0.3;
/// 1 N in g mm/s2: a chain is in mm, g, s.
const CHAIN_UNITS_PER_N: f64 = 1e6;
/// Mean density, g/mm3, as our rod has it.
const DENSITY_G_PER_MM3: f64 = 5e-3;

/// Links of rapier with spherical joints along +z from the origin.
pub(crate) struct Chain {
    world: rapier::PhysicsWorld,
    last: rapier::RigidBodyHandle,
    half_mm: f32,
}

impl Chain {
    pub(crate) fn new(links: usize, kind: Joints, iterations: usize) -> Self {
        let h = LENGTH_MM / links as f64;
        let mut world = rapier::PhysicsWorld { gravity: rapier::Vector::ZERO, ..Default::default() };
        world.integration_parameters.dt = CHAIN_DT_S;
        world.integration_parameters.num_solver_iterations = iterations;
        // Scales the largest speed that rapier allows; nothing touches here.
        world.integration_parameters.length_unit = 1000.0;
        let r = 0.5 * DIAMETER_MM;
        let mass = DENSITY_G_PER_MM3 * std::f64::consts::PI * r * r * h;
        let (across, along) = (mass * (h * h / 12.0 + r * r / 4.0), mass * r * r / 2.0);
        let inertia = rapier::Vector::new(across as f32, across as f32, along as f32);
        let half_mm = (0.5 * h) as f32;
        let half = rapier::Vector::new(0.0, 0.0, half_mm);
        let mut last = world.insert_body(rapier::RigidBodyBuilder::fixed());
        for i in 0..links {
            let link = world.insert_body(
                rapier::RigidBodyBuilder::dynamic()
                    .translation(rapier::Vector::new(0.0, 0.0, ((i as f64 + 0.5) * h) as f32))
                    .additional_mass_properties(rapier::MassProperties::new(
                        rapier::Vector::ZERO,
                        mass as f32,
                        inertia,
                    ))
                    .can_sleep(false),
            );
            // The first joint stands for half a link.
            let cell = if i == 0 { 0.5 * h } else { h };
            let bend = EI_N_MM2 / cell * CHAIN_UNITS_PER_N;
            let stiffness = [bend, bend, 0.77 * bend];
            let anchor = if i == 0 { rapier::Vector::ZERO } else { half };
            let mut joint = rapier::SphericalJointBuilder::new()
                .local_anchor1(anchor)
                .local_anchor2(-half)
                .contacts_enabled(false);
            if kind != Joints::Springs {
                let axes = [rapier::JointAxis::AngX, rapier::JointAxis::AngY, rapier::JointAxis::AngZ];
                for (axis, k) in axes.into_iter().zip(stiffness) {
                    joint = joint.motor_model(axis, rapier::MotorModel::ForceBased).motor_position(
                        axis,
                        0.0,
                        k as f32,
                        (CHAIN_DAMPING_S * k) as f32,
                    );
                }
            }
            if kind == Joints::Impulse {
                world.insert_impulse_joint(last, link, joint.build());
            } else {
                let handle =
                    world.insert_multibody_joint(last, link, joint.build()).expect("a chain has no loop");
                if kind == Joints::Springs {
                    let (body, id) = world.multibody_joints.get_mut(handle).expect("it is there");
                    let spring = &mut body.link_mut(id).expect("it is there").joint;
                    for (axis, k) in stiffness.into_iter().enumerate() {
                        spring.set_spring(3 + axis, k as f32, 0.0);
                    }
                    // The newest link's unknowns are the last three.
                    let damping = body.damping_mut();
                    let unknowns = damping.len();
                    for (axis, k) in stiffness.into_iter().enumerate() {
                        damping[unknowns - 3 + axis] = (CHAIN_DAMPING_S * k) as f32;
                    }
                }
            }
            last = link;
        }
        Self { world, last, half_mm }
    }

    /// A step under the dead load; says where the tip is, mm.
    pub(crate) fn step(&mut self) -> Vec3 {
        let load = EI_N_MM2 / (LENGTH_MM * LENGTH_MM) * CHAIN_UNITS_PER_N;
        let half = rapier::Vector::new(0.0, 0.0, self.half_mm);
        let link = &mut self.world.bodies[self.last];
        let tip = link.position().transform_point(half);
        link.reset_forces(true);
        link.reset_torques(true);
        link.add_force_at_point(rapier::Vector::new(load as f32, 0.0, 0.0), tip, true);
        self.world.step();
        let tip = self.world.bodies[self.last].position().transform_point(half);
        Vec3::new(f64::from(tip.x), f64::from(tip.y), f64::from(tip.z))
    }
}
