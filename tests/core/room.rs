//! The room: tools and their refusals, dose to skin and staff, alerts, review of stored runs, measurement, DICOM.

use cathnav::anatomy::{Anatomy, BodySurface, Material, Mesh, VesselTree};
use cathnav::imaging::archive::{Archive, StoredRun};
use cathnav::imaging::dicom::{RunFacts, Study, loop_file, rdsr_file, update_mask, xa_file};
use cathnav::imaging::measure::{Calibration, half_height_pixels, stenosis_percent};
use cathnav::imaging::review::{ReviewSettings, Reviewed, ViewTrace, automatic_mask, fullest_frame, review};
use cathnav::imaging::{Frame, FrameKind, Renderer, RendererConfig, skin_picture};
use cathnav::math::Vec3;
use cathnav::scenario::Room;
use cathnav::sim::command::{Command, Pedal, RoadmapSource};
use cathnav::sim::event::{Event, EventKind};
use cathnav::sim::exposure::account::{IrradiationEvent, IrradiationKind};
use cathnav::sim::exposure::suite::RunRecord;
use cathnav::sim::exposure::{self, ExposureInput, ExposureModel, ExposureState};
use cathnav::sim::snapshot::{Pulse, Snapshot, VesselView, XrayView};
use cathnav::xray::dose::DoseQuantity;
use cathnav::xray::skin::{SkinDose, SkinModel, SkinPulse, backscatter_factor, table_factor};
use cathnav::xray::{CArm, FluoroLevel, Spectrum};
use dicom_object::{InMemDicomObject, Tag};

/// An elliptic cylinder along the body, half axes in mm.
fn trunk(across: f64, deep: f64, half_length: f64) -> Mesh {
    let (around, along) = (180_u32, 40_u32);
    let mut mesh = Mesh::default();
    for j in 0..=along {
        for i in 0..around {
            let a = f64::from(i) / f64::from(around) * std::f64::consts::TAU;
            let z = half_length * (2.0 * f64::from(j) / f64::from(along) - 1.0);
            mesh.vertices_mm.push(Vec3::new(across * a.cos(), deep * a.sin(), z));
        }
    }
    for j in 0..along {
        for i in 0..around {
            let next = (i + 1) % around;
            let (a, b, c, d) =
                (j * around + i, j * around + next, (j + 1) * around + next, (j + 1) * around + i);
            mesh.triangles.extend([[a, b, c], [a, c, d]]);
        }
    }
    let n = mesh.vertices_mm.len() as u32;
    mesh.vertices_mm.extend([Vec3::new(0.0, 0.0, -half_length), Vec3::new(0.0, 0.0, half_length)]);
    for i in 0..around {
        let next = (i + 1) % around;
        mesh.triangles.push([n, next, i]);
        mesh.triangles.push([n + 1, along * around + i, along * around + next]);
    }
    mesh
}

fn patient() -> Anatomy {
    let skin = BodySurface {
        name: "skin".to_owned(),
        material: Material::SoftTissue,
        density_g_per_cm3: 1.0,
        mesh: trunk(170.0, 110.0, 400.0),
    };
    let branch = crate::xray::straight_vessel(4.0, Vec3::new(0.0, 0.0, -100.0), Vec3::new(0.0, 0.0, 100.0));
    Anatomy { body: vec![skin], tree: VesselTree { branches: vec![branch] }, ..Anatomy::default() }
}

struct Rig {
    model: ExposureModel,
    state: ExposureState,
    tick: u64,
    events: Vec<EventKind>,
}

impl Rig {
    fn new() -> Self {
        let model = ExposureModel::new(&patient(), &Room::default(), &Vec3::new(-50.0, 0.0, -100.0));
        let state = ExposureState::new(&model);
        Self { model, state, tick: 0, events: Vec::new() }
    }

    fn run(&mut self, commands: &[Command], ticks: u64) -> XrayView {
        for k in 0..ticks {
            let mut events: Vec<Event> = Vec::new();
            let commands = if k == 0 { commands } else { &[] };
            let input = ExposureInput { commands, tick: self.tick, ..ExposureInput::default() };
            exposure::advance(&self.model, &mut self.state, &input, &mut events);
            self.events.extend(events.into_iter().map(|e| e.kind));
            self.tick += 1;
        }
        exposure::view(&self.state)
    }

