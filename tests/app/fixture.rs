//! A procedure in full swing, made by hand: every panel has something to show.

use cathnav::anatomy::{VesselId, VesselPlace};
use cathnav::app::view::{
    CaseCard, CaseView, LogKind, LogLine, Screen, StepView, ToolView, TraceSample, View,
};
use cathnav::device::DeviceKind;
use cathnav::math::Vec3;
use cathnav::scenario::Level;
use cathnav::sim::ToolId;
use cathnav::sim::command::Pedal;
use cathnav::sim::snapshot::{
    InjectionView, PatientView, PressureLineView, RodDeviceView, RodView, Snapshot, StenosisView, Technique,
    ToolInfo, XrayView,
};

/// A view of a busy procedure.
pub(crate) fn busy_view() -> View {
    let labels = [
        ("5F sheath, 11 cm", DeviceKind::Sheath, 110.0, 2.3),
        ("0.035 in hydrophilic wire, angled", DeviceKind::Wire, 1500.0, 0.89),
        ("0.035 in Bentson wire", DeviceKind::Wire, 1450.0, 0.89),
        ("5F Cobra C2", DeviceKind::Catheter, 650.0, 1.67),
        ("5F pigtail", DeviceKind::Catheter, 900.0, 1.67),
        ("2.4F microcatheter", DeviceKind::Microcatheter, 1300.0, 0.8),
        ("0.018 in wire for the microcatheter", DeviceKind::Wire, 1650.0, 0.46),
    ];
    let tools = labels
        .iter()
        .map(|(label, kind, length_mm, outer_mm)| ToolView {
            label: (*label).to_owned(),
            kind: *kind,
            length_mm: *length_mm,
            outer_mm: *outer_mm,
            has_lumen: *kind != DeviceKind::Wire,
            detachable_mm: None,
            balloon: None,
            has_sheathed_stent: false,
            has_filter: false,
        })
        .collect();
    let mut view = View {
        screen: Screen::Procedure,
        snapshot: busy_snapshot(&labels.map(|l| l.0)),
        case: CaseView {
            title: "Active pelvic bleeding".to_owned(),
            patient: "female, 34 y, 68 kg".to_owned(),
            story: "Fell from a height. Fracture of the left pubic rami; contrast leaves a branch of the left internal \
                    iliac artery on the CT. Pressure falls in spite of fluids."
                .to_owned(),
            task: "Find the bleeding branch of the left anterior division and close it, and nothing else.".to_owned(),
            why: "Bleeding from pelvic fractures is arterial in one of ten patients; embolization closes what a surgeon \
                  cannot reach."
                .to_owned(),
            why_source: "source of the case".to_owned(),
            minutes: 35.0,
            pass: 60.0,
            par: vec![("fluoroscopy time, min".to_owned(), 12.0, 18.0, 25.0)],
            contrast_ml: 150.0,
            dose_alert_mgy: 2000.0,
            has_injector: true,
            views: ["AP", "LAO 30"].map(str::to_owned).to_vec(),
            reference_kap: Some(("Uterine artery embolization".to_owned(), 236.0)),
            debrief: vec!["Where did the most fluoroscopy time go?".to_owned()],
        },
        tools,
        embolics: vec![("particles.pva.500_700".to_owned(), "PVA particles 500-700 um".to_owned())],
        vessel_labels: vec!["Aorta".to_owned(), "Left internal iliac artery".to_owned()],
        time_factor: 1.0,
        reference_title: "run 2, frame 7 of 12".to_owned(),
        ..View::default()
    };
    view.hands.follow(&view.snapshot);
    for (title, done_s) in [
        ("Over the bifurcation", Some(95.0)),
        ("Run of the left internal iliac artery", Some(260.0)),
        ("Microcatheter in the bleeding branch", None),
        ("Embolize to near stasis", None),
        ("Final run", None),
    ] {
        view.steps.push(StepView {
            title: title.to_owned(),
            say: "Small steps; the branch leaves to the front.".to_owned(),
            points: 20.0,
            done_s,
            open: true,
            optional: false,
        });
    }
    for (time_s, text, kind) in [
        (12.0, "Sheath flushed", LogKind::Plain),
        (251.0, "Run 2: 9.0 mL at the left internal iliac artery", LogKind::Plain),
        (280.0, "The patient: my leg is getting warm", LogKind::Said),
        (
            300.0,
            "Refused: 0.035 in wire (0.89 mm) does not pass 2.4F microcatheter (0.53 mm)",
            LogKind::Warning,
        ),
    ] {
        view.log.push(LogLine { time_s, text: text.to_owned(), kind });
    }
    for i in 0..360 {
        let time_s = f64::from(i) / 60.0;
        let phase = (time_s * 1.5).fract();
        view.trace.push(TraceSample {
            time_s,
            ecg_mv: (1.1 * (-((phase - 0.3) / 0.02).powi(2)).exp()
                + 0.2 * (-((phase - 0.55) / 0.06).powi(2)).exp()) as f32,
            pressure_mmhg: (62.0 + 40.0 * (-(phase - 0.35).abs() * 4.0).exp()) as f32,
            pleth: (-(phase - 0.5).abs() * 4.0).exp() as f32,
            tip_mmhg: Some((60.0 + 24.0 * (-(phase - 0.4).abs() * 3.0).exp()) as f32),
        });
    }
    view.cards = cards();
    view
}

