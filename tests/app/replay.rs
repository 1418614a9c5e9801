//! Recordings in the window: the list, the transport, and a real recording that is played, halted and searched.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::{Duration, Instant};

use cathnav::app::bridge::ReplayState;
use cathnav::app::desk::{Desk, FrameInput};
use cathnav::app::out::{ReplayAction, UiAction};
use cathnav::app::player::Player;
use cathnav::app::store::Store;
use cathnav::app::texts::{Text, t};
use cathnav::app::view::{ErrorView, RecordingCard, ReplayView, Screen, View};
use cathnav::app::{panels, views};
use cathnav::scenario::Grade;
use egui_kittest::kittest::Queryable as _;

use super::fixture::busy_view;
use super::panels::{click, harness, step};
use super::raster::rect_of;

/// A busy view while its recording is played, at two minutes of five.
pub(crate) fn replay_view() -> View {
    let mut view = busy_view();
    view.screen = Screen::Replay;
    let error = |time_s: f64, grade, name: &str| ErrorView {
        time_s,
        grade,
        name: name.to_owned(),
        what: "The tip force was 0.55 N, the limit is 0.3 N.".to_owned(),
        instead: "Stop when the tip buckles or stays: withdraw a little, turn, and try again.".to_owned(),
    };
    let errors = vec![
        error(69.7, Grade::Slip, "Tip pressed against the wall"),
        error(121.0, Grade::Blunder, "Reflux of embolic"),
    ];
    let state = ReplayState { tick: 7200, last_tick: 18000, paused: false, speed: 2.0, jump: None };
    view.replay = Some(ReplayView { state, errors });
    view.recordings = vec![
        RecordingCard {
            path: PathBuf::from("runs/pelvic_bleeding-002/recording.cnr"),
            title: "Bleeding after a pelvic fracture".to_owned(),
            run: "pelvic_bleeding-002".to_owned(),
            date: "2026-11-24 07:38 UTC".to_owned(),
            seconds: Some(1290.0),
            score: Some((85.0, 100.0)),
            passed: true,
            errors: 7,
        },
        RecordingCard {
            path: PathBuf::from("runs/pelvic_bleeding-001/recording.cnr"),
            title: "pelvic_bleeding-001".to_owned(),
            run: "pelvic_bleeding-001".to_owned(),
            date: "2026-11-23 18:02 UTC".to_owned(),
            ..RecordingCard::default()
        },
    ];
    view
}

#[test]
fn a_run_is_chosen_from_the_list() {
    let mut view = replay_view();
    view.recordings.truncate(1);
    let path = view.recordings[0].path.clone();
    let mut h = harness(view, panels::recordings_ui, [1280.0, 800.0]);
    assert!(
        h.query_by_label_contains("85 / 100").is_some() && h.query_by_label_contains("2026-11-24").is_some()
    );
    assert_eq!(click(&mut h, t(Text::Replay)).ui, [UiAction::OpenReplay(path, None)]);
    assert_eq!(click(&mut h, t(Text::Back)).ui, [UiAction::ToMenu]);
    let mut empty = harness(View::default(), panels::recordings_ui, [1280.0, 800.0]);
    step(&mut empty);
    assert!(empty.query_by_label(t(Text::NoRecordings)).is_some());
    let mut menu = harness(busy_view(), panels::menu_ui, [1280.0, 800.0]);
    assert_eq!(click(&mut menu, t(Text::Recordings)).ui, [UiAction::ShowRecordings]);
}

#[test]
fn the_transport_asks_for_what_it_says() {
    let mut h = harness(replay_view(), views::screen_ui, [1280.0, 800.0]);
    assert_eq!(click(&mut h, t(Text::Pause)).ui, [UiAction::Replay(ReplayAction::Pause(true))]);
    assert_eq!(click(&mut h, "4x").ui, [UiAction::Replay(ReplayAction::Speed(4.0))]);
    assert_eq!(click(&mut h, "01:09").ui, [UiAction::Replay(ReplayAction::JumpToError(69.7))]);
    assert_eq!(click(&mut h, t(Text::Close)).ui, [UiAction::CloseReplay]);
    let line = rect_of(&h, t(Text::Timeline));
    let out = click(&mut h, t(Text::Timeline));
    let [UiAction::Replay(ReplayAction::JumpTo(time_s))] = out.ui[..] else { panic!("{:?}", out.ui) };
    println!("a click in the middle of {:.0} points goes to {time_s:.1} s of 300", line.width());
    assert!((time_s - 150.0).abs() < 1.5);
}

