//! The fibroid uterus of the case `uae`, without devices: near-stasis, reflux onset and where particles end, by rate,
//! dilution and size (`clinical.md` A5, C4).

use super::*;
use std::path::Path;
use std::sync::OnceLock;

use cathnav::anatomy::{AnatomyFile, PatientChoice, Setting};
use cathnav::device::load_catalog;

/// Tip of the microcatheter: transverse part of the left uterine artery, beyond the cervicovaginal branch.
const TIP_MM: f64 = 66.0;
/// Column that takes this many beats to clear: near stasis (`clinical.md` C4).
const NEAR_STASIS_BEATS: f64 = 5.0;

struct Uterus {
    tree: VesselTree,
    circulation: Circulation,
    lesions: Vec<LesionDescription>,
}

fn feeder(side: &str, x: f64) -> LesionDescription {
    LesionDescription::TumorBed {
        name: format!("fibroid.{side}"),
        vessel: format!("uterine.{side}"),
        at: At::Mm(73.0),
        feeder_mm: 4.0,
        vessel_mm: Some(4.0),
        center_mm: (x, -52.0, -42.0),
        radius_mm: 40.0,
        flow_ml_per_min: 88.0,
        transit_s: 5.0,
    }
}

fn uterus() -> &'static Uterus {
    static UTERUS: OnceLock<Uterus> = OnceLock::new();
    UTERUS.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/pelvis");
        let AnatomyFile::Described(d) = cathnav::anatomy::read_file(&dir).unwrap() else {
            panic!("described")
        };
        let choose =
            |name: &str, option: &str| Setting::Choose { name: name.to_owned(), option: option.to_owned() };
        let set = vec![
            choose("cervicovaginal.left", "large"),
            choose("cervicovaginal.right", "large"),
            choose("ovarian.left", "fine"),
            choose("ovarian.right", "fine"),
        ];
        let lesions = vec![feeder("left", 2.0), feeder("right", -2.0)];
        let patient = PatientChoice { seed: None, set, lesions: lesions.clone() };
        let (drawn, _) = cathnav::anatomy::vary(&d, &patient).unwrap();
        let (tree, _) = cathnav::anatomy::build_tree(&drawn).unwrap();
        Uterus { tree, circulation: drawn.circulation, lesions }
    })
}

fn embolic(id: &str) -> Embolic {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    load_catalog(&assets).unwrap().embolic(id).unwrap().clone()
}

fn rig(id: &str) -> Rig {
    let u = uterus();
    let mut rig = Rig::with(&u.tree, &u.circulation, &u.lesions, &[embolic(id)]);
    rig.run(5.0, &[]);
    rig
}

fn on(name: &str, arc_mm: f64) -> VesselPlace {
    VesselPlace { vessel: uterus().tree.find(name).unwrap(), arc_mm }
}

/// The suspension of an embolic at a strength, flowing out of the tip.
fn suspension(id: &str, strength: f64, flow_ml_per_s: f64) -> Source {
    let e = embolic(id);
    Source {
        place: on("uterine.left", TIP_MM),
        flow_ml_per_s,
        iodine_mg_per_ml: e.iodine_mg_per_ml,
        particles: Some((0, strength * e.particles_per_ml)),
        gas_share: 0.0,
    }
}

fn beats(rig: &Rig) -> f64 {
    rig.flow.beats_to_clear(&rig.net, on("uterine.left", TIP_MM), 72.0)
}

/// Puffs of 2 s with 4 s to look until near stasis; mL given, or `None` within `most_ml`.
fn to_near_stasis(rig: &mut Rig, source: Source, most_ml: f64) -> Option<f64> {
    let mut given = 0.0;
    while beats(rig) < NEAR_STASIS_BEATS {
        if given >= most_ml {
            return None;
        }
        rig.run(2.0, &[source]);
        rig.run(4.0, &[]);
        given += 2.0 * source.flow_ml_per_s;
    }
    Some(given)
}