fn busy_snapshot(labels: &[&str]) -> Snapshot {
    let device = |tool: u8, inserted_mm: f64, hub: f64, force: f64| RodDeviceView {
        tool: ToolId(tool),
        inserted_mm,
        hub_angle_rad: hub,
        tip_angle_rad: hub - 1.2,
        hub_force_n: force,
        tip_force_n: 0.05,
        external_mm: 1500.0 - inserted_mm,
        tip_place: Some(VesselPlace { vessel: VesselId(1), arc_mm: 20.0 }),
        ..RodDeviceView::default()
    };
    let devices = vec![device(3, 412.0, 0.6, 0.35), device(5, 468.0, -0.8, 0.9), device(6, 495.0, 3.9, 1.7)];
    let rod = RodView {
        nodes_mm: (0..200).map(|i| Vec3::new(-60.0 + f64::from(i) * 0.5, 0.0, f64::from(i))).collect(),
        arc_mm: (0..200).map(|i| f64::from(i) * 1.12).collect(),
        contact_n: vec![0.0; 200],
        devices,
    };
    let tool = |(i, label): (usize, &&str)| ToolInfo {
        id: format!("tool.{i}"),
        label: (*label).to_owned(),
        kind: DeviceKind::Wire,
        loaded: [0, 3, 5, 6].contains(&i),
        ..ToolInfo::default()
    };
    Snapshot {
        tick: 18_360,
        time_s: 306.0,
        rods: vec![rod],
        pressure_lines: vec![PressureLineView {
            tool: ToolId(5),
            systolic_mmhg: 84.0,
            diastolic_mmhg: 60.0,
            mean_mmhg: 68.0,
            ..PressureLineView::default()
        }],
        stenoses: vec![StenosisView { mean_gradient_mmhg: 14.0, ..StenosisView::default() }],
        injection: InjectionView {
            connected: Some(ToolId(5)),
            armed: true,
            rate_ml_per_s: 3.0,
            volume_ml: 9.0,
            syringe: "Contrast".to_owned(),
            syringe_ml: 7.5,
            contrast_given_ml: 31.5,
            embolic_given_ml: 0.4,
            vessel_flow_ml_per_s: 1.4,
            beats_to_clear: 2.5,
            ..InjectionView::default()
        },
        patient: PatientView {
            heart_rate_bpm: 112.0,
            systolic_mmhg: 86.0,
            diastolic_mmhg: 58.0,
            mean_mmhg: 67.0,
            spo2_pct: 96.0,
            respiration_bpm: 18.0,
            act_s: 142.0,
            blood_loss_ml: 640.0,
            pain: 3.0,
            temperature_c: 36.4,
            kidney_load: 0.12,
            ..PatientView::default()
        },
        xray: XrayView {
            pedal: Pedal::Fluoro,
            pulse_rate_per_s: 7.5,
            frame_rate_per_s: 3.0,
            technique: Technique {
                tube_kv: 76.0,
                tube_ma: 62.0,
                pulse_ms: 6.2,
                copper_mm: 0.3,
                ..Technique::default()
            },
            fluoro_time_s: 263.0,
            air_kerma_mgy: 184.2,
            air_kerma_rate_mgy_per_min: 12.4,
            kap_gy_cm2: 41.7,
            runs: 2,
            ..XrayView::default()
        },
        tools: labels.iter().enumerate().map(tool).collect(),
        ..Snapshot::default()
    }
}

fn cards() -> Vec<CaseCard> {
    vec![
        CaseCard {
            path: "scenarios/pelvic_bleeding.ron".into(),
            title: "Active pelvic bleeding".to_owned(),
            level: Level::Intermediate,
            heading: Some("Vascular trauma (CIRSE 2.2.1.1.7)".to_owned()),
            minutes: 35.0,
            task: "Find the bleeding branch of the left anterior division and close it, and nothing else."
                .to_owned(),
            best: Some((71.0, 100.0)),
            has_demo: true,
            ..CaseCard::default()
        },
        CaseCard {
            path: "scenarios/broken.ron".into(),
            title: "broken.ron".to_owned(),
            fault: Some("broken.ron:12:5: unknown field `wieght_kg`, did you mean `weight_kg`".to_owned()),
            ..CaseCard::default()
        },
    ]
}
