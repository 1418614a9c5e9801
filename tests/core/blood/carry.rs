//! Contrast against closed forms; the account.

use super::*;
use cathnav::math::rng::{Stream, stream, uniform};

#[test]
fn a_bolus_travels_and_spreads_as_the_closed_form() {
    let errors = [15.0, 60.0, 240.0].map(bolus_error);
    for (e, cells) in errors.iter().zip([4.4, 8.7, 17.5]) {
        let quantity = format!("bolus of {cells} cells (standard deviation), L1 error");
        residual("contrast: bolus", &quantity, e.l1, "0.03 at 8.7");
        residual("contrast: bolus", "its mean, mm", e.mean_mm, "1");
    }
    row("contrast: bolus", "its peak over the closed form, 8.7 cells", 1.0, errors[1].peak, "0.03");
    let order = (errors[0].l1 / errors[2].l1).log2() / 2.0;
    row("contrast: bolus", "order in cells per width", 1.0, order, "at least 0.9");
    assert!(errors[1].l1 < 0.03 && (errors[1].peak - 1.0).abs() < 0.03 && order > 0.9);
    assert!(errors.iter().all(|e| e.mean_mm.abs() < 1.0));
}

struct BolusError {
    l1: f64,
    mean_mm: f64,
    peak: f64,
}

/// u = Q / A = 100 mm/s; a point bolus of 0.1 s at 60 mm, seen 2.5 s later.
fn bolus_error(dispersion_mm2_per_s: f64) -> BolusError {
    let area = std::f64::consts::PI * 4.0;
    let q = 100.0 * area / 1000.0;
    let mut tree = tube(2.0, 700.0, q);
    tree.branches[0].wall_ep_n_per_mm2 = 10.0;
    let mut rig = Rig::new(&tree, &[], &[]);
    rig.steady_mmhg = Some(rig.net.resting_map_mmhg);
    rig.contrast_model.still_dispersion_mm2_per_s = dispersion_mm2_per_s;
    rig.contrast_model.dispersion_per_velocity_radius = 0.0;
    rig.run(5.0, &[]);
    let q = rig.flow.flow_at(&rig.net, at(0, 250.0));
    let u = q * 1000.0 / area;
    let place = at(0, 60.5);
    let x0 = rig.net.place_of(rig.net.cell_at(place).unwrap()).arc_mm;
    let source =
        Source { place, flow_ml_per_s: 1e-4, iodine_mg_per_ml: 1e5, particles: None, gas_share: 0.0 };
    rig.run(0.1, &[source]);
    rig.run(2.5, &[]);
    const AGE_S: f64 = 0.25 * TICK_S;
    let given = rig.contrast.injected[0];
    let mean_age_s = 2.5 + 2.5 * TICK_S + AGE_S;
    let profile = |x: f64| {
        // Mean over the six ticks of the injection; a tick's share is added after each of its two substeps.
        let mut sum = 0.0;
        for i in 0..6 {
            let t = 2.5 + (5 - i) as f64 * TICK_S + AGE_S;
            let s2 = 2.0 * dispersion_mm2_per_s * t;
            sum += given / 6.0 / (std::f64::consts::TAU * s2).sqrt()
                * (-(x - x0 - u * t).powi(2) / (2.0 * s2)).exp();
        }
        sum
    };
    let (mut difference, mut total, mut first, mut peak) = (0.0, 0.0, 0.0, 0.0_f64);
    for c in 0..rig.net.cells() {
        let x = rig.net.place_of(c).arc_mm;
        let exact = profile(x) * 2.0;
        let m = rig.contrast.amount[0][c];
        difference += (m - exact).abs();
        total += m;
        first += m * x;
        peak = peak.max(m / profile(x0 + u * mean_age_s) / 2.0);
    }
    assert!((total / given - 1.0).abs() < 1e-9);
    BolusError { l1: difference / given, mean_mm: first / total - (x0 + u * mean_age_s), peak }
}