fn outlet_of(rig: &Rig, vessel: &str) -> usize {
    let vessel = uterus().tree.find(vessel).unwrap();
    rig.net.outlets.iter().position(|o| o.branch == vessel).unwrap()
}

/// Particles that lie in the bed of a vessel, and in all beds.
fn lodged(rig: &Rig, vessel: &str) -> (f64, f64) {
    let outlet = outlet_of(rig, vessel);
    let of = |o: usize| rig.therapy.outlets[o].lodged.iter().sum::<f64>();
    (of(outlet), (0..rig.net.outlets.len()).map(of).sum())
}

/// Share of all particles that lies neither in the fibroid nor in the uterus itself, percent.
fn non_target_pct(rig: &Rig) -> f64 {
    let target: f64 = ["feeder.fibroid.left", "feeder.fibroid.right", "uterine.left", "uterine.right"]
        .iter()
        .map(|v| lodged(rig, v).0)
        .sum();
    100.0 * (1.0 - target / lodged(rig, "uterine.left").1)
}

fn has_reflux(rig: &Rig, embolic: bool) -> bool {
    rig.events.iter().any(|e| matches!(e, EventKind::Reflux { embolic: e, .. } if *e == embolic))
}

#[test]
fn a_fibroid_uterus_takes_a_hundred_ml_a_minute_on_each_side() {
    let mut rig = rig("particles.pva.500_710");
    rig.run(10.0, &[]);
    for side in ["left", "right"] {
        let name = format!("uterine.{side}");
        let vessel = uterus().tree.find(&name).unwrap();
        let diameter_mm = 2.0 * uterus().tree.branch(vessel).at(30.0).radius_mm;
        let flow = 60.0 * rig.flow.mean_flow_at(&rig.net, on(&name, 20.0));
        value("fibroid uterus", &format!("{name}: flow, mL/min"), flow, "90 to 110");
        println!("{name}: {diameter_mm:.2} mm wide, {flow:.1} mL/min, {:.1} beats to clear", beats(&rig));
        assert!((90.0..110.0).contains(&flow));
        assert!((diameter_mm - 4.0).abs() < 0.05);
    }
    assert!(beats(&rig) < 2.5, "brisk at first");
}

#[test]
fn half_the_strength_takes_twice_the_volume_to_near_stasis() {
    let id = "particles.pva.500_710";
    let dose = |strength: f64| {
        let mut rig = rig(id);
        let given = to_near_stasis(&mut rig, suspension(id, strength, 0.2), 20.0).unwrap();
        let count = lodged(&rig, "uterine.left").1;
        println!(
            "strength {strength}: near stasis after {given:.1} mL, {count:.0} bodies, {:.1} % of them elsewhere",
            non_target_pct(&rig)
        );
        assert!(rig.worst_ledger() < 1e-9);
        given
    };
    let (full, half) = (dose(1.0), dose(0.5));
    value("fibroid uterus", "near stasis, PVA 500-710 as drawn up, mL", full, "1 to 8");
    value("fibroid uterus", "the same at half strength, mL", half, "1.6 to 2.4 times");
    assert!((1.0..8.0).contains(&full));
    assert!((1.6..2.4).contains(&(half / full)));
}

