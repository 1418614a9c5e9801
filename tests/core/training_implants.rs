//! What the observer says of coils and of tissue that lost its blood, on synthetic traces.

use cathnav::anatomy::{Outlet, VesselId, VesselPlace};
use cathnav::math::Vec3;
use cathnav::scenario::{Case, Condition, Step};
use cathnav::sim::command::ToolId;
use cathnav::sim::event::EventKind;
use cathnav::sim::snapshot::{BedView, ImplantView};
use cathnav::training::Observer;

use super::training::{GLUTEAL, INTERNAL, MICRO, OBTURATOR, Trace, case, clean, embolic_start, tools, tree};

/// The tool that stands for a coil.
const COIL: ToolId = ToolId(3);

fn place(vessel: u32, arc_mm: f64) -> VesselPlace {
    VesselPlace { vessel: VesselId(vessel), arc_mm }
}

/// A coil with so much of its length in each vessel.
fn coil(parts: &[(u32, f64)]) -> ImplantView {
    ImplantView {
        tool: COIL,
        length_mm: parts.iter().map(|(v, mm)| (VesselId(*v), *mm)).collect(),
        packing: 0.2,
        ..ImplantView::default()
    }
}

/// Releases a coil of a diameter whose middle lies at a place.
fn release(t: &mut Trace, diameter_mm: f64, at: VesselPlace, parts: &[(u32, f64)]) {
    t.snap.tools[COIL.idx()].implant_diameter_mm = diameter_mm;
    t.snap.implants.push(coil(parts));
    let implant = t.snap.implants.len() as u32 - 1;
    t.tick(vec![EventKind::ImplantReleased { implant, tool: COIL, place: Some(at) }]);
    t.wait(2.0);
}

fn lumen_mm(vessel: u32) -> f64 {
    2.0 * tree().branches[vessel as usize].at(20.0).radius_mm
}

#[test]
fn a_coil_of_the_right_size_in_the_target_is_no_error() {
    let mut t = clean();
    let right = 1.2 * lumen_mm(OBTURATOR);
    release(&mut t, right, place(OBTURATOR, 20.0), &[(OBTURATOR, 48.0), (INTERNAL, 2.0)]);
    assert_eq!(t.names(), Vec::<String>::new());
    let a = t.assessment();
    assert_eq!(a.metric("coils_placed"), Some(1.0));
    assert_eq!(a.metric("coil_length_mm"), Some(50.0));
    assert_eq!(a.metric("coil_in_target_pct"), Some(96.0));
    assert!((a.metric("coil_packing_pct").unwrap() - 20.0).abs() < 1e-9);
}

#[test]
fn wrong_coils_are_named() {
    let lumen = lumen_mm(OBTURATOR);
    let cases: [(&str, f64, u32, &[(u32, f64)]); 4] = [
        ("coil_undersized", 0.8 * lumen, OBTURATOR, &[(OBTURATOR, 50.0)]),
        ("coil_oversized", 2.0 * lumen, OBTURATOR, &[(OBTURATOR, 50.0)]),
        ("coil_off_target", 1.2 * lumen_mm(INTERNAL), INTERNAL, &[(INTERNAL, 50.0)]),
        ("coil_protrudes", 1.2 * lumen, OBTURATOR, &[(OBTURATOR, 30.0), (INTERNAL, 20.0)]),
    ];
    for (name, diameter_mm, vessel, parts) in cases {
        let mut t = clean();
        release(&mut t, diameter_mm, place(vessel, 20.0), parts);
        println!("{name}: {:?}", t.observer.errors().iter().map(|e| &e.cause).collect::<Vec<_>>());
        assert_eq!(t.names(), [name]);
    }
}

#[test]
fn a_coil_that_is_washed_away_and_lost_is_named_twice() {
    let mut t = clean();
    release(&mut t, 1.2 * lumen_mm(OBTURATOR), place(OBTURATOR, 20.0), &[(OBTURATOR, 50.0)]);
    t.snap.implants[0].drifts = true;
    t.tick(vec![EventKind::ImplantMigrates { implant: 0, from: place(OBTURATOR, 20.0) }]);
    t.snap.implants[0] = coil(&[(INTERNAL, 50.0)]);
    t.tick(vec![EventKind::ImplantLodged { implant: 0, place: place(INTERNAL, 10.0) }]);
    t.wait(2.0);
    assert_eq!(t.names(), ["coil_migrated", "coil_lost"]);
}

#[test]
fn a_plug_on_its_cable_is_not_counted() {
    let mut t = clean();
    t.snap.implants.push(ImplantView { is_joined: true, ..coil(&[(INTERNAL, 12.0)]) });
    t.wait(3.0);
    assert_eq!(t.names(), Vec::<String>::new());
    assert_eq!(t.assessment().metric("coils_placed"), Some(0.0));
}

fn bed(name: &str, vessel: u32, ischemic_share: f64) -> BedView {
    BedView {
        name: name.to_owned(),
        vessels: vec![vessel],
        resting_flow_ml_per_s: 1.0,
        ischemic_share,
        lodged: vec![("particles.p".to_owned(), 1.0)],
        ..BedView::default()
    }
}

