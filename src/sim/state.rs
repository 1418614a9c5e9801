//! Everything that is needed to go on bit-exactly.

use serde::{Deserialize, Serialize};

use super::contact::WallShift;
use super::contrast::ContrastState;
use super::contrast::injector::InjectorState;
use super::dilation::DilationState;
use super::exposure::{self, ExposureState};
use super::flow::{FlowState, PressureLines};
use super::harm::HarmState;
use super::implant::ImplantState;
use super::model::Model;
use super::physiology::PhysiologyState;
use super::protection::ProtectionState;
use super::record::StateHash;
use super::rod::{self, RodState, ToolControl};
use super::therapy::TherapyState;
use super::world::WorldState;
use crate::math::hash::StateHasher;

/// The whole state of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Ticks done.
    pub tick: u64,
    /// Seed of all streams.
    pub seed: u64,
    /// One rod per access.
    pub rods: Vec<RodState>,
    /// What the hands do, per tool.
    pub controls: Vec<ToolControl>,
    /// Displacement of the vessels.
    pub wall_shift: WallShift,
    /// Depth of breath that the vessels' walls have followed, -1 to 1.
    pub breath_of_walls: f64,
    /// Contraction of the heart that they have followed, 0 to 1.
    pub contraction_of_walls: f64,
    /// Free bodies.
    pub world: WorldState,
    /// Pressures and flows.
    pub flow: FlowState,
    /// Transducers.
    pub pressure_lines: PressureLines,
    /// Iodine and particles.
    pub contrast: ContrastState,
    /// Beds.
    pub therapy: TherapyState,
    /// Coils.
    pub implants: ImplantState,
    /// Balloons and stents.
    pub dilation: DilationState,
    /// Filters and suction.
    pub protection: ProtectionState,
    /// Syringe and injector.
    pub injector: InjectorState,
    /// Patient.
    pub patient: PhysiologyState,
    /// X-ray room.
    pub exposure: ExposureState,
    /// Tips against the wall.
    pub harm: HarmState,
    /// Case events that wait: index in the case, ticks left.
    pub pending_events: Vec<(usize, u64)>,
    /// Ticks left of a time skip.
    pub skip_ticks: u64,
    /// Perforations so far (names their leaks).
    pub perforations: u32,
    /// The operator has declared the end.
    pub is_finished: bool,
}

impl State {
    /// The start of a case.
    pub fn new(model: &Model, seed: u64) -> Self {
        let patient = PhysiologyState::new(&model.case.patient);
        Self {
            tick: 0,
            seed,
            rods: model.bases.iter().map(|base| rod::new(*base)).collect(),
            controls: vec![ToolControl::default(); model.tools.len()],
            wall_shift: WallShift::default(),
            breath_of_walls: 0.0,
            contraction_of_walls: 0.0,
            world: WorldState::new(seed),
            flow: FlowState::new(&model.network),
            pressure_lines: PressureLines::default(),
            contrast: ContrastState::new(&model.network, &model.contrast),
            implants: ImplantState::default(),
            dilation: DilationState::of(seed, &model.dilation),
            protection: ProtectionState::default(),
            therapy: TherapyState::new(&model.network, &model.therapy),
            injector: InjectorState::new(&model.injector),
            exposure: ExposureState::new(&model.exposure),
            harm: HarmState::default(),
            patient,
            pending_events: Vec::new(),
            skip_ticks: 0,
            perforations: 0,
            is_finished: false,
        }
    }

    /// The three words that a replay must reproduce.
    pub fn hash(&self) -> StateHash {
        let mut mechanics = StateHasher::new();
        mechanics.u64(self.tick);
        for rod in &self.rods {
            rod::hash(rod, &mut mechanics);
        }
        mechanics.value(&self.wall_shift);
        mechanics.value(&(self.breath_of_walls, self.contraction_of_walls));
        self.dilation.hash_into(&mut mechanics);
        mechanics.value(&self.protection);
        super::world::hash(&self.world, &mut mechanics);
        mechanics.value(&self.harm);
        let mut blood = StateHasher::new();
        self.flow.hash_into(&mut blood);
        self.pressure_lines.hash_into(&mut blood);
        self.contrast.hash_into(&mut blood);
        self.implants.hash_into(&mut blood);
        self.therapy.hash_into(&mut blood);
        self.injector.hash_into(&mut blood);
        self.patient.hash_into(&mut blood);
        let mut xray = StateHasher::new();
        exposure::hash(&self.exposure, &mut xray);
        StateHash { mechanics: mechanics.finish(), blood: blood.finish(), xray: xray.finish() }
    }
}