#[test]
fn reflux_begins_where_the_injection_exceeds_the_flow() {
    // Saline-like contrast for 4 s from the transverse part: does any come back past the artery's origin?
    let flows_back = |rig: &Rig, flow_ml_per_s: f64| {
        let mut rig = rig.clone();
        let source =
            Source { flow_ml_per_s, particles: None, ..suspension("particles.pva.500_710", 1.0, 0.0) };
        rig.run(4.0, &[source]);
        has_reflux(&rig, false)
    };
    let onset = |rig: &Rig| {
        let (mut low, mut high) = (0.01, 8.0);
        for _ in 0..9 {
            let middle = 0.5 * (low + high);
            if flows_back(rig, middle) { high = middle } else { low = middle }
        }
        high
    };
    let id = "particles.pva.500_710";
    let mut rig = rig(id);
    rig.run(5.0, &[]);
    let flow = |rig: &Rig| rig.flow.mean_flow_at(&rig.net, on("uterine.left", 20.0));
    let (before, open) = (flow(&rig), onset(&rig));
    to_near_stasis(&mut rig, suspension(id, 1.0, 0.2), 20.0).unwrap();
    rig.run(5.0, &[]);
    let (after, closed) = (flow(&rig), onset(&rig));
    println!("open: flow {before:.2} mL/s, reflux from {open:.2}; near stasis: {after:.2}, from {closed:.2}");
    value("fibroid uterus", "reflux onset over flow, open", open / before, "1 to 2.5");
    value("fibroid uterus", "reflux onset over flow, near stasis", closed / after, "1 to 4");
    // The column from the tip back to the origin must be pushed out within the 4 s: the onset lies above the flow.
    assert!((1.0..2.5).contains(&(open / before)));
    assert!((1.0..4.0).contains(&(closed / after)));
    assert!(closed < 0.5 * open, "it comes down with the flow");
}

#[test]
fn a_fast_hand_after_stasis_sends_particles_elsewhere_and_a_slow_one_does_not() {
    let id = "particles.pva.500_710";
    let mut slow = rig(id);
    let given = to_near_stasis(&mut slow, suspension(id, 1.0, 0.15), 20.0).unwrap();
    let mut fast = slow.clone();
    slow.run(10.0, &[]);
    fast.run(4.0, &[suspension(id, 1.0, 1.0)]);
    fast.run(10.0, &[]);
    let (careful, careless) = (non_target_pct(&slow), non_target_pct(&fast));
    println!("{given:.1} mL slowly: {careful:.2} % elsewhere; 4 mL more at 1 mL/s: {careless:.1} %");
    value("fibroid uterus", "particles elsewhere, slowly to near stasis, %", careful, "< 2");
    value("fibroid uterus", "and 4 mL more at 1 mL/s, %", careless, "> 10");
    assert!(!has_reflux(&slow, true) && has_reflux(&fast, true));
    assert!(careful < 2.0 && careless > 10.0);
}

#[test]
fn only_small_particles_pass_an_anastomosis_of_four_tenths_of_a_millimeter() {
    let to_ovary = |id: &str| {
        let mut rig = rig(id);
        let per_ml = embolic(id).particles_per_ml;
        // As many particles of each, 145 per mL; 6 mL on after near stasis, slower than the flow that is left.
        to_near_stasis(&mut rig, suspension(id, 145.0 / per_ml, 0.2), 40.0).unwrap();
        rig.run(60.0, &[suspension(id, 145.0 / per_ml, 0.1)]);
        rig.run(20.0, &[]);
        let ovarian = outlet_of(&rig, "ovarian.left");
        let passed: f64 = rig.therapy.outlets[ovarian].arrived.iter().sum();
        let ovarian = ovarian as u32;
        let a = rig.net.anastomoses.iter().position(|a| a.outlets.contains(&ovarian)).unwrap();
        let stuck = rig.therapy.anastomoses[a];
        println!(
            "{id}: of {:.0} particles {passed:.2} reached the left ovary, {stuck:.2} stuck in the anastomosis, \
             {:.2} mL/min through it",
            lodged(&rig, "ovarian.left").1,
            60.0 * rig.flow.anastomosis_flow_ml_per_s[a].abs()
        );
        value("fibroid uterus", &format!("{id}: particles into the left ovary"), passed, "asserted");
        (passed, stuck)
    };
    for [small, large] in [
        ["particles.pva.355_500", "particles.pva.500_710"],
        ["particles.microspheres.300_500", "particles.microspheres.500_700"],
    ] {
        let (small, large) = (to_ovary(small), to_ovary(large));
        assert!(small.0 > 2.0 && small.1 > 1.0, "small ones pass and stick: {small:?}");
        assert_eq!(large, (0.0, 0.0), "large ones do not enter");
    }
}