#[test]
fn a_bed_passes_a_bolus_by_the_gamma_distribution_of_its_transit_time() {
    let mut rig = Rig::new(&tube(2.0, 20.0, 2.0), &[], &[]);
    rig.steady_mmhg = Some(rig.net.resting_map_mmhg);
    rig.run(5.0, &[]);
    rig.run(TICK_S, &[iodine_source(at(0, 19.0), 0.01)]);
    let given = rig.contrast.injected[0];
    let (mut worst, mut mean_s, mut last) = (0.0_f64, 0.0, 1.0);
    for tick in 1..=60 * 40 {
        rig.tick(&[]);
        let time_s = f64::from(tick) * TICK_S;
        let held = rig.contrast.bed_iodine_mg[0].iter().sum::<f64>() / given;
        // Five equal compartments of 6 s in all: what is still in is the upper incomplete gamma function.
        let x = 5.0 * time_s / 6.0;
        let exact = (-x).exp() * (1.0 + x + x * x / 2.0 + x.powi(3) / 6.0 + x.powi(4) / 24.0);
        if time_s > 0.2 {
            worst = worst.max((held - exact).abs());
            mean_s += 0.5 * (held + last) * TICK_S;
        } else {
            mean_s += TICK_S;
        }
        last = held;
    }
    residual("contrast: blush", "share in the bed over time against the gamma distribution", worst, "0.01");
    row("contrast: blush", "mean transit time, s", 6.0, mean_s, "2 %");
    assert!(worst < 0.01 && (mean_s / 6.0 - 1.0).abs() < 0.02);
}

#[test]
fn injected_contrast_is_diluted_by_the_flow() {
    let mut rig = Rig::new(&tube(2.5, 300.0, 4.0), &[], &[]);
    rig.steady_mmhg = Some(rig.net.resting_map_mmhg);
    for qi in [0.5, 1.0, 2.0] {
        rig.run(8.0, &[iodine_source(at(0, 100.0), qi)]);
        let qb = rig.flow.flow_at(&rig.net, at(0, 50.0));
        let share = rig.iodine_at(at(0, 250.0)) / 300.0;
        let exact = qi / (qi + qb);
        row("contrast: dilution", &format!("Qi/(Qi+Qb) at Qi {qi}, Qb {qb:.3} mL/s"), exact, share, "2e-3");
        assert!((share / exact - 1.0).abs() < 2e-3);
    }
}

#[test]
fn reflux_begins_when_the_injection_exceeds_the_flow() {
    let reflux = |qi: f64| {
        let mut rig = Rig::new(&small_pelvis(), &[], &[]);
        rig.steady_mmhg = Some(rig.net.resting_map_mmhg);
        rig.run(2.0, &[]);
        let qb = rig.flow.flow_at(&rig.net, at(4, 25.0));
        rig.run(4.0, &[iodine_source(at(4, 30.0), qi * qb)]);
        let went = rig
            .events
            .iter()
            .any(|e| matches!(e, EventKind::Reflux { into, embolic: false } if into.vessel == VesselId(1)));
        (went, rig.flow.flow_at(&rig.net, at(4, 20.0)) / qb, rig.iodine_at(at(3, 60.0)))
    };
    let (mut low, mut high) = (0.5, 2.0);
    for _ in 0..12 {
        let middle = 0.5 * (low + high);
        if reflux(middle).1 < 0.0 { high = middle } else { low = middle }
    }
    row("contrast: reflux", "onset, injection over the artery's flow", 1.0, 0.5 * (low + high), "-1, +6 %");
    assert!(
        (0.99..1.06).contains(&low),
        "the bed, not the tip, governs: the onset is at Qb but for the drop in the artery"
    );
    let (none, _, dark) = reflux(0.9);
    let (some, _, bright) = reflux(1.4);
    println!("external iliac: {dark:.3} mg/mL below the onset, {bright:.1} above");
    assert!(!none && some);
    assert!(dark < 0.01 && bright > 5.0);
}

#[test]
fn contrast_fills_blushes_and_washes_out() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[]);
    rig.run(2.0, &[]);
    let ahead = at(5, 30.0);
    rig.run(1.5, &[iodine_source(at(4, 10.0), 3.0)]);
    let filled = rig.iodine_at(ahead);
    let bed: f64 = rig.contrast.bed_iodine_mg[2].iter().sum();
    rig.run(5.0, &[]);
    let blush: f64 = rig.contrast.bed_iodine_mg[2].iter().sum();
    rig.run(60.0, &[]);
    let late: f64 = rig.contrast.bed_iodine_mg[2].iter().sum();
    println!(
        "artery {filled:.1} mg/mL, bed {bed:.1} -> {blush:.1} -> {late:.4} mg; ledger {:.1e}",
        rig.worst_ledger()
    );
    assert!(filled > 100.0 && blush > bed && late < 0.01 * blush);
    assert!(rig.iodine_at(ahead) < 0.01 * filled);
    assert!(rig.contrast.left[0] > 0.95 * rig.contrast.injected[0]);
    assert!(rig.worst_ledger() < 1e-9);
}