/// The picture and the rail are only looked at: nothing that is done to them is sent.
#[test]
fn a_replay_cannot_be_touched() {
    let mut h = harness(replay_view(), views::screen_ui, [1280.0, 800.0]);
    h.run_steps(2);
    for label in [t(Text::LiveMonitor), "rail 5F Cobra C2"] {
        let at = h.get_by_label(label).rect().center();
        h.hover_at(at);
        h.step();
        h.drag_at(at);
        h.step();
        h.hover_at(at + bevy_egui::egui::vec2(30.0, 20.0));
        let out = step(&mut h);
        assert!(
            out.commands.is_empty() && out.strokes.is_empty() && out.held == Default::default(),
            "{label}: {out:?}"
        );
        h.drop_at(at);
        h.step();
    }
}

/// Records a short script with the program itself, as a finished run of the store.
fn record(store: &Store, folder: &Path) -> PathBuf {
    let wire = "wire.hydrophilic_angled.035";
    let script = folder.join("short.ron");
    let text = format!(
        "(format: 1, title: \"Short\", case: \"pelvic_bleeding\", steps: [Load(\"{wire}\"), \
         Advance(tool: \"{wire}\", until: Inserted(120), speed_mm_per_s: 15), Wait(1), Finish])"
    );
    std::fs::write(&script, text).unwrap();
    let run = store.runs().join("pelvic_bleeding-001");
    let program = Process::new(env!("CARGO_BIN_EXE_cathnav"))
        .args(["run", "pelvic_bleeding", "--fps", "0", "--script"])
        .arg(&script)
        .arg("--out")
        .arg(&run)
        .output()
        .unwrap();
    assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
    run.join("recording.cnr")
}

fn wait(desk: &mut Desk, what: &str, until: impl Fn(&Desk) -> bool) {
    let begin = Instant::now();
    let input = FrameInput { focused: true, dt_s: 1.0 / 60.0, ..FrameInput::default() };
    while !until(desk) {
        assert!(begin.elapsed() < Duration::from_secs(120), "no {what} in time; {:?}", desk.view.problem);
        desk.begin_frame(&input);
        let sent = desk.end_frame(&input);
        assert!(sent.is_empty(), "a replay sends nothing: {sent:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("{what} after {:.1} s", begin.elapsed().as_secs_f64());
}

fn state(desk: &Desk) -> ReplayState {
    desk.view.replay.as_ref().map(|r| r.state).unwrap_or_default()
}

fn jump(desk: &mut Desk, time_s: f64, tick: u64) {
    desk.out.ui.push(UiAction::Replay(ReplayAction::JumpTo(time_s)));
    wait(desk, "jump", |d| state(d).jump.is_none() && state(d).tick == tick && d.view.snapshot.tick == tick);
}

#[test]
fn a_recording_is_played_halted_and_searched() {
    let root = cathnav::assets::root().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_folder(folder.path());
    let path = record(&store, folder.path());
    let mut plain = Player::open(&root, &path).unwrap();
    while plain.tick() < 480 {
        plain.step();
    }
    let mut desk = Desk::new(root, 9, 64, store);
    desk.out.ui.push(UiAction::ShowRecordings);
    wait(&mut desk, "list", |d| d.view.screen == Screen::Recordings);
    let card = desk.view.recordings[0].clone();
    println!("{card:?}");
    assert_eq!((desk.view.recordings.len(), card.path.clone()), (1, path.clone()));
    assert!(card.score.is_some() && !card.passed && card.title == "Bleeding after a pelvic fracture");
    desk.out.ui.push(UiAction::OpenReplay(path, None));
    wait(&mut desk, "replay", |d| d.view.screen == Screen::Replay && state(d).tick > 30);
    desk.out.ui.push(UiAction::Replay(ReplayAction::Pause(true)));
    wait(&mut desk, "halt", |d| state(d).paused);
    jump(&mut desk, 8.0, 480);
    assert_eq!(desk.view.snapshot, plain.last().snapshot, "the same moment, bit by bit");
    wait(&mut desk, "picture", |d| d.has_pictures()[0]);
    let lines = desk.view.log.clone();
    jump(&mut desk, 2.0, 120);
    assert!(desk.view.log.iter().all(|l| l.time_s <= 2.0));
    jump(&mut desk, 8.0, 480);
    assert_eq!(desk.view.snapshot, plain.last().snapshot, "after a jump back as well");
    assert_eq!(desk.view.log, lines, "no line comes twice");
    desk.out.ui.push(UiAction::Replay(ReplayAction::Speed(4.0)));
    desk.out.ui.push(UiAction::Replay(ReplayAction::Pause(false)));
    wait(&mut desk, "end", |d| state(d).tick == state(d).last_tick);
    assert!(desk.view.problem.is_none(), "{:?}", desk.view.problem);
    desk.out.ui.push(UiAction::CloseReplay);
    wait(&mut desk, "list", |d| d.view.screen == Screen::Recordings);
}
