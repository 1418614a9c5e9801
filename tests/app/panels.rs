//! Every panel without a window: labels are there, clicking and holding emit the right commands, empty views do no harm.

use cathnav::app::out::{Out, UiAction};
use cathnav::app::texts::{Text, t};
use cathnav::app::view::{CurveSample, ErrorView, MetricView, Picture, ReportView, Screen, View};
use cathnav::app::{panels, theme, views};
use cathnav::scenario::Grade;
use cathnav::sim::command::{Hold, Pedal};
use cathnav::sim::{Command, ToolId};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use bevy_egui::egui::{self, vec2};

use super::fixture::busy_view;
use super::raster::{Canvas, Textures, rect_of};

/// The state of a harness: what is read, what is pushed.
pub(crate) struct Table {
    view: View,
    out: Out,
}

pub(crate) type Panel = fn(&mut egui::Ui, &View, &mut Out);

pub(crate) fn harness(view: View, panel: Panel, size: [f32; 2]) -> Harness<'static, Table> {
    let mut styled = false;
    Harness::builder().with_size(vec2(size[0], size[1])).build_ui_state(
        move |ui, table: &mut Table| {
            if !styled {
                theme::apply(ui.ctx());
                styled = true;
            }
            panel(ui, &table.view, &mut table.out);
        },
        Table { view, out: Out::default() },
    )
}

pub(crate) fn step(harness: &mut Harness<'_, Table>) -> Out {
    harness.state_mut().out = Out { form: harness.state().out.form.clone(), ..Out::default() };
    harness.step();
    harness.state().out.clone()
}

/// Presses the mouse on a label and says what that holds, then lets go and says what is left.
fn press(harness: &mut Harness<'_, Table>, label: &str) -> (Out, Out) {
    let at = harness.get_by_label(label).rect().center();
    harness.hover_at(at);
    harness.step();
    harness.drag_at(at);
    harness.step();
    let held = step(harness);
    harness.drop_at(at);
    harness.step();
    (held, step(harness))
}

pub(crate) fn click(harness: &mut Harness<'_, Table>, label: &str) -> Out {
    harness.state_mut().out = Out { form: harness.state().out.form.clone(), ..Out::default() };
    harness.get_by_label(label).click();
    harness.step();
    harness.state().out.clone()
}

const PANELS: [(&str, Panel); 19] = [
    ("devices", panels::devices_ui),
    ("motion", panels::motion_ui),
    ("xray", panels::xray_ui),
    ("pedals", panels::pedals_ui),
    ("contrast", panels::contrast_ui),
    ("treatment", panels::treatment_ui),
    ("patient", panels::patient_ui),
    ("guide", panels::guide_ui),
    ("log", panels::log_ui),
    ("rail", panels::rail_ui),
    ("menu", panels::menu_ui),
    ("loading", panels::loading_ui),
    ("briefing", panels::briefing_ui),
    ("report", panels::report_ui),
    ("control", panels::control_ui),
    ("recordings", panels::recordings_ui),
    ("transport", panels::transport_ui),
    ("replay", panels::replay_ui),
    ("live", views::live_ui),
];

#[test]
fn an_empty_view_harms_no_panel_and_sends_nothing() {
    for (name, panel) in PANELS {
        let mut h = harness(View::default(), panel, [380.0, 700.0]);
        let out = step(&mut h);
        assert!(out.commands.is_empty() && out.held == Default::default(), "{name} sent {:?}", out.commands);
    }
    for screen in [
        Screen::Menu,
        Screen::Loading,
        Screen::Briefing,
        Screen::Procedure,
        Screen::Paused,
        Screen::Report,
        Screen::Recordings,
        Screen::Replay,
    ] {
        let view = View { screen, keys_open: true, problem: Some("x".to_owned()), ..View::default() };
        let mut h = harness(view, views::screen_ui, [1280.0, 800.0]);
        step(&mut h);
    }
}

#[test]
fn a_busy_view_sends_nothing_by_itself() {
    for (name, panel) in PANELS {
        let mut h = harness(busy_view(), panel, [380.0, 900.0]);
        let out = step(&mut h);
        assert!(out.commands.is_empty() && out.ui.is_empty() && out.strokes.is_empty(), "{name}: {out:?}");
        assert_eq!(out.held, Default::default(), "{name}");
    }
}

