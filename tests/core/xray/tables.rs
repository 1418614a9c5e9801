//! Tables of the reference and closed forms of the signal.

use cathnav::anatomy::{Anatomy, VesselTree};
use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::math::Vec3;
use cathnav::sim::snapshot::Technique;
use cathnav::xray::scatter::{
    REFERENCE_GAP_MM, air_gap_factor, scatter_to_primary, scatter_to_primary_after_grid,
    scatter_to_primary_behind_ideal_grid,
};
use cathnav::xray::{CArm, DetectorProgram, ExposureControl, Spectrum, Substance};

use super::super::table::{row, value};
use super::{filled, shot, slab, straight_vessel};

#[test]
fn attenuation_reproduces_the_reference_table() {
    // mu/rho in cm2/g at 30, 40, 50, 60, 70, 80, 100 keV (xray-chain B1).
    let energies = [30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0];
    let rows = [
        (Substance::Water, [0.3756, 0.2683, 0.2269, 0.2059, 0.1929, 0.1837, 0.1707]),
        (Substance::SoftTissue, [0.3790, 0.2688, 0.2264, 0.2048, 0.1916, 0.1823, 0.1693]),
        (Substance::Blood, [0.3852, 0.2715, 0.2278, 0.2057, 0.1921, 0.1827, 0.1695]),
        (Substance::Fat, [0.3064, 0.2396, 0.2123, 0.1974, 0.1875, 0.1800, 0.1688]),
        (Substance::CorticalBone, [1.331, 0.6655, 0.4242, 0.3148, 0.2570, 0.2229, 0.1855]),
        (Substance::Air, [0.3538, 0.2485, 0.2080, 0.1875, 0.1750, 0.1662, 0.1541]),
        (Substance::Iodine, [8.562, 22.10, 12.32, 7.577, 5.016, 3.510, 1.942]),
        (Substance::Platinum, [26.42, 12.45, 6.954, 4.340, 2.927, 8.732, 4.993]),
        (Substance::Tungsten, [22.73, 10.67, 5.950, 3.713, 11.04, 7.809, 4.437]),
        (Substance::Nitinol, [7.980, 3.549, 1.920, 1.183, 0.8036, 0.5874, 0.3683]),
        (Substance::CesiumIodide, [9.047, 22.97, 12.87, 7.921, 5.248, 3.677, 2.035]),
    ];
    let mut worst = 0.0_f64;
    for (substance, values) in rows {
        for (e, mu) in energies.iter().zip(values) {
            let found = substance.mass_attenuation_cm2_per_g(*e);
            row("B1", &format!("{substance:?}, {e} keV, cm2/g"), mu, found, "0.5 %");
            worst = worst.max((found / mu - 1.0).abs());
        }
    }
    println!("attenuation against the table: worst {:.3} %", 100.0 * worst);
    assert!(worst < 0.005);
    let (below, above) = (
        Substance::Iodine.mass_attenuation_cm2_per_g(33.0),
        Substance::Iodine.mass_attenuation_cm2_per_g(33.3),
    );
    value("B1", "Iodine, 33.0 keV, cm2/g: below its edge", below, "< 7");
    value("B1", "Iodine, 33.3 keV, cm2/g: above its edge", above, "> 35");
    assert!(below < 7.0 && above > 35.0);
}

#[test]
fn spectra_reproduce_half_value_layer_and_output() {
    // kV, mm Cu, mean keV, HVL mm Al, uGy/mAs at 100 cm, photons per mm2 and uGy (xray-chain B2).
    let rows = [
        (60.0, 0.0, 36.0, 2.10, 48.2, 15281.0),
        (60.0, 0.3, 44.3, 4.72, 6.1, 24452.0),
        (60.0, 0.9, 49.3, 6.41, 0.8, 29094.0),
        (70.0, 0.0, 39.5, 2.42, 63.9, 17086.0),
        (70.0, 0.3, 48.8, 5.52, 10.9, 26809.0),
        (80.0, 0.0, 43.0, 2.77, 80.5, 18722.0),
        (80.0, 0.1, 48.0, 4.43, 38.8, 23903.0),
        (80.0, 0.3, 53.1, 6.30, 17.4, 28466.0),
        (80.0, 0.6, 57.2, 7.73, 8.2, 31220.0),
        (80.0, 0.9, 59.8, 8.54, 4.6, 32461.0),
        (100.0, 0.0, 49.3, 3.51, 116.0, 21281.0),
        (100.0, 0.1, 54.5, 5.50, 65.0, 26140.0),
        (100.0, 0.3, 60.1, 7.60, 34.9, 29937.0),
        (120.0, 0.0, 54.7, 4.29, 155.0, 22944.0),
        (120.0, 0.3, 65.8, 8.64, 57.6, 30011.0),
        (120.0, 0.9, 74.6, 11.07, 25.3, 31236.0),
    ];
    for (kv, cu, mean, hvl, output, photons) in rows {
        let s = Spectrum::tube(kv, cu);
        let kerma = s.air_kerma_ugy_per_mas();
        let off = [
            s.mean_energy_kev() / mean - 1.0,
            s.half_value_layer_mm_al() / hvl - 1.0,
            // One decimal is printed in the table.
            ((kerma - output).abs() - 0.05).max(0.0) / output,
            s.fluence_per_mm2() / kerma / photons - 1.0,
        ];
        let name = format!("{kv} kV {cu} mm Cu");
        row("B2", &format!("{name}: mean energy, keV"), mean, s.mean_energy_kev(), "2 %");
        row("B2", &format!("{name}: HVL, mm Al"), hvl, s.half_value_layer_mm_al(), "3 %");
        row("B2", &format!("{name}: air kerma, uGy/mAs at 1 m"), output, kerma, "5 %");
        row("B2", &format!("{name}: photons per mm2 and uGy"), photons, s.fluence_per_mm2() / kerma, "5 %");
        assert!(off[0].abs() < 0.02 && off[1].abs() < 0.03 && off[2].abs() < 0.05 && off[3].abs() < 0.05);
    }
}

