//! The desk without a window: what focus, dialogs and pauses let go of; a real case from briefing to report.

use std::time::{Duration, Instant};

use cathnav::app::desk::{Desk, FrameInput};
use cathnav::app::keys::{KeyAction, Pressed};
use cathnav::app::out::UiAction;
use cathnav::app::store::Store;
use cathnav::app::view::Screen;
use cathnav::sim::command::Pedal;
use cathnav::sim::{Command, ToolId};

use super::fixture::busy_view;

/// A desk at the table with a busy view and no session behind it.
fn desk_at_table(folder: &std::path::Path) -> Desk {
    let mut desk = Desk::new(folder.to_path_buf(), 1, 64, Store::in_folder(folder));
    let busy = busy_view();
    desk.view.snapshot = busy.snapshot;
    desk.view.tools = busy.tools;
    desk.view.screen = Screen::Procedure;
    desk
}

fn input(keys: &[&str], focused: bool) -> FrameInput {
    let pressed = Pressed { down: keys.iter().map(|k| (*k).to_owned()).collect(), just: Vec::new() };
    FrameInput { pressed, focused, typing: false, dt_s: 1.0 / 60.0 }
}

fn frame(desk: &mut Desk, input: &FrameInput) -> Vec<Command> {
    desk.begin_frame(input);
    desk.end_frame(input)
}

fn press(key: &str) -> FrameInput {
    let mut input = input(&[key], true);
    input.pressed.just.push(key.to_owned());
    input
}

/// Everything that is held lets go, each time by its own cause.
#[test]
fn focus_loss_dialogs_and_pause_let_go_of_pedal_injector_and_hands() {
    let folder = tempfile::tempdir().unwrap();
    let held = ["Space", "KeyZ", "KeyW"];
    let causes: [(&str, fn(&mut Desk) -> FrameInput); 4] = [
        ("focus", |_| input(&["Space", "KeyZ", "KeyW"], false)),
        ("pause", |desk| {
            desk.out.ui.push(UiAction::Pause(true));
            input(&["Space", "KeyZ", "KeyW"], true)
        }),
        ("key list", |desk| {
            desk.out.ui.push(UiAction::ShowKeys(true));
            input(&["Space", "KeyZ", "KeyW"], true)
        }),
        ("problem", |desk| {
            desk.view.problem = Some("x".to_owned());
            input(&["Space", "KeyZ", "KeyW"], true)
        }),
    ];
    for (name, cause) in causes {
        let mut desk = desk_at_table(folder.path());
        let sent = frame(&mut desk, &input(&held, true));
        assert!(sent.contains(&Command::SetPedal(Pedal::Fluoro)), "{name}: {sent:?}");
        assert!(sent.contains(&Command::SetHandInjection(2.0)));
        assert!(sent.contains(&Command::SetFeed { tool: ToolId(6), speed_mm_per_s: 20.0 }));
        let now = cause(&mut desk);
        let sent = frame(&mut desk, &now);
        assert!(sent.contains(&Command::SetPedal(Pedal::Off)), "{name}: {sent:?}");
        assert!(sent.contains(&Command::SetHandInjection(0.0)), "{name}");
        assert!(sent.contains(&Command::SetFeed { tool: ToolId(6), speed_mm_per_s: 0.0 }), "{name}");
        assert!(frame(&mut desk, &now).is_empty(), "{name}: nothing is sent twice");
    }
}

#[test]
fn a_latched_pedal_lets_go_with_the_focus() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_at_table(folder.path());
    desk.out.ui.push(UiAction::Latch(Pedal::Fluoro));
    assert_eq!(frame(&mut desk, &input(&[], true)), [Command::SetPedal(Pedal::Fluoro)]);
    assert_eq!(frame(&mut desk, &input(&[], false)), [Command::SetPedal(Pedal::Off)]);
    assert_eq!(frame(&mut desk, &input(&[], true)), [], "it does not come back by itself");
}

#[test]
fn keys_call_their_actions_and_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_at_table(folder.path());
    assert_eq!(frame(&mut desk, &press("KeyR")), [Command::SetRoadmap(true)]);
    assert_eq!(frame(&mut desk, &press("BracketRight")), [Command::SetField(320.0)]);
    frame(&mut desk, &press("Digit3"));
    assert_eq!(desk.view.hands.right, Some(ToolId(3)), "the catheter");
    frame(&mut desk, &press("Escape"));
    assert_eq!(desk.view.screen, Screen::Paused);
    assert_eq!(frame(&mut desk, &press("KeyR")), [], "no key works while paused");
    frame(&mut desk, &press("Escape"));
    assert_eq!(desk.view.screen, Screen::Procedure);
    desk.out.ui.push(UiAction::Rebind(Some(KeyAction::Fluoro)));
    frame(&mut desk, &input(&[], true));
    frame(&mut desk, &press("F5"));
    assert_eq!(desk.view.keys.keys_of(KeyAction::Fluoro), "F5");
    assert_eq!(frame(&mut desk, &input(&["F5"], true)), [Command::SetPedal(Pedal::Fluoro)]);
    let kept = std::fs::read_to_string(folder.path().join("keys.ron")).unwrap();
    assert!(kept.contains("F5"));
}

