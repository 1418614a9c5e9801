//! The room in the window: every tool by button and key, the review with its measurements, the skin's dose.

use std::sync::Arc;

use cathnav::app::keys::{KeyAction, KeyTable};
use cathnav::app::out::UiAction;
use cathnav::app::review::{ReviewAction, ReviewView, Source, Tile, Tool};
use cathnav::app::texts::{Text, t};
use cathnav::app::view::{SkinView, View};
use cathnav::app::{panels, views};
use cathnav::imaging::review::{Reviewed, ViewTrace};
use cathnav::imaging::{ColorPicture, Frame, FrameKind};
use cathnav::scenario::Arms;
use cathnav::sim::Command;
use cathnav::sim::command::{AcquisitionKind, Pedal, RoadmapSource};
use cathnav::sim::exposure::suite::{RunRecord, StoredView};
use cathnav::xray::{CArm, FluoroLevel};
use egui_kittest::kittest::Queryable as _;

use super::fixture::busy_view;
use super::panels::{click, harness, step};

fn picture() -> Reviewed {
    let n = 64;
    let chord = |i: usize| {
        let r = (i % n) as f32 - 30.0;
        (36.0 - r * r).max(0.0).sqrt() / 6.0
    };
    let values: Vec<f32> = (0..n * n).map(chord).collect();
    let frame = Frame {
        columns: n,
        rows: n,
        gray: values.iter().map(|v| (200.0 - 150.0 * v) as u8).collect(),
        kind: FrameKind::Dsa,
        live: false,
        run: Some(1),
        frame_in_run: 3,
        pulse: 0,
        arm: CArm::default(),
        roadmap_moved_mm: None,
    };
    Reviewed { frame, values, mask: Some([0, 1]), frames: 12 }
}

fn reviewing() -> View {
    let tile = |source, title: &str| Tile { source, title: title.to_owned(), thumb: None };
    let tiles = vec![tile(Source::Run(1), "1 DSA 12 f"), tile(Source::Loop(1), "loop 1 60 f")];
    let mut review = ReviewView::open(tiles, Source::Run(1), AcquisitionKind::Dsa, 3.0);
    review.receive(Arc::new(picture()));
    View { review: Some(review), ..busy_view() }
}

#[test]
fn every_tool_of_the_suite_is_a_button() {
    let mut view = busy_view();
    view.snapshot.xray.suite.references[0] =
        Some(StoredView { arm: CArm { primary_deg: 25.0, ..CArm::default() }, pulse: Some(4) });
    let mut h = harness(view, panels::xray_ui, [380.0, 1400.0]);
    // Rarely used tools are in a group that is closed at first.
    assert!(h.query_by_label("Ceiling screen").is_none());
    click(&mut h, t(Text::GroupFilters));
    (0..20).for_each(|_| h.step());
    for (label, command) in [
        ("High", Command::SetFluoroLevel(FluoroLevel::High)),
        ("Cerebral", Command::SelectProgram(2)),
        ("AP", Command::RecallPreset(0)),
        ("fluoro", Command::SetRoadmapSource(RoadmapSource::Fluoro)),
        ("Hold breath", Command::HoldBreath(true)),
        (t(Text::ArmsUp), Command::SetArms(Arms::Up)),
        ("Remask", Command::Remask),
        ("Store fluoro", Command::StoreFluoro),
        ("Go to A: LAO 25  CRA 0", Command::RecallReference(0)),
        ("1/2", Command::SetWedge { insertion: 1.0, angle_deg: 0.0 }),
    ] {
        assert_eq!(click(&mut h, label).commands, [command], "{label}");
    }
    let out = click(&mut h, "Ceiling screen");
    assert!(matches!(out.commands[..], [Command::SetShields(s)] if s.ceiling && s.skirt));
    assert_eq!(click(&mut h, "Store B").ui, [UiAction::StoreReference(1)]);
    assert_eq!(click(&mut h, t(Text::Review)).ui, [UiAction::Review(ReviewAction::Toggle)]);
    assert_eq!(click(&mut h, t(Text::SkinDose)).ui, [UiAction::ToggleSkin]);
}