#[test]
fn scatter_reproduces_the_monte_carlo_table() {
    let rows =
        [(10.0, 0.71, 1.36), (15.0, 1.12, 2.32), (20.0, 1.55, 3.19), (25.0, 2.10, 4.62), (30.0, 2.64, 6.33)];
    for (cm, narrow, wide) in rows {
        let off = (
            scatter_to_primary(cm * 10.0, 150.0) / narrow - 1.0,
            scatter_to_primary(cm * 10.0, 300.0) / wide - 1.0,
        );
        row(
            "B4",
            &format!("{cm} cm, 15 cm field: scatter to primary"),
            narrow,
            narrow * (1.0 + off.0),
            "10 %",
        );
        row("B4", &format!("{cm} cm, 30 cm field: scatter to primary"), wide, wide * (1.0 + off.1), "10 %");
        assert!(off.0.abs() < 0.10 && off.1.abs() < 0.10);
    }
    for (gap_mm, ratio) in [(20.0, 4.11), (150.0, 2.38), (300.0, 1.45)] {
        let off = 3.19 * air_gap_factor(gap_mm, 300.0) / ratio - 1.0;
        row(
            "B4",
            &format!("20 cm, 30 cm field, gap {gap_mm} mm: scatter to primary"),
            ratio,
            ratio * (1.0 + off),
            "10 %",
        );
        assert!(off.abs() < 0.10);
    }
}

#[test]
fn scatter_behind_a_grid_reproduces_the_monte_carlo_table() {
    let rows =
        [(10.0, 0.12, 0.14), (15.0, 0.19, 0.24), (20.0, 0.27, 0.32), (25.0, 0.34, 0.40), (30.0, 0.46, 0.6)];
    for (cm, narrow, wide) in rows {
        for (side, reference) in [(150.0, narrow), (300.0, wide)] {
            let ours = scatter_to_primary_behind_ideal_grid(cm * 10.0, side);
            // That value is statistics-limited in the source ("~").
            let limit = if cm == 30.0 && side == 300.0 { 0.15 } else { 0.10 };
            let name = format!("{cm} cm, {} cm field, ideal grid: scatter to primary", side / 10.0);
            row("B4", &name, reference, ours, &format!("{:.0} %", 100.0 * limit));
            assert!((ours / reference - 1.0).abs() < limit);
        }
    }
    // Behind a grid the gap hardly matters; less lamellae leak the farther the detector.
    let at = |gap| scatter_to_primary_after_grid(200.0, 300.0, gap);
    value("B4", "20 cm, real grid: scatter at a gap of 300 over 80 mm", at(300.0) / at(80.0), "0.75-1");
    assert!(at(300.0) < at(80.0) && at(300.0) > 0.75 * at(80.0));
}

#[test]
fn small_fields_ask_for_more_dose_as_the_published_table() {
    for (field_mm, percent) in
        [(480.0, 100.0), (420.0, 130.0), (370.0, 145.0), (310.0, 170.0), (220.0, 240.0), (150.0, 330.0)]
    {
        let dose = |f| DetectorProgram::Fluoro(15.0).detector_kerma_ngy(f);
        let ours = 100.0 * dose(field_mm) / dose(480.0);
        row("B5", &format!("detector dose of the {field_mm} mm field over 480 mm, %"), percent, ours, "1 %");
        assert!((ours / percent - 1.0).abs() < 0.01);
    }
}

