//! Blood: flow, contrast, injection, therapy, patient, each against closed forms or by property.

use cathnav::anatomy::{
    At, Branch, CenterlinePoint, Circulation, LesionDescription, Outlet, VesselId, VesselPlace, VesselTree,
};
use cathnav::device::{Embolic, SizeClass};
use cathnav::math::Vec3;
use cathnav::scenario::{Patient, Room};
use cathnav::sim::EventKind;
use cathnav::sim::contrast::injector::{self, InjectorModel, InjectorState, LumenInput};
use cathnav::sim::contrast::{self, ContrastModel, ContrastScratch, ContrastState};
use cathnav::sim::flow::{self, FlowInputs, FlowScratch, FlowState, Network, Obstruction, Source};
use cathnav::sim::physiology::{self, PhysiologyInputs, PhysiologyState};
use cathnav::sim::therapy::{self, TherapyModel, TherapyState};
use cathnav::units::TICK_S;

use crate::table::{residual, row, value};

#[path = "blood/carry.rs"]
mod carry;
#[path = "blood/circulation.rs"]
mod circulation;
#[path = "blood/embolize.rs"]
mod embolize;
#[path = "blood/line.rs"]
mod line;
#[path = "blood/network.rs"]
mod network;
#[path = "blood/patient.rs"]
mod patient;
#[path = "blood/pelvis.rs"]
mod pelvis;
#[path = "blood/pump.rs"]
mod pump;
#[path = "blood/uterus.rs"]
mod uterus;

/// A straight branch of linearly varying radius.
fn branch(name: &str, origin: Option<VesselPlace>, from: Vec3, to: Vec3, radii_mm: (f64, f64)) -> Branch {
    let length = (to - from).norm();
    let n = (length / 1.0).ceil() as usize + 1;
    let tangent = (to - from) / length;
    let normal = cathnav::math::orthogonal(&tangent);
    let point = |i: usize| {
        let t = i as f64 / (n - 1) as f64;
        CenterlinePoint {
            position_mm: from + (to - from) * t,
            tangent,
            normal,
            radius_mm: radii_mm.0 + t * (radii_mm.1 - radii_mm.0),
            arc_mm: t * length,
        }
    };
    Branch {
        name: name.to_owned(),
        ta_name: name.to_owned(),
        label: name.to_owned(),
        origin,
        distal_join: None,
        points: (0..n).map(point).collect(),
        outlet: None,
        wall_ep_n_per_mm2: 0.1,
        wall_thickness_mm: 0.8,
    }
}

fn outlet(bed: &str, flow_ml_per_s: f64) -> Option<Outlet> {
    let center = Vec3::zeros();
    Some(Outlet {
        bed: bed.to_owned(),
        flow_ml_per_s,
        transit_s: 6.0,
        blush_center_mm: center,
        blush_radius_mm: 20.0,
    })
}

fn at(vessel: u32, arc_mm: f64) -> VesselPlace {
    VesselPlace { vessel: VesselId(vessel), arc_mm }
}

/// One tube along x with a bed at its end.
fn tube(radius_mm: f64, length_mm: f64, flow_ml_per_s: f64) -> VesselTree {
    let mut b = branch("tube", None, Vec3::zeros(), Vec3::new(length_mm, 0.0, 0.0), (radius_mm, radius_mm));
    b.outlet = outlet("bed", flow_ml_per_s);
    VesselTree { branches: vec![b] }
}

/// Aorta, two common iliacs, on the left internal and external, the internal with two divisions, obturator and
/// vesical on the anterior one: sizes and flows like a pelvis.
fn small_pelvis() -> VesselTree {
    let v = Vec3::new;
    let mut t = vec![
        branch("aorta", None, v(0.0, 0.0, 100.0), v(0.0, 0.0, 0.0), (8.2, 7.9)),
        branch("common.left", Some(at(0, 100.0)), v(0.0, 0.0, 0.0), v(35.0, 0.0, -40.0), (5.0, 4.7)),
        branch("common.right", Some(at(0, 100.0)), v(0.0, 0.0, 0.0), v(-35.0, 0.0, -40.0), (4.9, 4.6)),
        branch("external.left", Some(at(1, 53.0)), v(34.9, 0.0, -39.9), v(75.0, -40.0, -130.0), (3.7, 3.5)),
        branch("internal.left", Some(at(1, 52.0)), v(34.2, 0.0, -39.1), v(34.0, 30.0, -70.0), (3.4, 3.2)),
        branch("posterior.left", Some(at(4, 42.0)), v(34.0, 29.0, -69.0), v(60.0, 60.0, -80.0), (2.6, 2.2)),
        branch("anterior.left", Some(at(4, 42.0)), v(34.0, 29.0, -69.0), v(30.0, 10.0, -110.0), (2.4, 2.1)),
        branch(
            "obturator.left",
            Some(at(6, 20.0)),
            v(32.0, 19.6, -89.0),
            v(50.0, -40.0, -120.0),
            (1.3, 1.15),
        ),
        branch("vesical.left", Some(at(6, 38.0)), v(30.4, 11.5, -106.0), v(10.0, -30.0, -100.0), (1.1, 0.9)),
    ];
    let flows =
        [("leg.right", 2, 8.0), ("leg.left", 3, 5.8), ("gluteus.left", 5, 1.6), ("perineum.left", 6, 1.0)];
    for (bed, i, q) in flows {
        t[i].outlet = outlet(bed, q);
    }
    t[7].outlet = outlet("obturator.left", 14.0 / 60.0);
    t[8].outlet = outlet("bladder", 8.0 / 60.0);
    VesselTree { branches: t }
}

