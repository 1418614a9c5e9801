//! Times blood on a tree of 400 segments (stretches between junctions, 30 mm and 15 cells each, all of them full of
//! contrast, under the pulse) and on smaller trees, for the line through them: `cargo bench --no-default-features --bench flow`.
#![allow(missing_docs, clippy::expect_used, reason = "a bench is no library")]

use std::hint::black_box;

use cathnav::anatomy::{
    At, Branch, CenterlinePoint, Circulation, LesionDescription, Outlet, VesselId, VesselPlace, VesselTree,
};
use cathnav::math::{Vec3, orthogonal};
use cathnav::scenario::Patient;
use cathnav::sim::contrast::{self, ContrastModel, ContrastScratch, ContrastState};
use cathnav::sim::flow::{self, FlowInputs, FlowScratch, FlowState, Network, Obstruction, Source};
use cathnav::sim::physiology::{self, PhysiologyInputs, PhysiologyState};
use cathnav::units::TICK_S;
use criterion::{Criterion, criterion_group, criterion_main};

const LENGTH_MM: f64 = 30.0;

/// A dichotomous tree by Murray's law from a trunk of 10 mm; every eleventh end is joined to its neighbour.
fn tree(segments: usize) -> VesselTree {
    let mut branches: Vec<Branch> = Vec::new();
    let mut leaves = Vec::new();
    for i in 0..segments {
        let parent = i.checked_sub(1).map(|k| k / 2);
        let generation = (i as f64 + 1.0).log2().floor();
        let radius_mm = (10.0 * 0.5_f64.powf(generation / 2.7)).max(0.5);
        let (start, origin) = parent.map_or((Vec3::zeros(), None), |p: usize| {
            let end: &CenterlinePoint = branches[p].points.last().expect("a branch has points");
            let arc_mm = branches[p].length_mm();
            (end.position_mm, Some(VesselPlace { vessel: VesselId(p as u32), arc_mm }))
        });
        let angle = i as f64 * 2.399;
        let tangent = Vec3::new(0.6 * angle.cos(), 0.6 * angle.sin(), -0.8);
        let length_mm = LENGTH_MM + 2.0 * radius_mm;
        let points = (0..=20)
            .map(|k| {
                let arc_mm = length_mm * f64::from(k) / 20.0;
                let normal = orthogonal(&tangent);
                CenterlinePoint { position_mm: start + tangent * arc_mm, tangent, normal, radius_mm, arc_mm }
            })
            .collect();
        if 2 * i + 1 >= segments {
            leaves.push(i);
        }
        branches.push(Branch {
            name: format!("b{i}"),
            ta_name: String::new(),
            label: String::new(),
            origin,
            distal_join: None,
            points,
            outlet: None,
            wall_ep_n_per_mm2: 0.15,
            wall_thickness_mm: 0.5,
        });
    }
    let flow_ml_per_s = 40.0 / leaves.len() as f64;
    for (k, &i) in leaves.iter().enumerate() {
        if k % 11 == 10 {
            let vessel = VesselId(leaves[k - 1] as u32);
            branches[i].distal_join = Some(VesselPlace { vessel, arc_mm: 20.0 });
        } else {
            branches[i].outlet = Some(Outlet {
                bed: format!("bed{i}"),
                flow_ml_per_s,
                transit_s: 6.0,
                blush_center_mm: Vec3::zeros(),
                blush_radius_mm: 10.0,
            });
        }
    }
    VesselTree { branches }
}

struct Blood {
    net: Network,
    model: ContrastModel,
    patient: PhysiologyState,
    flow: FlowState,
    contrast: ContrastState,
    flow_scratch: FlowScratch,
    contrast_scratch: ContrastScratch,
    obstructions: Vec<Obstruction>,
}

impl Blood {
    fn warm(segments: usize, lesions: &[LesionDescription], obstructions: &[Obstruction]) -> Self {
        let patient = Patient::default();
        let net = Network::compile(&tree(segments), &Circulation::default(), &patient, lesions);
        let model = ContrastModel::compile(&[]);
        let mut blood = Self {
            flow: FlowState::new(&net),
            contrast: ContrastState::new(&net, &model),
            patient: PhysiologyState::new(&patient),
            flow_scratch: FlowScratch::default(),
            contrast_scratch: ContrastScratch::default(),
            obstructions: obstructions.to_vec(),
            net,
            model,
        };
        for _ in 0..600 {
            blood.tick();
        }
        blood
    }

    fn tick(&mut self) {
        let source = Source {
            place: VesselPlace { vessel: VesselId(0), arc_mm: 5.0 },
            flow_ml_per_s: 10.0,
            iodine_mg_per_ml: 300.0,
            particles: None,
            gas_share: 0.0,
        };
        let mut events = Vec::new();
        let on_patient = PhysiologyInputs::of(&self.net, &self.flow, self.contrast.injected[0]);
        physiology::advance(&mut self.patient, &on_patient, TICK_S, &mut events);
        let sources = std::slice::from_ref(&source);
        let inputs = FlowInputs {
            root_mmhg: self.patient.pressure_mmhg,
            venous_mmhg: self.patient.venous_mmhg,
            sources,
            obstructions: &self.obstructions,
            ..FlowInputs::default()
        };
        flow::advance(&self.net, &mut self.flow, &mut self.flow_scratch, &inputs, TICK_S);
        contrast::advance(
            &self.net,
            &self.model,
            &self.flow,
            &mut self.contrast,
            &mut self.contrast_scratch,
            sources,
            TICK_S,
            &mut events,
        );
        black_box(events);
    }
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("blood, flow and contrast, one tick");
    for segments in [50, 100, 200, 400, 800] {
        let mut blood = Blood::warm(segments, &[], &[]);
        // A whole beat a sample, so that systole and diastole count as they come.
        let name = format!("{segments} segments, {} cells", blood.net.cells());
        group.bench_function(&name, |b| b.iter(|| blood.tick()));
    }
    // What makes a tick dearer: a turbulent loss (two solves), a leak, two catheters side by side.
    let lesions = [
        LesionDescription::Stenosis {
            vessel: "b2".to_owned(),
            at: At::Mm(20.0),
            length_mm: 12.0,
            diameter_reduction_pct: 60.0,
            eccentricity: 0.0,
            around_deg: 0.0,
            calcium: 0.0,
            debris: 0.01,
        },
        LesionDescription::Bleeding {
            name: "b".to_owned(),
            vessel: "b40".to_owned(),
            at: At::Mm(15.0),
            flow_ml_per_min: 40.0,
            share_of_time: 1.0,
            period_s: 300.0,
        },
    ];
    let device = |vessel: u32, body: u32| Obstruction {
        vessel: VesselId(vessel),
        from_mm: 0.0,
        to_mm: 40.0,
        outer_diameter_mm: 1.67,
        body,
    };
    let devices = [device(0, 0), device(1, 0), device(3, 0), device(0, 1), device(2, 1)];
    let mut blood = Blood::warm(400, &lesions, &devices);
    group.bench_function("400 segments with stenosis, leak and two catheters", |b| b.iter(|| blood.tick()));
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(50);
    targets = benches
}
criterion_main!(all);