#[test]
fn the_sections_come_in_the_order_of_the_work() {
    let h = harness(busy_view(), panels::control_ui, [360.0, 3000.0]);
    let titles = [
        Text::Devices,
        Text::Motion,
        Text::Xray,
        Text::Contrast,
        Text::Treatment,
        Text::Patient,
        Text::Guide,
        Text::Log,
    ];
    let top = |title| h.get_all_by_label(t(title)).map(|n| n.rect().top()).fold(f32::MAX, f32::min);
    let tops: Vec<f32> = titles.map(top).to_vec();
    assert!(tops.windows(2).all(|w| w[0] < w[1]), "{tops:?}");
}

#[test]
fn the_tray_loads_and_takes_off() {
    let mut view = busy_view();
    view.tools.truncate(4);
    view.snapshot.tools.truncate(4);
    view.tools.remove(2);
    view.snapshot.tools.remove(2);
    view.snapshot.tools[2].loaded = true;
    let mut h = harness(view, panels::devices_ui, [380.0, 700.0]);
    assert_eq!(click(&mut h, t(Text::Load)).commands, [Command::Load { rod: 0, tool: ToolId(1) }]);
    assert_eq!(click(&mut h, t(Text::Unload)).commands, [Command::Unload { tool: ToolId(2) }]);
    assert_eq!(click(&mut h, t(Text::Swap)).ui, [UiAction::SwapHands]);
}

#[test]
fn held_buttons_hold_and_let_go() {
    let mut h = harness(busy_view(), panels::pedals_ui, [380.0, 700.0]);
    for (text, pedal) in [(Text::Fluoro, Pedal::Fluoro), (Text::Acquire, Pedal::Acquire)] {
        let (held, after) = press(&mut h, t(text));
        assert_eq!(held.held.pedal, pedal);
        assert_eq!(after.held, Default::default());
    }
    let mut h = harness(busy_view(), panels::xray_ui, [380.0, 700.0]);
    let (held, after) = press(&mut h, t(Text::Farther));
    assert_eq!((held.held.sid, after.held.sid), (1.0, 0.0));

    let mut view = busy_view();
    view.hands.left = None;
    let mut h = harness(view, panels::motion_ui, [380.0, 700.0]);
    let (held, after) = press(&mut h, t(Text::Push));
    assert_eq!(held.held.feed_mm_per_s.get(&ToolId(6)), Some(&20.0));
    assert!(after.held.feed_mm_per_s.is_empty());
    let (held, _) = press(&mut h, t(Text::TurnLeft));
    assert_eq!(held.held.spin_deg_per_s.get(&ToolId(6)), Some(&-90.0));

    let mut h = harness(busy_view(), panels::contrast_ui, [380.0, 700.0]);
    let (held, after) = press(&mut h, t(Text::Puff));
    assert_eq!((held.held.hand_injection_ml_per_s, after.held.hand_injection_ml_per_s), (2.0, 0.0));
}

#[test]
fn a_latched_pedal_is_asked_for_by_a_click() {
    let mut h = harness(busy_view(), panels::pedals_ui, [380.0, 700.0]);
    click(&mut h, t(Text::Latch));
    let out = click(&mut h, t(Text::Fluoro));
    assert_eq!(out.ui, [UiAction::Latch(Pedal::Fluoro)]);
    assert_eq!(out.held.pedal, Pedal::Off);
}

#[test]
fn dragging_a_pad_is_a_stroke_of_true_length() {
    let mut view = busy_view();
    view.hands.left = None;
    let mut h = harness(view, panels::motion_ui, [380.0, 700.0]);
    let at = h.get_by_label(t(Text::RightHand)).rect().center();
    h.hover_at(at);
    h.step();
    h.drag_at(at);
    h.step();
    let (mut feed, mut spin) = (0.0, 0.0);
    h.state_mut().out = Out::default();
    for i in 1..=10 {
        h.hover_at(at + vec2(i as f32, -2.0 * i as f32));
        for stroke in step(&mut h).strokes {
            assert_eq!(stroke.tool, ToolId(6));
            feed += stroke.feed_mm;
            spin += stroke.spin_deg;
        }
    }
    h.drop_at(at + vec2(10.0, -20.0));
    println!("20 points up, 10 to the right: {feed} mm, {spin} degrees");
    assert!((feed - 20.0 * 0.25).abs() < 1e-6 && (spin - 10.0 * 1.5).abs() < 1e-6);
}