fn pva(particles_per_ml: f64) -> Embolic {
    let class = |min_mm: f64, max_mm: f64, share: f64| SizeClass { min_mm, max_mm, share };
    Embolic {
        id: "particles.pva.500_700".to_owned(),
        label: "PVA".to_owned(),
        size_classes: vec![class(0.42, 0.5, 0.1), class(0.5, 0.605, 0.45), class(0.605, 0.71, 0.45)],
        particles_per_ml,
        iodine_mg_per_ml: 290.0,
        min_lumen_mm: 0.53,
        clumping: 0.0,
        dissolves_half_life_h: None,
        source: "test".to_owned(),
    }
}

/// All blood stages wired as the step wires them.
#[derive(Clone)]
struct Rig {
    net: Network,
    contrast_model: ContrastModel,
    therapy_model: TherapyModel,
    injector_model: InjectorModel,
    flow: FlowState,
    contrast: ContrastState,
    therapy: TherapyState,
    injector: InjectorState,
    patient: PhysiologyState,
    flow_scratch: FlowScratch,
    contrast_scratch: ContrastScratch,
    /// Root pressure held at this instead of the patient's wave.
    steady_mmhg: Option<f64>,
    obstructions: Vec<Obstruction>,
    lumens: Vec<LumenInput>,
    acquiring: bool,
    events: Vec<EventKind>,
}

impl Rig {
    fn new(tree: &VesselTree, lesions: &[LesionDescription], embolics: &[Embolic]) -> Self {
        Self::with(tree, &Circulation::default(), lesions, embolics)
    }

    fn with(
        tree: &VesselTree,
        circulation: &Circulation,
        lesions: &[LesionDescription],
        embolics: &[Embolic],
    ) -> Self {
        circulation.check(tree).unwrap();
        let patient = Patient::default();
        let net = Network::compile(tree, circulation, &patient, lesions);
        let contrast_model = ContrastModel::compile(embolics);
        let therapy_model = TherapyModel::compile(&net, &contrast_model, embolics);
        let injector_model = InjectorModel { room: Room::default(), embolics: embolics.to_vec() };
        Self {
            flow: FlowState::new(&net),
            contrast: ContrastState::new(&net, &contrast_model),
            therapy: TherapyState::new(&net, &therapy_model),
            injector: InjectorState::new(&injector_model),
            patient: PhysiologyState::new(&patient),
            flow_scratch: FlowScratch::default(),
            contrast_scratch: ContrastScratch::default(),
            steady_mmhg: None,
            obstructions: Vec::new(),
            lumens: Vec::new(),
            acquiring: false,
            events: Vec::new(),
            net,
            contrast_model,
            therapy_model,
            injector_model,
        }
    }

    fn tick(&mut self, sources: &[Source]) {
        let on_patient = PhysiologyInputs::of(&self.net, &self.flow, self.contrast.injected[0]);
        physiology::advance(&mut self.patient, &on_patient, TICK_S, &mut self.events);
        let mut sources = sources.to_vec();
        injector::advance(
            &self.injector_model,
            &mut self.injector,
            &self.lumens,
            self.acquiring,
            self.patient.act_s(),
            TICK_S,
            &mut sources,
            &mut self.events,
        );
        let inputs = FlowInputs {
            root_mmhg: self.steady_mmhg.unwrap_or(self.patient.pressure_mmhg),
            packing: &[],
            obstructions: &self.obstructions,
            sources: &sources,
            bed_resistance_factor: &self.therapy.bed_resistance_factor,
            leak_open_share: &self.therapy.leak_open_share,
            anastomosis_open_share: &self.therapy.anastomosis_open_share,
            venous_mmhg: if self.steady_mmhg.is_some() {
                flow::VENOUS_PRESSURE_MMHG
            } else {
                self.patient.venous_mmhg
            },
            nitroglycerin_ug: self.patient.active("nitroglycerin"),
        };
        flow::advance(&self.net, &mut self.flow, &mut self.flow_scratch, &inputs, TICK_S);
        contrast::advance(
            &self.net,
            &self.contrast_model,
            &self.flow,
            &mut self.contrast,
            &mut self.contrast_scratch,
            &sources,
            TICK_S,
            &mut self.events,
        );
        therapy::advance(
            &self.net,
            &self.therapy_model,
            &self.flow,
            &mut self.therapy,
            &self.contrast_scratch,
            TICK_S,
            &mut self.events,
        );
    }

    fn run(&mut self, seconds: f64, sources: &[Source]) {
        for _ in 0..(seconds * 60.0).round() as usize {
            self.tick(sources);
        }
    }

    fn command(&mut self, command: &cathnav::sim::Command) {
        assert!(injector::command(&self.injector_model, &mut self.injector, command, &mut self.events));
    }

    /// Iodine concentration at a place, mg/mL.
    fn iodine_at(&self, place: VesselPlace) -> f64 {
        let c = self.net.cell_at(place).unwrap();
        self.contrast.amount[0][c] / self.flow.volume_ml(&self.net, c)
    }

    fn worst_ledger(&self) -> f64 {
        (0..self.contrast_model.species.len())
            .filter(|&s| self.contrast.injected[s] > 0.0)
            .map(|s| self.contrast.ledger(s).error())
            .fold(0.0, f64::max)
    }
}

fn iodine_source(place: VesselPlace, flow_ml_per_s: f64) -> Source {
    Source { place, flow_ml_per_s, iodine_mg_per_ml: 300.0, particles: None, gas_share: 0.0 }
}