#[test]
fn an_organ_that_lost_its_blood_is_named_with_its_harm() {
    let mut t = clean();
    t.snap.beds.push(bed("bed.gluteus.left", INTERNAL, 0.5));
    t.snap.beds.push(bed("bed.gluteus.right", INTERNAL, 0.0));
    t.wait(10.0);
    assert_eq!(t.names(), Vec::<String>::new(), "it must last");
    t.wait(15.0);
    assert_eq!(t.names(), ["infarct_elsewhere"], "the side counts, not both together");
    let cause = &t.observer.errors()[0].cause;
    println!("{cause}");
    assert!(cause.contains("50 %") && cause.contains("sciatic"));
    assert!((t.assessment().metric("infarct_other_pct").unwrap() - 25.0).abs() < 1e-9);
}

#[test]
fn tissue_without_blood_from_the_start_is_not_the_operators_doing() {
    let mut t = Trace::new();
    t.snap.beds.push(bed("bed.gluteus.left", INTERNAL, 0.6));
    t.wait(40.0);
    assert_eq!(t.names(), Vec::<String>::new());
    t.snap.beds.last_mut().unwrap().ischemic_share = 0.8;
    t.wait(25.0);
    assert_eq!(t.names(), ["infarct_elsewhere"]);
}

/// A case that wants 50 to 70 % of the spleen, fed by the vessel that the trace calls obturator.
fn splenic_case() -> Case {
    let mut case = case();
    let done = Condition::Infarct { organ: "bed.spleen".to_owned(), over_pct: 50.0, up_to_pct: 70.0 };
    let last: &mut Step = case.steps.last_mut().unwrap();
    last.done = done;
    case
}

#[test]
fn half_of_the_spleen_is_a_success_and_most_of_it_is_an_error() {
    let mut t = Trace::new();
    t.observer = Observer::new(&splenic_case(), &tree(), &tools());
    t.snap.beds = vec![bed("bed.spleen.upper", OBTURATOR, 0.2), bed("bed.spleen.lower", OBTURATOR, 0.6)];
    t.wait(2.0);
    let lower = |t: &mut Trace, share: f64| {
        t.snap.beds[0].ischemic_share = share;
        t.wait(30.0);
        t.assessment().metric("infarct_pct").unwrap()
    };
    let metric = lower(&mut t, 0.2);
    println!("{metric:.1} % of the spleen");
    assert!((metric - 40.0).abs() < 1e-9 && t.names().is_empty());
    assert!((lower(&mut t, 0.6) - 60.0).abs() < 1e-9 && t.names().is_empty());
    assert!((lower(&mut t, 1.0) - 80.0).abs() < 1e-9);
    assert_eq!(t.names(), ["infarct_too_large"]);
}

#[test]
fn a_vessel_that_feeds_nothing_but_the_organ_is_on_target() {
    let names = |gluteal_bed: &str| {
        let mut tree = tree();
        for (vessel, bed) in [(OBTURATOR, "bed.spleen.upper"), (GLUTEAL, gluteal_bed)] {
            tree.branches[vessel as usize].outlet = Some(Outlet {
                bed: bed.to_owned(),
                flow_ml_per_s: 1.0,
                transit_s: 5.0,
                blush_center_mm: Vec3::zeros(),
                blush_radius_mm: 10.0,
            });
        }
        let mut t = clean();
        t.observer = Observer::new(&splenic_case(), &tree, &tools());
        t.put(MICRO, 300.0, INTERNAL, 20.0);
        t.wait(1.0);
        t.tick(vec![embolic_start(MICRO)]);
        t.names()
    };
    let off = "embolic_off_target".to_owned();
    println!("spleen {:?}, buttock {:?}", names("bed.spleen.lower"), names("bed.gluteus.left"));
    assert!(!names("bed.spleen.lower").contains(&off));
    assert!(names("bed.gluteus.left").contains(&off));
}

#[test]
fn embolic_in_a_vessel_in_spasm_is_named_until_nitroglycerin_has_worked() {
    let mut t = clean();
    t.beam(true);
    t.tick(vec![EventKind::Spasm(place(OBTURATOR, 10.0))]);
    t.wait(2.0);
    t.tick(vec![EventKind::Given { drug: "nitroglycerin".to_owned(), dose: 0.15 }]);
    t.wait(61.0);
    t.tick(vec![EventKind::InjectionStarted {
        tool: MICRO,
        fluid: "contrast".to_owned(),
        by_injector: false,
    }]);
    t.tick(vec![embolic_start(MICRO)]);
    assert!(!t.names().contains(&"embolic_in_spasm".to_owned()), "{:?}", t.names());
    t.tick(vec![EventKind::Spasm(place(OBTURATOR, 10.0))]);
    t.tick(vec![embolic_start(MICRO)]);
    assert_eq!(t.names().iter().filter(|n| *n == "embolic_in_spasm").count(), 1);
}