#[test]
fn exposure_control_reproduces_the_table_and_obeys_the_law() {
    // cm of water, kV, mm Cu, mAs, mGy/min at the reference point at 15/s (xray-chain B5); the last two are above the limit.
    let rows = [
        (10.0, 62.0, 0.9, 0.47, 1.2),
        (15.0, 66.0, 0.6, 0.43, 3.6),
        (20.0, 72.0, 0.3, 0.36, 11.1),
        (25.0, 80.0, 0.2, 0.45, 28.2),
        (30.0, 90.0, 0.1, 0.56, 72.7),
        (35.0, 105.0, 0.1, 0.66, 123.0),
        (40.0, 120.0, 0.0, 0.78, 310.0),
    ];
    let arm = CArm::default();
    for (cm, kv, cu, mas, rate) in rows {
        let set = ExposureControl::for_thickness(DetectorProgram::Fluoro(15.0), cm * 10.0, &arm);
        let found = set.kerma_per_pulse_mgy * 15.0 * 60.0;
        let found_mas = set.tube_ma * set.pulse_ms / 1000.0;
        let asked = f64::min(rate, 88.0);
        row("B5", &format!("{cm} cm: mGy/min at the reference point (law: 88)"), asked, found, "10 %");
        if rate < 88.0 {
            row("B5", &format!("{cm} cm: mAs per pulse"), mas, found_mas, "10 %");
        }
        assert!((set.tube_kv - kv).abs() < 1e-9 && (set.copper_mm - cu).abs() < 1e-9);
        if rate < 88.0 {
            assert!((found / rate - 1.0).abs() < 0.10 && (found_mas / mas - 1.0).abs() < 0.10);
            assert!((set.detector_kerma_ngy - 30.0).abs() < 1e-6);
        } else {
            assert!((found - 88.0).abs() < 1e-6 && set.detector_kerma_ngy < 30.0, "the law sets the dose");
            assert!(set.dose_share < 1.0);
        }
    }
}

#[test]
fn contrast_reproduces_the_log_signals_of_iodine() {
    // xray-chain B5: 72 kV, 0.3 mm Cu, 20 cm of water, primary only: 350 mgI/mL over 1 and 5 mm, 50 mgI/mL over 5 mm.
    let behind = Spectrum::tube(72.0, 0.3).behind(Substance::Water, 200.0);
    let signal = |mg_per_cm2: f64| -> f64 {
        behind
            .energies_kev
            .iter()
            .zip(&behind.photons_per_mm2)
            .map(|(e, n)| {
                let absorbed =
                    1.0 - (-Substance::CesiumIodide.mass_attenuation_cm2_per_g(*e) * 0.21648).exp();
                let iodine = Substance::Iodine.mass_attenuation_cm2_per_g(*e) * mg_per_cm2 / 1000.0;
                n * e * absorbed * (-iodine).exp()
            })
            .sum()
    };
    for (mg_per_ml, mm, log) in [
        (350.0, 1.0, 0.357),
        (350.0, 5.0, 1.60),
        (175.0, 1.0, 0.181),
        (100.0, 5.0, 0.502),
        (50.0, 5.0, 0.257),
    ] {
        let found = (signal(0.0) / signal(mg_per_ml * mm / 10.0)).ln();
        row("B5", &format!("ln signal of {mg_per_ml} mgI/mL, {mm} mm, 72 kV 0.3 mm Cu"), log, found, "3 %");
        assert!((found / log - 1.0).abs() < 0.03);
    }
    // The same through the renderer's bins, scatter included.
    let arm = CArm { field_mm: 160.0, ..CArm::default() };
    let vessel = straight_vessel(2.5, Vec3::new(0.0, 0.0, -100.0), Vec3::new(0.0, 0.0, 100.0));
    let anatomy =
        Anatomy { body: slab(100.0), tree: VesselTree { branches: vec![vessel] }, ..Anatomy::default() };
    let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels: 255, seed: 1 });
    let mut snapshot = shot(
        arm,
        Technique {
            tube_kv: 72.0,
            copper_mm: 0.3,
            tube_ma: 90.0,
            pulse_ms: 4.0,
            water_equivalent_mm: 200.0,
            air_gap_mm: REFERENCE_GAP_MM,
            ..Technique::default()
        },
        0,
    );
    let bare = renderer.expected_signal_kev(&snapshot)[127 * 255 + 127];
    snapshot.vessels = vec![filled(200.0, 350.0)];
    let with = renderer.expected_signal_kev(&snapshot)[127 * 255 + 127];
    let (across, along) = arm.open_field_mm();
    let ratio = scatter_to_primary_after_grid(200.0, (across * along).sqrt(), REFERENCE_GAP_MM);
    // The light that spreads far counts as scatter.
    let ratio = ratio + 0.015 / 0.985 * (1.0 + ratio);
    let exact = ((1.0 + ratio) / ((-1.60_f64).exp() + ratio)).ln();
    let found = f64::from(bare / with).ln();
    row("B5", "5 mm vessel, 350 mgI/mL, with scatter: ln signal", exact, found, "5 %");
    assert!((found / exact - 1.0).abs() < 0.05);
}
