//! Stage: the rigid world. Free bodies that the flow drags and that touch wall and devices, by rapier.
//!
//! The state holds the bodies alone, by position and velocity; rapier's sets are made from it for each tick (the wall
//! is shared, so that costs little), which makes going on from a snapshot bit-exact by construction. rapier works in
//! f32 with mm, grams and seconds.

use rapier3d::parry::shape::{SharedShape, TriMeshFlags};
use rapier3d::prelude::{ColliderBuilder, PhysicsWorld, RigidBodyBuilder, RigidBodyHandle, Vector};
use serde::{Deserialize, Serialize};

mod drift;

use crate::anatomy::{LumenMesh, VesselPlace, VesselTree};
use crate::math::Vec3;
use crate::math::hash::StateHasher;
use crate::math::rng::{ChaCha8Rng, Stream, stream};
use crate::sim::command::ToolId;
use crate::sim::contact::{WallQuery, Widening};
use crate::sim::snapshot::{BodyView, RodView};

/// Lengths of the world in mm: scales rapier's slop and prediction.
const LENGTH_UNIT: f32 = 1.0;
/// A body moves at most this share of its radius in one substep.
const STEP_SHARE: f64 = 0.4;
/// Most substeps of a tick.
const MAX_SUBSTEPS: usize = 32;
/// Speed with which overlap is resolved, mm/s.
const CORRECTION_MM_PER_S: f32 = 200.0;
/// Wet gelatin on endothelium `[K]`.
const FRICTION: f32 = 0.1;
/// Soaked gelatin, g/mm3 `[K]`.
const PLEDGET_DENSITY_G_PER_MM3: f64 = 1.1e-3;
/// Only devices this near to a body are mirrored, mm.
const MIRROR_REACH_MM: f64 = 8.0;
/// A body is lodged where the lumen is at most this many times as wide as it...
const LODGE_SHARE: f64 = 1.05;
/// ... and it has been slower than this, mm/s ...
const LODGE_SPEED_MM_PER_S: f64 = 2.0;
/// ... for this long, s.
const LODGE_AFTER_S: f64 = 0.2;

/// The compiled wall of the rigid world.
pub struct World {
    wall: Option<SharedShape>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("has_wall", &self.wall.is_some()).finish()
    }
}

impl World {
    /// The wall collider of a closed lumen mesh of either winding: one-sided, its front towards the lumen.
    pub fn compile(lumen: &LumenMesh) -> Self {
        let vertices = lumen.mesh.vertices_mm.iter().map(to_f32).collect();
        let mut triangles = lumen.mesh.triangles.clone();
        if lumen.mesh.signed_volume_mm3() > 0.0 {
            for t in &mut triangles {
                t.swap(1, 2);
            }
        }
        let flags = TriMeshFlags::ORIENTED | TriMeshFlags::FIX_INTERNAL_EDGES;
        Self { wall: SharedShape::trimesh_with_flags(vertices, triangles, flags).ok() }
    }
}

/// A free body: a ball of gelatin sponge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeBody {
    /// Radius, mm.
    pub radius_mm: f64,
    /// Center, patient frame, mm.
    pub position_mm: Vec3,
    /// Velocity, mm/s.
    pub velocity_mm_per_s: Vec3,
    /// Angular velocity, rad/s.
    pub spin_rad_per_s: Vec3,
    /// Where it is on the tree: the vessel whose blood it has gone with.
    pub place: VesselPlace,
    /// How long it has been slow, s.
    pub slow_s: f64,
    /// It has come to rest where the vessel is as small as it.
    pub is_lodged: bool,
    /// Iodine it was soaked with, mg.
    pub iodine_mg: f64,
    /// The implant that drifts as this body; its shape is there.
    #[serde(default)]
    pub implant: Option<u32>,
    /// A piece of plaque or clot that treatment set free.
    #[serde(default)]
    pub is_debris: bool,
    /// What has taken it out of the blood.
    #[serde(default)]
    pub held: Option<Held>,
}

/// Where a body is that is no longer in the blood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// In a filter, or on the tip of a catheter that drew it in.
    By(ToolId),
    /// Out of the patient.
    Out,
}

impl FreeBody {
    /// It moves with the blood.
    fn is_free(&self) -> bool {
        !self.is_lodged && self.held.is_none()
    }