#[test]
fn every_tool_has_a_key_that_the_list_shows() {
    let keys = KeyTable::default();
    for action in KeyAction::ALL {
        assert!(!keys.keys_of(action).is_empty(), "{action:?}");
    }
    for (action, shown) in [
        (KeyAction::Review, "F"),
        (KeyAction::Remask, "Alt + R"),
        (KeyAction::BladesIn, "-"),
        (KeyAction::View1, "Alt + 1"),
    ] {
        assert_eq!(keys.keys_of(action), shown);
    }
    let view = View { keys_open: true, ..busy_view() };
    let h = harness(view, views::screen_ui, [1280.0, 800.0]);
    for action in [KeyAction::StoreFluoro, KeyAction::RecallReferenceB, KeyAction::WedgeNext] {
        h.get_by_label(action.label());
    }
}

#[test]
fn the_review_changes_mask_shift_and_trace() {
    let mut h = harness(reviewing(), panels::review_ui, [900.0, 620.0]);
    let act = |a| UiAction::Review(a);
    for (label, action) in [
        (t(Text::MaskHere), ReviewAction::MaskHere),
        ("\u{2192}", ReviewAction::Shift(0.1, 0.0)),
        (t(Text::TraceGas), ReviewAction::Trace(ViewTrace::Gas)),
        (t(Text::Invert), ReviewAction::Invert),
        (t(Text::AsRoadmap), ReviewAction::Roadmap),
        (t(Text::ToReference), ReviewAction::ToReference),
        (t(Text::SavePicture), ReviewAction::Save),
        ("+", ReviewAction::Zoom(1.25, [0.5; 2])),
        (t(Text::ToolThroat), ReviewAction::Tool(Tool::Throat)),
        ("loop 1 60 f", ReviewAction::Show(Source::Loop(1))),
    ] {
        let out = click(&mut h, label);
        assert_eq!(out.ui, [act(action)], "{label}");
        assert!(out.commands.is_empty(), "{label}: the desk sends");
    }
    let mut h = harness(reviewing(), views::screen_ui, [1280.0, 800.0]);
    assert!(step(&mut h).ui.is_empty(), "the whole window shows the review and sends nothing by itself");
}

#[test]
fn lines_measure_diameter_and_stenosis() {
    let mut review = reviewing().review.unwrap();
    review.tool = Tool::Catheter;
    review.measure([[10.0, 20.0], [50.0, 20.0]]);
    let calibration = review.by_catheter.unwrap();
    println!("5 F over its width: {:.4} mm per pixel", calibration.mm_per_pixel);
    review.tool = Tool::Reference;
    review.measure([[10.0, 40.0], [50.0, 40.0]]);
    review.tool = Tool::Throat;
    review.measure([[10.0, 50.0], [50.0, 50.0]]);
    let stenosis = review.measured.stenosis().unwrap();
    println!("same diameter twice: {stenosis:.2} % stenosis");
    assert!(stenosis.abs() < 0.5);
    review.measure([[50.0, 50.0], [62.0, 50.0]]);
    assert!(review.measured.fault.is_some(), "nothing there");
    // The player goes round.
    review.playing = true;
    let mut seen = 0;
    for _ in 0..600 {
        seen += u32::from(review.advance(1.0 / 60.0));
    }
    assert!((29..=31).contains(&seen), "3 frames a second: {seen} in 10 s");
}

#[test]
fn the_live_picture_shows_where_the_next_field_falls() {
    let mut view = busy_view();
    view.snapshot.xray.pedal = Pedal::Off;
    view.snapshot.xray.arm = CArm { blades: [0.5; 4], ..CArm::default() };
    view.snapshot.xray.level = FluoroLevel::High;
    view.frame = Some(Frame { gray: Vec::new(), arm: CArm::default(), ..picture().frame });
    view.snapshot.xray.suite.runs = vec![RunRecord { number: 1, mask: Some([2, 4]), ..RunRecord::default() }];
    let mut h = harness(view, views::live_ui, [600.0, 600.0]);
    step(&mut h);
    let shapes = format!("{:?}", h.output().shapes.len());
    assert!(shapes.parse::<usize>().unwrap() > 4);
}

#[test]
fn the_skins_dose_is_a_picture_with_a_scale() {
    let picture = Arc::new(ColorPicture { columns: 8, rows: 8, rgb: vec![90; 192] });
    let view = View {
        skin_open: true,
        skin: Some(SkinView { picture, peak_mgy: 12.0, top_mgy: 100.0, version: 1 }),
        ..busy_view()
    };
    let mut h = harness(view, views::screen_ui, [1280.0, 800.0]);
    step(&mut h);
    assert_eq!(click(&mut h, t(Text::Close)).ui, [UiAction::ToggleSkin]);
}