fn wait(desk: &mut Desk, input: &FrameInput, what: &str, until: impl Fn(&Desk) -> bool) {
    let begin = Instant::now();
    while !until(desk) {
        assert!(begin.elapsed() < Duration::from_secs(240), "no {what} in time; {:?}", desk.view.problem);
        frame(desk, input);
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("{what} after {:.1} s", begin.elapsed().as_secs_f64());
}

/// A window that is torn away leaves a recording; the next start offers it and goes on from its end.
#[test]
fn an_interrupted_run_is_offered_and_goes_on() {
    let root = cathnav::assets::root().unwrap();
    let case = root.join("scenarios/pelvic_bleeding.ron");
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_folder(folder.path());
    let mut desk = Desk::new(root.clone(), 3, 64, store.clone());
    assert_eq!(desk.view.resume, None);
    desk.open(case, None);
    let idle = input(&[], true);
    wait(&mut desk, &idle, "briefing", |d| d.view.screen == Screen::Briefing);
    desk.out.ui.push(UiAction::BeginProcedure);
    desk.out.commands.push(Command::Load { rod: 0, tool: ToolId(0) });
    wait(&mut desk, &idle, "two seconds", |d| d.view.snapshot.tick > 120);
    drop(desk);
    let mut desk = Desk::new(root, 9, 64, store);
    let words = desk.view.resume.clone().unwrap();
    assert!(words.contains("00:02"), "{words}");
    desk.out.ui.push(UiAction::Resume(true));
    wait(&mut desk, &idle, "table", |d| d.view.screen == Screen::Procedure);
    wait(&mut desk, &idle, "old place", |d| d.view.snapshot.tick >= 120);
    assert_eq!(desk.view.devices().count(), 1, "the wire is still entered");
}

/// A script that gives up says so, lets go of pedal and hubs, and leaves the table to the user.
#[test]
fn a_script_that_gives_up_lets_go() {
    let root = cathnav::assets::root().unwrap();
    let case = root.join("scenarios/pelvic_bleeding.ron");
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("in_vain.ron");
    let wire = "wire.hydrophilic_angled.035";
    let text = format!(
        "(format: 1, title: \"In vain\", case: \"pelvic_bleeding\", steps: [Load(\"{wire}\"), \
         Advance(tool: \"{wire}\", until: Inserted(5000), speed_mm_per_s: 10, timeout_s: 8)])"
    );
    std::fs::write(&script, text).unwrap();
    let mut desk = Desk::new(root, 1, 64, Store::in_folder(folder.path()));
    desk.open(case, Some(script));
    let idle = input(&[], true);
    wait(&mut desk, &idle, "beam", |d| d.view.snapshot.xray.pedal == Pedal::Fluoro);
    wait(&mut desk, &idle, "fault", |d| d.view.problem.is_some());
    assert!(desk.view.problem.as_ref().unwrap().contains("did not get there"), "{:?}", desk.view.problem);
    wait(&mut desk, &idle, "release", |d| d.view.snapshot.xray.pedal == Pedal::Off);
    let inserted = |d: &Desk| d.view.devices().next().map(|d| d.inserted_mm).unwrap();
    let (tick, at) = (desk.view.snapshot.tick, inserted(&desk));
    wait(&mut desk, &idle, "half a second", |d| d.view.snapshot.tick > tick + 30);
    assert!((inserted(&desk) - at).abs() < 0.5, "the wire rests: {at} -> {}", inserted(&desk));
    assert!(desk.view.demo.is_none() && desk.view.screen == Screen::Procedure);
    assert!(!folder.path().join("running.cnr").exists(), "a demonstration leaves nothing to resume");
}

/// The shipped case behind the desk, in real time: briefing, picture under the pedal, report with its files.
#[test]
fn a_case_runs_from_briefing_to_report() {
    let root = cathnav::assets::root().unwrap();
    let case = root.join("scenarios/pelvic_bleeding.ron");
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(root, 1, 128, Store::in_folder(folder.path()));
    assert!(desk.view.cards.iter().any(|c| c.path == case && c.fault.is_none()), "{:?}", desk.view.cards);
    desk.open(case, None);
    let idle = input(&[], true);
    wait(&mut desk, &idle, "briefing", |d| d.view.screen == Screen::Briefing);
    assert!(!desk.view.tools.is_empty() && !desk.view.steps.is_empty() && !desk.view.case.story.is_empty());
    desk.out.ui.push(UiAction::BeginProcedure);
    desk.out.commands.push(Command::Load { rod: 0, tool: ToolId(0) });
    wait(&mut desk, &idle, "device", |d| d.view.devices().count() == 1);
    wait(&mut desk, &input(&["Space"], true), "live picture", |d| {
        d.view.frame.as_ref().is_some_and(|f| f.live)
    });
    assert!(desk.view.snapshot.xray.fluoro_time_s > 0.0);
    wait(&mut desk, &idle, "held picture", |d| d.view.frame.as_ref().is_some_and(|f| !f.live));
    assert!(folder.path().join("running.cnr").is_file(), "the recording is written while the run goes on");
    desk.out.commands.push(Command::Finish);
    wait(&mut desk, &idle, "report", |d| d.view.screen == Screen::Report);
    let report = desk.view.report.clone().unwrap();
    assert!(!report.passed && report.files.len() == 4, "{report:?}");
    assert!(report.files.iter().all(|f| std::path::Path::new(f).is_file()));
    assert!(!folder.path().join("running.cnr").exists(), "a finished run leaves nothing to resume");
}