    fn mass_g(&self) -> f64 {
        PLEDGET_DENSITY_G_PER_MM3 * 4.0 / 3.0 * std::f64::consts::PI * self.radius_mm.powi(3)
    }
}

/// All free bodies, and the random stream that decides which way they go where vessels part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorldState {
    /// Bodies in the order in which they came.
    pub bodies: Vec<FreeBody>,
    rng: ChaCha8Rng,
}

impl WorldState {
    /// No body yet.
    pub fn new(seed: u64) -> Self {
        Self { bodies: Vec::new(), rng: stream(seed, Stream::World) }
    }

    /// Puts a gelatin pledget of 0.2 to 5 mm diameter into the blood. Returns its index.
    pub fn spawn_pledget(
        &mut self,
        diameter_mm: f64,
        position_mm: Vec3,
        place: VesselPlace,
        iodine_mg: f64,
    ) -> usize {
        self.bodies.push(FreeBody {
            radius_mm: 0.5 * diameter_mm.clamp(0.2, 5.0),
            position_mm,
            velocity_mm_per_s: Vec3::zeros(),
            spin_rad_per_s: Vec3::zeros(),
            place,
            slow_s: 0.0,
            is_lodged: false,
            iodine_mg,
            implant: None,
            is_debris: false,
            held: None,
        });
        self.bodies.len() - 1
    }

    /// A piece of plaque or clot comes off a wall. Returns the index of the body.
    pub fn spawn_debris(&mut self, diameter_mm: f64, position_mm: Vec3, place: VesselPlace) -> usize {
        let at = self.spawn_pledget(diameter_mm, position_mm, place, 0.0);
        self.bodies[at].is_debris = true;
        at
    }

    /// Lets an implant go that the blood has torn loose, as a ball of its diameter. Returns the index of the body.
    pub fn spawn_implant(
        &mut self,
        implant: u32,
        diameter_mm: f64,
        position_mm: Vec3,
        place: VesselPlace,
    ) -> usize {
        let at = self.spawn_pledget(diameter_mm, position_mm, place, 0.0);
        let body = &mut self.bodies[at];
        (body.radius_mm, body.implant) = (0.5 * diameter_mm, Some(implant));
        at
    }

    /// What a picture needs.
    pub fn view(&self) -> Vec<BodyView> {
        let view = |b: &FreeBody| BodyView {
            position_mm: b.position_mm,
            radius_mm: b.radius_mm,
            iodine_mg: b.iodine_mg,
            lodged: b.is_lodged,
        };
        self.bodies.iter().filter(|b| b.implant.is_none() && b.held != Some(Held::Out)).map(view).collect()
    }
}

/// Feeds everything that decides the future of the bodies into a hash.
pub fn hash(state: &WorldState, hasher: &mut StateHasher) {
    hasher.value(state);
}

/// What the world needs from outside for a tick.
#[derive(Clone, Copy)]
pub struct WorldInputs<'a> {
    /// Vessels.
    pub tree: &'a VesselTree,
    /// The wall: it holds what rapier's contacts let through.
    pub wall: &'a dyn WallQuery,
    /// How far it stands outside the built one.
    pub widening: &'a Widening,
    /// Flow at a place, mL/s, + away from the heart.
    pub flow_ml_per_s: &'a dyn Fn(&VesselPlace) -> f64,
    /// Rods after their step.
    pub rods: &'a [RodView],
    /// Outer radius of each device of the tray, mm.
    pub tool_radius_mm: &'a [f64],
}

impl WorldInputs<'_> {
    /// Radius of the lumen at a place now, mm.
    fn radius_mm(&self, place: &VesselPlace) -> f64 {
        self.tree.branch(place.vessel).at(place.arc_mm).radius_mm + self.widening.at(place)
    }
}

/// A body that came to rest in this tick: the flow may take it as an obstruction of its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lodging {
    /// Index of the body.
    pub body: usize,
    /// Where.
    pub place: VesselPlace,
    /// Its diameter, mm.
    pub diameter_mm: f64,
}