#[test]
fn switches_send_their_command_once() {
    let mut h = harness(busy_view(), panels::pedals_ui, [380.0, 700.0]);
    assert_eq!(click(&mut h, t(Text::Roadmap)).commands, [Command::SetRoadmap(true)]);
    let mut h = harness(busy_view(), panels::xray_ui, [380.0, 700.0]);
    assert_eq!(click(&mut h, "7.5").commands, [], "it is 7.5 already");
    assert_eq!(click(&mut h, "3.75").commands, [Command::SetPulseRate(3.75)]);
    assert_eq!(click(&mut h, "LAO 30").commands, [Command::RecallPreset(1)], "views of the case");
    assert_eq!(click(&mut h, "22").commands, [Command::SetField(220.0)]);

    let mut h = harness(busy_view(), panels::contrast_ui, [380.0, 700.0]);
    assert_eq!(click(&mut h, t(Text::Flush)).commands, [Command::Flush]);
    assert_eq!(click(&mut h, t(Text::Disarm)).commands, [Command::SetInjectorArmed(false)]);
    assert!(matches!(click(&mut h, t(Text::Program)).commands[..], [Command::SetInjector { .. }]));
    assert!(
        matches!(&click(&mut h, t(Text::Fill)).commands[..], [Command::FillSyringe { volume_ml, .. }] if *volume_ml == 10.0)
    );

    let mut h = harness(busy_view(), panels::patient_ui, [380.0, 700.0]);
    let heparin = Command::Give { drug: "heparin".to_owned(), dose: 5000.0 };
    assert_eq!(click(&mut h, t(Text::Heparin)).commands, [heparin]);
    assert_eq!(click(&mut h, "5 min").commands, [Command::SkipTime(300.0)]);
    for (text, drug, dose) in panels::DRUGS {
        let given = Command::Give { drug: drug.to_owned(), dose };
        assert_eq!(click(&mut h, t(text)).commands, [given]);
        let known = cathnav::sim::physiology::DRUGS.iter().find(|d| d.id == drug).unwrap();
        assert!(
            dose <= known.max_dose && dose >= known.max_dose / 50.0,
            "{drug}: {dose} {} is a usual dose",
            known.unit
        );
        // The label says the same dose, micrograms as milligrams.
        let shown = if known.unit == "ug" { dose / 1000.0 } else { dose };
        assert!(t(text).contains(&format!(" {shown} ")), "{}: {shown}", t(text));
    }
    assert!(
        h.query_by_label_contains("84/60 (68)").is_some() && h.query_by_label_contains("14 mmHg").is_some()
    );

    let mut h = harness(busy_view(), panels::guide_ui, [380.0, 700.0]);
    assert_eq!(click(&mut h, t(Text::Hint)).commands, [Command::AskHint]);
    assert_eq!(click(&mut h, t(Text::Finish)).commands, [], "one click does not end a procedure");
    h.step();
    assert_eq!(click(&mut h, t(Text::FinishSure)).commands, [Command::Finish]);
}

#[test]
fn an_embolic_is_drawn_up_and_only_then_injected() {
    let mut h = harness(busy_view(), panels::treatment_ui, [380.0, 700.0]);
    let out = click(&mut h, t(Text::DrawUpAgent));
    assert!(matches!(&out.commands[..], [Command::FillSyringe { .. }]), "{out:?}");
    assert_eq!(
        press(&mut h, t(Text::InjectAgent)).0.held,
        Default::default(),
        "there is contrast in the syringe"
    );
    h.state_mut().view.snapshot.injection.syringe = "particles.pva.500_700".to_owned();
    h.step();
    assert_eq!(press(&mut h, t(Text::InjectAgent)).0.held.hand_injection_ml_per_s, 0.1);
}

#[test]
fn the_rail_moves_takes_and_releases_tools() {
    let mut h = harness(busy_view(), panels::rail_ui, [920.0, 150.0]);
    let label = "rail 0.018 in wire for the microcatheter";
    let at = rect_of(&h, label).center();
    h.hover_at(at);
    h.step();
    h.drag_at(at);
    h.step();
    h.state_mut().out = Out::default();
    let mut feed = 0.0;
    for i in 1..=8 {
        h.hover_at(at + vec2(4.0 * i as f32, 0.0));
        feed += step(&mut h).strokes.iter().map(|s| s.feed_mm).sum::<f64>();
    }
    h.drop_at(at);
    h.step();
    let points_per_mm = f64::from(rect_of(&h, label).width() - 14.0) / (1650.0 + 120.0);
    println!("32 points on the rail: {feed:.2} mm at {points_per_mm:.4} points/mm");
    assert!((feed - 32.0 / points_per_mm).abs() < 0.5);
    let hubs: Vec<_> = h.get_all_by_label("Hub held").map(|n| n.rect()).collect();
    assert_eq!(hubs.len(), 3, "one per device");
    h.state_mut().out = Out::default();
    h.get_all_by_label("Hub held").next().unwrap().click();
    h.step();
    assert_eq!(h.state().out.commands, [Command::SetHold { tool: ToolId(6), hold: Hold::Free }]);
}