    fn refusal(&mut self, command: Command) -> String {
        self.events.clear();
        self.run(std::slice::from_ref(&command), 1);
        let mut reasons = self.events.iter().filter_map(|e| match e {
            EventKind::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        reasons.next_back().unwrap_or_else(|| panic!("{command:?} was not refused"))
    }
}

#[test]
fn tools_refuse_what_cannot_be_with_words() {
    let mut rig = Rig::new();
    for (command, word) in [
        (Command::StoreFluoro, "no fluoroscopy"),
        (Command::Remask, "subtracted run"),
        (Command::SetMask { run: 1, first: 0, last: 0 }, "no run 1"),
        (Command::SetPixelShift { run: 7, right_mm: 0.5, up_mm: 0.0 }, "no run 7"),
        (Command::SetRoadmapSource(RoadmapSource::Run(3)), "no run 3"),
        (Command::SetRoadmapOpacity(1.5), "1.5"),
        (Command::SetRoadmapOpacity(f64::NAN), "NaN"),
        (Command::RecallReference(0), "reference view 1 is empty"),
        (Command::StoreReference(2), "1 to 2"),
        (Command::RecallPreset(9), "1 to 4"),
        (Command::SelectProgram(200), "program 201"),
        (Command::SetWedge { insertion: -1.0, angle_deg: 0.0 }, "wedge insertion"),
    ] {
        let reason = rig.refusal(command);
        assert!(reason.contains(word), "{reason}");
    }
    rig.run(&[Command::SetPedal(Pedal::Acquire)], 80);
    let reason = rig.refusal(Command::SelectProgram(0));
    assert!(reason.contains("between runs"), "{reason}");
    rig.run(&[Command::SetPedal(Pedal::Off)], 1);
    let reason = rig.refusal(Command::SetMask { run: 1, first: 0, last: 99 });
    assert!(reason.contains("mask frames 1 to 100") && reason.contains("run 1"), "{reason}");
}

#[test]
fn reference_views_loops_masks_and_programs_are_kept() {
    let mut rig = Rig::new();
    rig.run(&[Command::SetAngles { primary_deg: 25.0, secondary_deg: 10.0 }], 120);
    rig.run(&[Command::SetPedal(Pedal::Fluoro)], 120);
    rig.run(&[Command::SetPedal(Pedal::Off), Command::StoreFluoro, Command::StoreReference(1)], 1);
    assert!(
        rig.events.iter().any(|e| matches!(e, EventKind::FluoroStored { number: 1, first: 0, last: 14 }))
    );
    let reason = rig.refusal(Command::StoreFluoro);
    assert!(reason.contains("stored already"), "{reason}");
    let there = exposure::view(&rig.state).arm;
    rig.run(&[Command::RecallPreset(0), Command::SetField(220.0)], 200);
    assert_eq!(exposure::view(&rig.state).arm.primary_deg, 0.0);
    let back = rig.run(&[Command::RecallReference(1)], 200);
    assert_eq!(back.arm, there, "C-arm, table and field are as they were");

    // Abdomen: 3/s for 6 s, then 1/s.
    rig.run(&[Command::SelectProgram(0)], 1);
    rig.run(&[Command::SetPedal(Pedal::Acquire)], 360);
    let early = exposure::view(&rig.state).frames;
    let view = rig.run(&[], 180);
    println!("Abdomen program: {early} frames in 6 s, {} in 9 s", view.frames);
    assert_eq!((early, view.frames), (18, 21));
    let view = rig.run(&[Command::Remask], 30);
    assert_eq!(view.suite.remasks, 1);
    assert_eq!(view.suite.runs[0].mask, Some([21, 21]));
    rig.run(&[Command::SetPedal(Pedal::Off)], 1);
    let set = [
        Command::SetMask { run: 1, first: 1, last: 3 },
        Command::SetPixelShift { run: 1, right_mm: 0.25, up_mm: -0.5 },
        Command::SetRoadmapSource(RoadmapSource::Run(1)),
        Command::SetRoadmapOpacity(0.8),
    ];
    let view = rig.run(&set, 1);
    assert_eq!(view.suite.runs[0].mask, Some([1, 3]));
    assert_eq!(view.suite.runs[0].shift_mm, [0.25, -0.5]);
    assert_eq!((view.suite.roadmap_source, view.suite.roadmap_opacity), (RoadmapSource::Run(1), 0.8));
    // The whole state goes through a file and on, bit for bit.
    let bytes = postcard::to_stdvec(&rig.state).unwrap();
    let again: ExposureState = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(again, rig.state);
}

#[test]
fn high_level_control_doubles_the_limit_and_low_halves_the_dose() {
    let rate = |level, thick: bool| {
        let mut rig = Rig::new();
        let mut commands = vec![Command::SetFluoroLevel(level), Command::SetPulseRate(30.0)];
        if thick {
            commands.push(Command::SetAngles { primary_deg: 90.0, secondary_deg: 45.0 });
            commands.push(Command::SetField(110.0));
        }
        rig.run(&commands, 300);
        rig.run(&[Command::SetPedal(Pedal::Fluoro)], 30).air_kerma_rate_mgy_per_min
    };
    let [low, normal] = [FluoroLevel::Low, FluoroLevel::Normal].map(|l| rate(l, false));
    println!("mGy/min: low {low:.2}, normal {normal:.2}");
    assert!((low / normal - 0.5).abs() < 1e-9);
    let [normal, high] = [FluoroLevel::Normal, FluoroLevel::High].map(|l| rate(l, true));
    println!("thick and oblique: normal {normal:.2}, high level {high:.2} mGy/min");
    assert!((normal - 88.0).abs() < 1e-9, "held at the legal limit");
    assert!(high > 1.5 * normal && high <= 176.0 + 1e-9);
}

#[test]
fn dose_to_the_skin_by_hand() {
    let model = SkinModel::new(&patient());
    let arm = CArm { field_mm: 220.0, ..CArm::default() };
    let spectrum = Spectrum::tube(72.0, 0.3);
    let hvl = spectrum.half_value_layer_mm_al();
    let mut dose = SkinDose::default();
    let pulse = SkinPulse { arm: &arm, kerma_mgy: 10.0, hvl_mm_al: hvl, wedge: 1.0 };
    model.expose(&mut dose, &pulse);
    // AP: the tube is below the table; the middle of the back lies 110 mm behind the isocenter, 640 mm from the focal spot.
    let side_at_skin = arm.field_side_mm() * 640.0 / arm.sid_mm;
    let exact =
        10.0 * (600.0_f64 / 640.0).powi(2) * backscatter_factor(hvl, side_at_skin) * 1.03 * table_factor(hvl);
    println!(
        "peak {:.4} mGy, by hand {exact:.4} ({:+.2} %)",
        dose.peak_mgy,
        100.0 * (dose.peak_mgy / exact - 1.0)
    );
    assert!((dose.peak_mgy / exact - 1.0).abs() < 0.02);
    assert!(model.bins[dose.peak_bin].normal.y > 0.99, "on the back");
    // What goes in through the skin is the kerma-area product: the sum of dose x area x cosine over its factors.
    let p = arm.projection(2);
    let mut through = 0.0;
    let mut bins = 0;
    for (bin, mgy) in model.bins.iter().zip(&dose.dose_mgy).filter(|(_, d)| **d > 0.0) {
        let way = (bin.position_mm - p.source_mm).normalize();
        let mid = (bin.position_mm - p.source_mm).dot(&p.towards_detector);
        let factors =
            backscatter_factor(hvl, arm.field_side_mm() * mid / arm.sid_mm) * 1.03 * table_factor(hvl);
        through += f64::from(*mgy) / factors * bin.area_mm2 * -way.dot(&bin.normal);
        bins += 1;
    }
    let kap = cathnav::xray::dose::kerma_area_gy_cm2(10.0, &arm) * 1000.0 * 100.0;
    println!(
        "through {bins} bins {through:.0} mGy mm2, KAP {kap:.0} ({:+.1} %)",
        100.0 * (through / kap - 1.0)
    );
    assert!((through / kap - 1.0).abs() < 0.06);
    // From the side there is no table in the way.
    let lateral = CArm { primary_deg: 90.0, ..arm };
    let mut dose = SkinDose::default();
    model.expose(&mut dose, &SkinPulse { arm: &lateral, ..pulse });
    let side = arm.field_side_mm() * 580.0 / arm.sid_mm;
    let exact = 10.0 * (600.0_f64 / 580.0).powi(2) * backscatter_factor(hvl, side) * 1.03;
    println!("lateral peak {:.4} mGy, by hand {exact:.4}", dose.peak_mgy);
    assert!((dose.peak_mgy / exact - 1.0).abs() < 0.02);
    assert!(model.bins[dose.peak_bin].normal.x < -0.99, "LAO 90: the beam enters on the patient's right");
    // 100 kV, 7.6 mm Al was not used for the table of backscatter.
    for (side, k) in [(50.0, 1.29), (100.0, 1.44), (200.0, 1.56), (250.0, 1.59), (350.0, 1.61)] {
        let found = backscatter_factor(7.6, side);
        println!(
            "backscatter at 7.6 mm Al, {side} mm: {found:.3}, 100 kV {k} ({:+.1} %)",
            100.0 * (found / k - 1.0)
        );
        assert!((found / k - 1.0).abs() < 0.02);
    }
}

#[test]
fn accounts_add_up_and_alerts_come_at_their_levels() {
    let mut rig = Rig::new();
    rig.run(&[Command::SetPulseRate(15.0), Command::SetPedal(Pedal::Fluoro)], 600);
    rig.run(&[Command::SetPedal(Pedal::Acquire)], 300);
    let view = rig.run(&[Command::SetPedal(Pedal::Off)], 60);
    let events: Vec<IrradiationEvent> = rig
        .events
        .iter()
        .filter_map(|e| if let EventKind::Irradiated(e) = e { Some(**e) } else { None })
        .collect();
    assert_eq!(events.len(), 2);
    assert_eq!([events[0].kind, events[1].kind], [IrradiationKind::Fluoro, IrradiationKind::Dsa]);
    assert_eq!((events[0].pulses, events[0].ticks, events[1].run, events[1].pulses), (150, 600, Some(1), 15));
    let kerma: f64 = events.iter().map(|e| e.air_kerma_mgy).sum();
    let kap: f64 = events.iter().map(|e| e.kap_gy_cm2).sum();
    println!("kerma {kerma:.4} of {:.4} mGy, KAP {kap:.4} of {:.4}", view.air_kerma_mgy, view.kap_gy_cm2);
    assert!((kerma / view.air_kerma_mgy - 1.0).abs() < 1e-9 && (kap / view.kap_gy_cm2 - 1.0).abs() < 1e-9);
    assert!((events[0].air_kerma_mgy / view.dose.fluoro_kerma_mgy - 1.0).abs() < 1e-9);
    println!("staff, uGy: {:?}; largest skin dose {:.3} mGy", view.dose.staff_ugy, view.dose.peak_skin_mgy);
    assert!(view.dose.staff_ugy.iter().all(|s| *s > 0.0));
    // Half an hour of fluoroscopy is the first notification; the timer sounds every five minutes of beam.
    rig.events.clear();
    rig.run(&[Command::SetPedal(Pedal::Fluoro)], 60 * 60 * 31);
    let alert = rig.events.iter().find_map(|e| match e {
        EventKind::DoseAlert { quantity: DoseQuantity::FluoroTime, value, level, substantial } => {
            Some((*value, *level, *substantial))
        }
        _ => None,
    });
    let (value, level, substantial) = alert.unwrap();
    assert!((value - 30.0).abs() < 1e-3 && level == 30.0 && !substantial, "{value}");
    let timer: Vec<f64> = rig
        .events
        .iter()
        .filter_map(|e| if let EventKind::BeamTimer { minutes } = e { Some(*minutes) } else { None })
        .collect();
    assert_eq!(timer, [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
}

#[test]
fn blades_and_wedge_cost_less() {
    let kap = |commands: &[Command]| {
        let mut rig = Rig::new();
        rig.run(commands, 1);
        let view = rig.run(&[Command::SetPedal(Pedal::Fluoro)], 60);
        view.kap_gy_cm2 / view.air_kerma_mgy
    };
    let open = kap(&[]);
    let blades = kap(&[Command::SetBlades([0.5; 4])]);
    let wedge = kap(&[Command::SetWedge { insertion: 1.0, angle_deg: 0.0 }]);
    println!("KAP per kerma: open {open:.4}, half blades {blades:.4}, half wedge {wedge:.4}");
    assert!((blades / open - 0.25).abs() < 1e-9);
    assert!(wedge < 0.85 * open && wedge > 0.5 * open);
}

// ---------------------------------------------------------------- review

const SIDE: usize = 128;

/// A run of a bright ground with a dark bone edge, a vessel of 12 pixels diameter that fills from frame 2, seen by the detector
/// with the patient shifted by `shift` pixels after the mask.
fn stored(shift: f64) -> StoredRun {
    let mut archive = Archive::default();
    for frame in 0..8_u32 {
        let moved = if frame < 2 { 0.0 } else { shift };
        let fill = if frame < 2 { 0.0 } else { f64::from(frame.min(5) - 1) / 4.0 };
        let signal: Vec<f32> = (0..SIDE * SIDE)
            .map(|i| {
                let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
                let bone = 1.0 / (1.0 + (-(x - 90.0 - moved) / 1.5).exp());
                let r = x - 40.0;
                // The throat of the stenosis is at row 64: half the diameter.
                let radius = 6.0 * (1.0 - 0.5 * (-((y - 64.0) / 12.0).powi(2)).exp());
                let chord = (radius * radius - r * r).max(0.0).sqrt() / 6.0;
                (5000.0 * (-0.8 * bone - 0.9 * fill * chord).exp()) as f32
            })
            .collect();
        let mut snapshot = Snapshot { tick: u64::from(frame) * 20, ..Snapshot::default() };
        snapshot.xray.frame_rate_per_s = 3.0;
        snapshot.xray.pulse = Some(Pulse { number: u64::from(frame), run: Some(1), frame_in_run: frame });
        archive.add(&snapshot, &picture(frame), &signal);
    }
    archive.runs.remove(0)
}

fn picture(frame: u32) -> Frame {
    Frame {
        columns: SIDE,
        rows: SIDE,
        gray: vec![frame as u8; SIDE * SIDE],
        kind: FrameKind::Native,
        live: true,
        run: Some(1),
        frame_in_run: frame,
        pulse: u64::from(frame),
        arm: CArm::default(),
        roadmap_moved_mm: None,
    }
}

fn spread(values: &[f32], columns: std::ops::Range<usize>) -> f32 {
    let inside = |i: &usize| columns.contains(&(i % SIDE));
    (0..values.len()).filter(inside).map(|i| values[i].abs()).fold(0.0, f32::max)
}

#[test]
fn mask_shift_and_trace_do_what_they_say() {
    let still = stored(0.0);
    assert_eq!(automatic_mask(&still), [0, 1], "the frames before contrast");
    assert_eq!(fullest_frame(&still), 5);
    let full = ReviewSettings { frame: 5, ..ReviewSettings::for_run(&still) };
    let r = review(&still, &full).unwrap();
    let top = f64::from(r.values[2 * SIDE + 40]);
    println!("log contrast in the vessel {top:.4}, exact 0.9; beside bone {:.5}", spread(&r.values, 70..110));
    assert!((top - 0.9).abs() < 2e-3 && spread(&r.values, 70..110) < 2e-3);
    // A moved patient leaves an edge; the shift takes it away.
    let moved = stored(1.4);
    let bad = review(&moved, &full).unwrap();
    let shift_mm = [1.4 * moved.pixel_mm(), 0.0];
    let good = review(&moved, &ReviewSettings { shift_mm, ..full.clone() }).unwrap();
    let (before, after) = (spread(&bad.values, 80..100), spread(&good.values, 80..100));
    println!("edge of the bone: {before:.4} before, {after:.4} after a shift of 1.4 pixels");
    assert!(after < 0.1 * before);
    // The mask from full frames leaves nothing, and the trace shows what any frame showed.
    let late = review(&still, &ReviewSettings { mask: Some([5, 7]), ..full.clone() }).unwrap();
    assert!(spread(&late.values, 30..50) < 2e-3);
    let early = ReviewSettings { frame: 0, trace: ViewTrace::Opacified, ..full.clone() };
    let trace = review(&still, &early).unwrap();
    assert!((f64::from(trace.values[2 * SIDE + 40]) - 0.9).abs() < 2e-3);
    let inverted = review(&still, &ReviewSettings { invert: true, edge: 0.0, ..full.clone() }).unwrap();
    let plain = review(&still, &ReviewSettings { edge: 0.0, ..full }).unwrap();
    let sums: Vec<u32> = plain
        .frame
        .gray
        .iter()
        .zip(&inverted.frame.gray)
        .map(|(a, b)| u32::from(*a) + u32::from(*b))
        .collect();
    assert!(sums.iter().all(|s| (254..=256).contains(s)));
}

#[test]
fn stenosis_in_percent_by_half_height() {
    let run = stored(0.0);
    let full = ReviewSettings { frame: 5, ..ReviewSettings::for_run(&run) };
    let r: Reviewed = review(&run, &full).unwrap();
    let calibration = Calibration::isocenter(&run.arm, SIDE);
    let at = |y: f64| calibration.lumen_mm(&r, [20.0, y], [60.0, y]).unwrap();
    let (throat, reference) = (at(64.0), at(8.0));
    let percent = stenosis_percent(throat, reference).unwrap();
    let exact = 12.0 * calibration.mm_per_pixel;
    println!(
        "reference {reference:.3} mm (exact {exact:.3}), throat {throat:.3} mm, stenosis {percent:.1} % (exact 50)"
    );
    assert!((reference / exact - 1.0).abs() < 0.03 && (percent - 50.0).abs() < 3.0);
    assert!(
        (calibration.distance_mm([10.0, 10.0], [13.0, 14.0]) - 5.0 * calibration.mm_per_pixel).abs() < 1e-12
    );
    let by_catheter = Calibration::catheter(&r, [20.0, 8.0], [60.0, 8.0], 6.0).unwrap();
    let width = half_height_pixels(&r, [20.0, 8.0], [60.0, 8.0]).unwrap();
    assert!((by_catheter.mm_per_pixel * width - 2.0).abs() < 1e-12, "6 F is 2 mm");
    assert!(Calibration::catheter(&r, [20.0, 8.0], [60.0, 8.0], 0.0).is_err());
    assert!(half_height_pixels(&r, [100.0, 8.0], [120.0, 8.0]).is_err(), "nothing there");
}

#[test]
fn loops_of_fluoroscopy_are_kept_when_asked_for() {
    let mut archive = Archive::default();
    let mut snapshot = Snapshot::default();
    for number in 0..30 {
        snapshot.xray.pulse = Some(Pulse { number, run: None, frame_in_run: 0 });
        let gray = vec![5 * number as u8; SIDE * SIDE];
        let frame = Frame { pulse: number, run: None, gray, ..picture(0) };
        archive.add(&snapshot, &frame, &[]);
    }
    snapshot.xray.suite.loops.push([10, 29]);
    archive.follow(&snapshot);
    archive.follow(&snapshot);
    assert_eq!(archive.loops.len(), 1);
    let pulses: Vec<u64> = archive.loops[0].frames.iter().map(|f| f.pulse).collect();
    assert_eq!(pulses, (10..30).collect::<Vec<u64>>());
    // As a file: the pictures as they were displayed.
    let fluoro = IrradiationEvent { kind: IrradiationKind::Fluoro, run: None, rate_per_s: 7.5, ..event() };
    let bytes = loop_file(&study(), &archive.loops[0], Some(fluoro)).unwrap();
    let object = dicom_object::from_reader(&bytes[..]).unwrap();
    let text = |tag| object.element(tag).unwrap().to_str().unwrap().into_owned();
    assert_eq!(text(Tag(0x0028, 0x1040)), "DISP");
    assert_eq!(text(Tag(0x0018, 0x1155)), "SC");
    assert_eq!(text(Tag(0x0028, 0x0008)), "20");
    let words = object.element(Tag(0x7FE0, 0x0010)).unwrap().to_multi_int::<u16>().unwrap();
    let gray: Vec<u8> = archive.loops[0].frames.iter().flat_map(|f| f.gray.clone()).collect();
    let least = f64::from(*gray.iter().min().unwrap());
    let off =
        words.iter().zip(&gray).map(|(w, g)| (f64::from(*w) - 900.0 / 255.0 * (f64::from(*g) - least)).abs());
    let worst = off.fold(0.0, f64::max);
    println!("loop as XA: worst word is {worst:.2} off its gray");
    assert!(words.len() == gray.len() && worst <= 1.0);
}

#[test]
fn a_fluoroscopic_roadmap_leaves_vessels_white_and_takes_bones_away() {
    let anatomy = patient();
    let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels: 128, seed: 5 });
    let arm = CArm { field_mm: 220.0, ..CArm::default() };
    let technique = cathnav::sim::snapshot::Technique {
        tube_kv: 72.0,
        copper_mm: 0.3,
        tube_ma: 90.0,
        pulse_ms: 40.0,
        water_equivalent_mm: 200.0,
        ..Default::default()
    };
    let shot = |number: u64, loop_first: u64, iodine: f32, remasks: u32| {
        let mut s = crate::xray::shot(arm, technique, number);
        s.xray.pulse = Some(Pulse { number, run: None, frame_in_run: 0 });
        s.xray.roadmap = true;
        s.xray.suite.roadmap_source = RoadmapSource::Fluoro;
        s.xray.suite.loop_first_pulse = loop_first;
        s.xray.suite.remasks = remasks;
        s.vessels = vec![VesselView {
            cell_mm: 20.0,
            iodine_mg_per_ml: vec![iodine; 10],
            flow_ml_per_s: vec![0.0; 10],
            ..VesselView::default()
        }];
        s
    };
    for number in 0..4 {
        let frame = renderer.render(&shot(number, 0, 100.0 * number as f32, 0));
        assert_eq!(frame.kind, FrameKind::Fluoro, "the mask is being made");
    }
    let mut frame = renderer.render(&shot(4, 4, 0.0, 0));
    for number in 5..12 {
        frame = renderer.render(&shot(number, 4, 0.0, 0));
    }
    assert_eq!(frame.kind, FrameKind::Roadmap);
    let mean = |columns: std::ops::Range<usize>| -> f64 {
        let (mut sum, mut n) = (0.0, 0.0);
        for row in 50..78 {
            for column in columns.clone() {
                sum += f64::from(frame.gray[row * 128 + column]);
                n += 1.0;
            }
        }
        sum / n
    };
    let (vessel, ground) = (mean(63..65), mean(20..40));
    println!("roadmap: vessel {vessel:.0}, ground {ground:.0} of 255");
    assert!(vessel > ground + 30.0);
    let remasked = renderer.render(&shot(12, 4, 0.0, 1));
    assert_eq!(remasked.kind, FrameKind::Fluoro, "a new mask is begun");
    let mut moved = shot(13, 4, 0.0, 1);
    moved.xray.arm.isocenter_mm.x = 20.0;
    let invalid = renderer.render(&moved);
    assert!(invalid.roadmap_moved_mm.is_some_and(|mm| (mm - 20.0).abs() < 1e-9));
}

// ---------------------------------------------------------------- files

fn study() -> Study {
    Study {
        title: "Test case".to_owned(),
        case_id: "test-case".to_owned(),
        seed: 7,
        sex: "F",
        age_y: 61.0,
        weight_kg: 70.0,
        start_unix_s: 1_750_000_000,
        attempt: "abc".to_owned(),
        contrast_mg_i_per_ml: 300.0,
    }
}

fn event() -> IrradiationEvent {
    IrradiationEvent {
        number: 2,
        kind: IrradiationKind::Dsa,
        run: Some(1),
        ticks: 160,
        pulses: 8,
        rate_per_s: 3.0,
        tube_kv: 74.5,
        tube_ma: 410.0,
        pulse_ms: 62.0,
        copper_mm: 0.1,
        air_kerma_mgy: 12.25,
        kap_gy_cm2: 3.5,
        ..IrradiationEvent::default()
    }
}

fn text(o: &InMemDicomObject, group: u16, element: u16) -> String {
    o.element(Tag(group, element)).unwrap().to_str().unwrap().trim().to_owned()
}

#[test]
fn an_angiographic_file_reads_back() {
    let run = stored(0.0);
    let facts =
        RunFacts { event: Some(event()), contrast_ml: 9.0, automatic_mask: [0, 1], ..RunFacts::default() };
    let bytes = xa_file(&study(), &run, &facts).unwrap();
    assert_eq!(bytes, xa_file(&study(), &run, &facts).unwrap(), "the same bytes again");
    let o = dicom_object::from_reader(bytes.as_slice()).unwrap();
    assert_eq!(o.meta().media_storage_sop_class_uid().trim_end_matches('\0'), "1.2.840.10008.5.1.4.1.1.12.1");
    assert_eq!(text(&o, 0x0028, 0x0008), "8");
    assert_eq!(text(&o, 0x0018, 0x0060), "74.5");
    let pixels = o.element(Tag(0x7FE0, 0x0010)).unwrap().to_multi_int::<u16>().unwrap();
    assert_eq!(pixels.len(), 8 * SIDE * SIDE);
    // Subtraction of the stored values gives the contrast back.
    let at = 2 * SIDE + 40;
    let log = (f64::from(pixels[at]) - f64::from(pixels[5 * SIDE * SIDE + at])) / 300.0;
    println!("ln contrast from the file {log:.4}, exact 0.9");
    assert!((log - 0.9).abs() < 0.01);
    let record = RunRecord { number: 1, mask: Some([2, 4]), shift_mm: [1.0, 0.0], ..RunRecord::default() };
    let again = update_mask(&bytes, 8, run.pixel_mm(), &record).unwrap();
    let o = dicom_object::from_reader(again.as_slice()).unwrap();
    let mask = o.element(Tag(0x0028, 0x6100)).unwrap();
    let item = &mask.items().unwrap()[0];
    let numbers = item.element(Tag(0x0028, 0x6110)).unwrap().to_multi_int::<u16>().unwrap();
    assert_eq!(numbers, [3, 4, 5], "frames are counted from 1");
    let shift = item.element(Tag(0x0028, 0x6114)).unwrap().to_multi_float64().unwrap();
    assert!((shift[1] - 1.0 / run.pixel_mm()).abs() < 1e-5 && shift[0].abs() < 1e-9, "{shift:?}");
}

#[test]
fn a_dose_report_reads_back() {
    let fluoro = IrradiationEvent {
        number: 1,
        kind: IrradiationKind::Fluoro,
        run: None,
        ticks: 600,
        air_kerma_mgy: 1.5,
        kap_gy_cm2: 0.4,
        ..event()
    };
    let bytes = rdsr_file(&study(), &[fluoro, event()], 900).unwrap();
    let o = dicom_object::from_reader(bytes.as_slice()).unwrap();
    let mut numbers = Vec::new();
    collect(&o, &mut numbers);
    let value = |code: &str| numbers.iter().find(|n| n.0 == code).map(|n| n.1).unwrap();
    println!(
        "total KAP {} Gy m2, total kerma {} Gy, fluoro time {} s",
        value("113722"),
        value("113725"),
        value("113730")
    );
    assert!((value("113722") - 3.9e-4).abs() < 1e-10);
    assert!((value("113725") - 0.01375).abs() < 1e-10);
    assert!((value("113730") - 10.0).abs() < 1e-9);
    assert_eq!(numbers.iter().filter(|n| n.0 == "113738").count(), 2, "one dose per event");
}

fn collect(o: &InMemDicomObject, numbers: &mut Vec<(String, f64)>) {
    let Ok(content) = o.element(Tag(0x0040, 0xA730)) else { return };
    for item in content.items().unwrap() {
        if text(item, 0x0040, 0xA040) == "NUM" {
            let name = &item.element(Tag(0x0040, 0xA043)).unwrap().items().unwrap()[0];
            let measured = &item.element(Tag(0x0040, 0xA300)).unwrap().items().unwrap()[0];
            let value = text(measured, 0x0040, 0xA30A).parse().unwrap();
            numbers.push((text(name, 0x0008, 0x0100), value));
        }
        collect(item, numbers);
    }
}

#[test]
fn the_dose_is_seen_on_the_patient() {
    let model = SkinModel::new(&patient());
    let mut dose = SkinDose::default();
    let arm = CArm { field_mm: 220.0, ..CArm::default() };
    let pulse = SkinPulse { arm: &arm, kerma_mgy: 40.0, hvl_mm_al: 5.5, wedge: 1.0 };
    model.expose(&mut dose, &pulse);
    let picture = skin_picture(&model, &dose, 256);
    assert_eq!(picture.rgb.len(), 3 * picture.columns * picture.rows);
    // From behind (left half) the middle is colored; from the front (right half) it is bare skin: red leads blue.
    let pixel = |column: usize| &picture.rgb[3 * (128 * picture.columns + column)..][..3];
    let (behind, front) = (pixel(picture.columns / 4), pixel(picture.columns * 3 / 4));
    println!("behind {behind:?}, front {front:?}");
    assert!(behind[1] > 100 && front[0] > front[2]);
}