/// Moves the free bodies on by `dt_s`; says which came to rest.
pub fn advance(world: &World, state: &mut WorldState, inputs: &WorldInputs<'_>, dt_s: f64) -> Vec<Lodging> {
    free_touched(state, inputs);
    if !state.bodies.iter().any(FreeBody::is_free) {
        return Vec::new();
    }
    let (mut physics, handles) = sets(world, state, inputs);
    let fastest = state.bodies.iter().filter(|b| b.is_free()).map(|b| {
        let speed = drift::speed_bound_mm_per_s(b, inputs).max(b.velocity_mm_per_s.norm());
        speed * dt_s / (STEP_SHARE * b.radius_mm)
    });
    let substeps = (fastest.fold(1.0, f64::max).ceil() as usize).min(MAX_SUBSTEPS);
    let h = dt_s / substeps as f64;
    physics.integration_parameters.dt = h as f32;
    for _ in 0..substeps {
        for (body, handle) in state.bodies.iter_mut().zip(&handles) {
            if body.is_free() {
                drift::drag(body, inputs, h);
                if let Some(rigid) = physics.bodies.get_mut(*handle) {
                    rigid.set_linvel(to_f32(&body.velocity_mm_per_s), true);
                }
            }
        }
        physics.step();
        for (body, handle) in state.bodies.iter_mut().zip(&handles) {
            let Some(rigid) = physics.bodies.get_mut(*handle).filter(|_| body.is_free()) else { continue };
            let position = rigid.translation();
            body.position_mm = to_f64(position);
            body.velocity_mm_per_s = to_f64(rigid.linvel());
            body.spin_rad_per_s = to_f64(rigid.angvel());
            if hold_inside(body, inputs.wall) {
                rigid.set_translation(to_f32(&body.position_mm), true);
            }
            drift::follow(body, inputs, &mut state.rng);
        }
    }
    settle(state, inputs, dt_s)
}

/// rapier's sets for a tick: wall, bodies, and the devices near them.
fn sets(world: &World, state: &WorldState, inputs: &WorldInputs<'_>) -> (PhysicsWorld, Vec<RigidBodyHandle>) {
    let mut physics = PhysicsWorld { gravity: Vector::ZERO, ..PhysicsWorld::default() };
    let p = &mut physics.integration_parameters;
    p.length_unit = LENGTH_UNIT;
    p.normalized_max_corrective_velocity = CORRECTION_MM_PER_S / LENGTH_UNIT;
    p.normalized_max_linear_velocity = f32::MAX;
    p.num_solver_iterations = 8;
    if let Some(wall) = &world.wall {
        physics.colliders.insert(ColliderBuilder::new(wall.clone()).density(0.0).friction(FRICTION));
    }
    for (a, b, radius_mm) in mirrors(state, inputs) {
        let rigid = physics.bodies.insert(RigidBodyBuilder::kinematic_position_based());
        let capsule = ColliderBuilder::capsule_from_endpoints(to_f32(&a), to_f32(&b), radius_mm as f32);
        physics.colliders.insert_with_parent(capsule.friction(FRICTION), rigid, &mut physics.bodies);
    }
    let mut handles = Vec::with_capacity(state.bodies.len());
    for b in &state.bodies {
        let builder = if !b.is_free() {
            RigidBodyBuilder::fixed()
        } else {
            RigidBodyBuilder::dynamic().can_sleep(false)
        };
        let rigid = physics.bodies.insert(
            builder
                .translation(to_f32(&b.position_mm))
                .linvel(to_f32(&b.velocity_mm_per_s))
                .angvel(to_f32(&b.spin_rad_per_s)),
        );
        handles.push(rigid);
        if b.held.is_some() {
            continue;
        }
        let ball = ColliderBuilder::ball(b.radius_mm as f32)
            .density((b.mass_g() / (4.0 / 3.0 * std::f64::consts::PI * b.radius_mm.powi(3))) as f32)
            .friction(FRICTION);
        physics.colliders.insert_with_parent(ball, rigid, &mut physics.bodies);
    }
    (physics, handles)
}

/// Edges of rods near free bodies as capsules.
fn mirrors(state: &WorldState, inputs: &WorldInputs<'_>) -> Vec<(Vec3, Vec3, f64)> {
    let mut out = Vec::new();
    for rod in inputs.rods {
        for i in 1..rod.nodes_mm.len() {
            let (a, b) = (rod.nodes_mm[i - 1], rod.nodes_mm[i]);
            let radius_mm = edge_radius_mm(rod, i, inputs.tool_radius_mm);
            let near = |body: &FreeBody| {
                body.is_free()
                    && to_segment(&body.position_mm, &a, &b) < MIRROR_REACH_MM + body.radius_mm + radius_mm
            };
            if radius_mm > 0.0 && (b - a).norm() > 1e-6 && state.bodies.iter().any(near) {
                out.push((a, b, radius_mm));
            }
        }
    }
    out
}