#[test]
fn cards_play_and_broken_ones_say_why() {
    let mut h = harness(busy_view(), panels::menu_ui, [1280.0, 800.0]);
    assert_eq!(click(&mut h, t(Text::Play)).ui, [UiAction::OpenCase("scenarios/pelvic_bleeding.ron".into())]);
    assert_eq!(
        click(&mut h, t(Text::Watch)).ui,
        [UiAction::OpenDemo("scenarios/pelvic_bleeding.ron".into())]
    );
    assert!(h.query_by_label_contains("unknown field").is_some());
    let mut view = busy_view();
    view.resume = Some("Active pelvic bleeding, 12:31".to_owned());
    let mut h = harness(view, panels::menu_ui, [1280.0, 800.0]);
    assert_eq!(click(&mut h, t(Text::ResumeYes)).ui, [UiAction::Resume(true)]);
    assert_eq!(click(&mut h, t(Text::ResumeNo)).ui, [UiAction::Resume(false)]);
}

#[test]
fn the_report_shows_errors_first() {
    let mut view = busy_view();
    view.screen = Screen::Report;
    view.report = Some(sample_report());
    let mut h = harness(view, panels::report_ui, [1280.0, 800.0]);
    assert!(rect_of(&h, t(Text::Errors)).left() < rect_of(&h, t(Text::Failed)).left());
    assert!(h.query_by_label_contains("Reflux").is_some());
    assert_eq!(click(&mut h, t(Text::Again)).ui, [UiAction::Again]);
    let recording: std::path::PathBuf = "runs/x/recording.cnr".into();
    assert_eq!(click(&mut h, t(Text::Replay)).ui, [UiAction::OpenReplay(recording.clone(), None)]);
    assert_eq!(click(&mut h, "10:10").ui, [UiAction::OpenReplay(recording, Some(610.0))]);
    assert!(h.query_by_label(t(Text::CurveForce)).is_some());
}

fn sample_report() -> ReportView {
    ReportView {
        score: 48.0,
        max: 100.0,
        pass: 60.0,
        passed: false,
        reasons: vec!["48 points, 60 are needed".to_owned()],
        errors: vec![
            ErrorView {
                time_s: 610.0,
                grade: Grade::Blunder,
                name: "Reflux of embolic".to_owned(),
                what: "Particles went back past the origin of the left internal iliac artery.".to_owned(),
                instead: "Inject slower than the flow; stop when the column stands.".to_owned(),
            },
            ErrorView {
                time_s: 95.0,
                grade: Grade::Slip,
                name: "Pedal on while nothing moved".to_owned(),
                what: "14 s of beam without movement.".to_owned(),
                instead: "Take the foot off when you look away.".to_owned(),
            },
        ],
        metrics: vec![MetricView {
            name: "fluoroscopy time".to_owned(),
            value: "14.2 min".to_owned(),
            medal: "silver".to_owned(),
        }],
        curves: (0..300)
            .map(|i| {
                let t = f64::from(i);
                CurveSample {
                    time_s: 4.0 * t,
                    air_kerma_mgy: 2.0 * t,
                    contrast_ml: (t / 60.0).floor() * 12.0,
                    hub_force_n: 0.6 + 0.5 * (t / 7.0).sin(),
                    mean_mmhg: 75.0 - t / 20.0,
                }
            })
            .collect(),
        files: vec!["report.html".to_owned()],
        recording: Some("runs/x/recording.cnr".into()),
    }
}

#[test]
fn a_dialog_disables_the_table() {
    let mut view = busy_view();
    view.screen = Screen::Paused;
    let mut h = harness(view, views::screen_ui, [1280.0, 800.0]);
    let (held, _) = press(&mut h, t(Text::Fluoro));
    assert_eq!(held.held, Default::default());
    assert_eq!(click(&mut h, t(Text::Continue)).ui, [UiAction::Pause(false)]);
}