#[test]
fn extravasation_stays_in_its_pool() {
    let bleed = LesionDescription::Bleeding {
        name: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at: At::Mm(40.0),
        flow_ml_per_min: 60.0,
        share_of_time: 1.0,
        period_s: 300.0,
    };
    let mut rig = Rig::new(&small_pelvis(), &[bleed], &[]);
    rig.run(2.0, &[]);
    rig.run(2.0, &[iodine_source(at(7, 10.0), 2.0)]);
    rig.run(20.0, &[]);
    let pool = rig.contrast.pools[0];
    let views = contrast::pool_views(&rig.flow, &rig.contrast);
    println!(
        "pool: {:.0} mg iodine, {:.1} mL lost, radius {:.1} mm",
        pool.iodine_mg, pool.lost_ml, views[0].radius_mm
    );
    assert!(pool.iodine_mg > 0.4 * rig.contrast.injected[0], "most of a bleeding branch's contrast goes out");
    assert!((20.0..32.0).contains(&pool.lost_ml));
    assert!(rig.worst_ledger() < 1e-9);
    assert!((rig.patient.blood_loss_ml - pool.lost_ml).abs() < 0.1);
}

/// A sum that keeps what rounding takes (Neumaier 1974): the pump's integral, apart from all that the program adds up.
#[derive(Default)]
struct Exact {
    sum: f64,
    lost: f64,
}

impl Exact {
    fn add(&mut self, x: f64) {
        let next = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - next) + x } else { (x - next) + self.sum };
        self.sum = next;
    }
}

/// One random change: sources of any kind come and go, devices wedge and open, beds fill, lumens close and open.
fn random_event(rig: &mut Rig, sources: &mut Vec<Source>, rng: &mut cathnav::math::rng::ChaCha8Rng) {
    let places = [at(0, 50.0), at(1, 30.0), at(3, 20.0), at(4, 30.0), at(6, 10.0), at(7, 30.0), at(8, 20.0)];
    let place = places[(uniform(rng) * places.len() as f64) as usize];
    match (uniform(rng) * 8.0) as u32 {
        0 => sources.clear(),
        1 | 2 if sources.len() < 4 => {
            let gas_share = if uniform(rng) < 0.1 { 1.0 } else { 0.0 };
            sources.push(Source {
                place,
                flow_ml_per_s: 8.0 * uniform(rng).powi(3),
                iodine_mg_per_ml: 350.0 * uniform(rng) * (1.0 - gas_share),
                particles: (uniform(rng) < 0.3).then_some((0, 145.0)),
                gas_share,
            });
        }
        3 => rig.obstructions.clear(),
        4 if rig.obstructions.len() < 3 => rig.obstructions.push(Obstruction {
            vessel: place.vessel,
            from_mm: 0.0,
            to_mm: place.arc_mm,
            outer_diameter_mm: 3.0 * uniform(rng),
            body: rig.obstructions.len() as u32,
        }),
        5 => {
            let o = (uniform(rng) * rig.net.outlets.len() as f64) as usize;
            rig.therapy.bed_resistance_factor[o] = [1.0 / (uniform(rng) + 1e-4), 1.0 / (uniform(rng) + 1e-4)];
        }
        6 if uniform(rng) < 0.02 => {
            rig.flow.irritate(place);
        }
        7 if uniform(rng) < 0.02 => rig.flow.stenosis_open[0] = uniform(rng),
        _ => {}
    }
}