/// Outer radius of the outermost device on the edge that ends at node `i`, mm; 0 where there is none.
fn edge_radius_mm(rod: &RodView, i: usize, tool_radius_mm: &[f64]) -> f64 {
    let middle = 0.5 * (rod.arc_mm.get(i - 1).unwrap_or(&0.0) + rod.arc_mm.get(i).unwrap_or(&0.0));
    let covers = rod.devices.iter().filter(|d| d.inserted_mm >= middle);
    covers.filter_map(|d| tool_radius_mm.get(d.tool.idx())).fold(0.0, |widest, r| r.max(widest))
}

fn to_segment(p: &Vec3, a: &Vec3, b: &Vec3) -> f64 {
    let d = b - a;
    let t = ((p - a).dot(&d) / d.norm_squared().max(1e-12)).clamp(0.0, 1.0);
    (p - a - d * t).norm()
}

/// A body whose middle has come closer to the wall than half its radius goes back, and what drove it out is gone.
/// (Where the vessel is narrower than the body it is soft and may overlap that far.)
fn hold_inside(body: &mut FreeBody, wall: &dyn WallQuery) -> bool {
    let hit = wall.at(&body.position_mm);
    let missing = 0.5 * body.radius_mm.min(hit.radius_mm) - hit.inside_mm;
    if missing <= 0.0 {
        return false;
    }
    body.position_mm += hit.inward * missing;
    let out = body.velocity_mm_per_s.dot(&hit.inward).min(0.0);
    body.velocity_mm_per_s -= hit.inward * out;
    true
}

/// A lodged body that a device touches is free again.
fn free_touched(state: &mut WorldState, inputs: &WorldInputs<'_>) {
    for body in state.bodies.iter_mut().filter(|b| b.is_lodged && b.implant.is_none() && b.held.is_none()) {
        let touches = inputs.rods.iter().any(|rod| {
            (1..rod.nodes_mm.len()).any(|i| {
                let reach = body.radius_mm + edge_radius_mm(rod, i, inputs.tool_radius_mm);
                to_segment(&body.position_mm, &rod.nodes_mm[i - 1], &rod.nodes_mm[i]) < reach
            })
        });
        if touches {
            body.is_lodged = false;
            body.slow_s = 0.0;
        }
    }
}

/// Bodies that have been slow for a while where the lumen is as small as they, or at the end of a vessel, rest.
fn settle(state: &mut WorldState, inputs: &WorldInputs<'_>, dt_s: f64) -> Vec<Lodging> {
    let mut lodgings = Vec::new();
    for (i, body) in state.bodies.iter_mut().enumerate().filter(|(_, b)| b.is_free()) {
        let branch = inputs.tree.branch(body.place.vessel);
        let radius_mm = inputs.radius_mm(&body.place);
        let is_narrow = radius_mm <= LODGE_SHARE * body.radius_mm;
        let at_end = branch.outlet.is_some()
            && branch.length_mm() - body.place.arc_mm <= 1.5 * radius_mm.max(body.radius_mm);
        // At an end the blood goes on into vessels that are not there: what it shakes there has arrived.
        let rests = at_end || body.velocity_mm_per_s.norm() < LODGE_SPEED_MM_PER_S;
        body.slow_s = if rests { body.slow_s + dt_s } else { 0.0 };
        if body.slow_s >= LODGE_AFTER_S && (is_narrow || at_end) {
            body.is_lodged = true;
            body.velocity_mm_per_s = Vec3::zeros();
            body.spin_rad_per_s = Vec3::zeros();
            lodgings.push(Lodging { body: i, place: body.place, diameter_mm: 2.0 * body.radius_mm });
        }
    }
    lodgings
}

fn to_f32(v: &Vec3) -> Vector {
    Vector::new(v.x as f32, v.y as f32, v.z as f32)
}

fn to_f64(v: Vector) -> Vec3 {
    Vec3::new(f64::from(v.x), f64::from(v.y), f64::from(v.z))
}