#[test]
fn keys_can_be_chosen_anew() {
    let mut view = busy_view();
    view.keys_open = true;
    let mut h = harness(view, |ui, view, out| panels::keys_ui(ui, view, out), [1280.0, 800.0]);
    h.run_steps(3);
    assert_eq!(click(&mut h, "Space").ui, [UiAction::Rebind(Some(cathnav::app::keys::KeyAction::Fluoro))]);
    assert_eq!(click(&mut h, t(Text::ResetKeys)).ui, [UiAction::ResetKeys]);
}

/// Pictures of all pages at two window sizes; nothing of the procedure page lies on another part or outside.
#[test]
fn pages_fit_and_do_not_overlap() {
    for (width, height) in [(1280.0, 800.0), (1920.0, 1080.0)] {
        for (name, screen) in [
            ("menu", Screen::Menu),
            ("briefing", Screen::Briefing),
            ("procedure", Screen::Procedure),
            ("paused", Screen::Paused),
            ("keys", Screen::Procedure),
            ("report", Screen::Report),
            ("recordings", Screen::Recordings),
            ("replay", Screen::Replay),
        ] {
            let mut view = super::replay::replay_view();
            view.screen = screen;
            view.keys_open = name == "keys";
            view.report = Some(sample_report());
            view.reference = Picture::default();
            let zoom = theme::zoom_for(vec2(width, height));
            let textures = Textures::default();
            let mut styled = false;
            let mut h = Harness::builder()
                .with_size(vec2(width, height) / zoom)
                .with_pixels_per_point(zoom)
                .renderer(textures.clone())
                .build_ui_state(
                    move |ui, table: &mut Table| {
                        if !styled {
                            theme::apply(ui.ctx());
                            styled = true;
                        }
                        views::screen_ui(ui, &table.view, &mut table.out);
                    },
                    Table { view, out: Out::default() },
                );
            h.run_steps(4);
            if name == "procedure" {
                check_layout(&h, vec2(width, height) / zoom);
            }
            if let Some(dir) = std::env::var_os("CATHNAV_PANEL_PICTURES") {
                let canvas = Canvas::paint(&h.ctx, h.output(), &textures, [width as usize, height as usize]);
                let path = std::path::Path::new(&dir).join(format!("{name}-{width}.png"));
                canvas.save(&path);
                assert!(
                    canvas.ink(egui::Rect::from_min_size(egui::Pos2::ZERO, vec2(width, height))) > 0.002,
                    "{name}"
                );
            }
        }
    }
}

fn check_layout(h: &Harness<'_, Table>, size: egui::Vec2) {
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(0.5);
    let live = rect_of(h, t(Text::LiveMonitor));
    let reference = rect_of(h, t(Text::ReferenceMonitor));
    let vitals = h.get_by_label_contains(t(Text::Art)).rect();
    let rail = rect_of(h, "rail 5F Cobra C2");
    let control = rect_of(h, t(Text::Devices));
    println!("live {:.0} points of {:?}, reference {:.0}", live.width(), size, reference.width());
    assert!(live.width() > 0.75 * (size.y - 40.0 - 140.0), "the live picture is the largest");
    assert!(reference.width() >= 200.0 && vitals.height() >= 150.0);
    let all = [live, reference, vitals, rail, control];
    for (i, a) in all.iter().enumerate() {
        assert!(window.contains_rect(*a), "{i}: {a:?} leaves the window");
        for b in &all[i + 1..] {
            let common = a.intersect(*b);
            assert!(!common.is_positive(), "{a:?} and {b:?} overlap");
        }
    }
}

/// Every case that comes with the program has its picture on the card.
#[test]
fn every_shipped_case_has_a_picture() {
    let root = cathnav::assets::root().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = cathnav::app::store::Store::in_folder(folder.path());
    let desk = cathnav::app::desk::Desk::new(root, 1, 64, store);
    assert!(!desk.view.cards.is_empty());
    for card in &desk.view.cards {
        let picture = card.xray.as_ref().unwrap_or_else(|| panic!("{}: no picture", card.path.display()));
        println!("{}: {} x {}, {:?}", card.title, picture.columns, picture.rows, card.heading);
        assert!(picture.columns >= 300 && picture.rows >= 300);
        assert!(card.heading.is_some(), "a heading of the syllabus");
    }
}