#[test]
fn ledger_holds_through_a_million_random_events() {
    let lesions = [
        LesionDescription::Bleeding {
            name: "b".to_owned(),
            vessel: "obturator.left".to_owned(),
            at: At::Mm(40.0),
            flow_ml_per_min: 40.0,
            share_of_time: 1.0,
            period_s: 300.0,
        },
        LesionDescription::Stenosis {
            vessel: "external.left".to_owned(),
            at: At::Mm(40.0),
            length_mm: 15.0,
            diameter_reduction_pct: 60.0,
            eccentricity: 0.0,
            around_deg: 0.0,
            calcium: 0.0,
            debris: 0.01,
        },
    ];
    let circulation = Circulation {
        anastomoses: vec![cathnav::anatomy::Anastomosis {
            from: "obturator.left".to_owned(),
            to: "vesical.left".to_owned(),
            diameter_mm: 0.4,
            length_mm: 20.0,
            count: 2,
        }],
        ..Circulation::default()
    };
    let mut rig = Rig::with(&small_pelvis(), &circulation, &lesions, &[pva(145.0)]);
    let mut rng = stream(7, Stream::Therapy);
    let (mut events, mut worst, mut worst_balance, mut lowest) = (0, 0.0_f64, 0.0_f64, 0.0_f64);
    let mut sources: Vec<Source> = Vec::new();
    let mut pumped: Vec<Exact> = rig.contrast_model.species.iter().map(|_| Exact::default()).collect();
    let mut ticks = 0_u32;
    while events < 1_000_000 {
        for _ in 0..12 {
            events += 1;
            random_event(&mut rig, &mut sources, &mut rng);
        }
        rig.tick(&sources);
        for s in &sources {
            for (species, sum) in rig.contrast_model.species.iter().zip(&mut pumped) {
                sum.add(
                    s.flow_ml_per_s
                        * TICK_S
                        * match species {
                            contrast::Species::Iodine => s.iodine_mg_per_ml,
                            contrast::Species::Gas => s.gas_share,
                            contrast::Species::Particle { share, .. } => {
                                s.particles.map_or(0.0, |p| p.1 * share)
                            }
                        },
                );
            }
        }
        worst_balance = worst_balance.max(rig.flow.residual_ml_per_s);
        ticks += 1;
        if ticks.is_multiple_of(25) {
            for (i, sum) in pumped.iter().enumerate() {
                let pump = sum.sum + sum.lost;
                worst = worst.max((rig.contrast.ledger(i).accounted() - pump).abs() / pump.max(1.0));
            }
            lowest = lowest.min(rig.contrast.amount.iter().flatten().fold(0.0_f64, |a, b| a.min(*b)));
        }
    }
    println!(
        "ledger: worst {worst:.2e} over {events} events in {ticks} ticks, {:.0} mg of iodine pumped; worst balance of a \
         cell {worst_balance:.1e} mL/s, lowest cell {lowest:.1e}",
        pumped[0].sum
    );
    residual("contrast: ledger", "pump against places, a million random events", worst, "1e-9");
    residual("contrast: ledger", "worst balance of a cell meanwhile, mL/s", worst_balance, "1e-9");
    assert!(rig.flow.is_finite() && rig.contrast.is_finite());
    assert!(worst < 1e-9 && worst_balance < 1e-9 && lowest >= 0.0);
}

#[test]
fn restored_state_goes_on_bit_for_bit() {
    let bleed = LesionDescription::Bleeding {
        name: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at: At::Mm(40.0),
        flow_ml_per_min: 40.0,
        share_of_time: 1.0,
        period_s: 300.0,
    };
    let mut rig = Rig::new(&small_pelvis(), &[bleed], &[pva(145.0)]);
    let source = Source {
        place: at(7, 20.0),
        flow_ml_per_s: 1.0,
        iodine_mg_per_ml: 290.0,
        particles: Some((0, 145.0)),
        gas_share: 0.0,
    };
    rig.run(2.0, &[source]);
    let bytes =
        postcard::to_stdvec(&(&rig.flow, &rig.contrast, &rig.therapy, &rig.injector, &rig.patient)).unwrap();
    let mut other = Rig {
        flow_scratch: FlowScratch::default(),
        contrast_scratch: ContrastScratch::default(),
        ..rig.clone()
    };
    (other.flow, other.contrast, other.therapy, other.injector, other.patient) =
        postcard::from_bytes(&bytes).unwrap();
    for r in [&mut rig, &mut other] {
        r.run(1.0, &[source]);
        r.run(2.0, &[]);
    }
    assert_eq!(rig.flow, other.flow);
    assert_eq!(rig.contrast, other.contrast);
    assert_eq!(rig.therapy, other.therapy);
    assert_eq!(rig.patient, other.patient);
}
