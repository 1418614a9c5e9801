//! The window: hands keys, focus and time to the desk and lets the panels draw.

use std::path::PathBuf;
use std::time::Duration;

use bevy::app::AppExit;
use bevy::input::keyboard::KeyCode;
use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::{PrimaryWindow, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};

use super::desk::{Desk, FrameInput};
use super::keys::Pressed;
use super::view::{Screen, View};
use super::{theme, views};

/// Frames per second at most while nothing is touched; the picture itself comes at 30 a second or less.
const FRAMES_PER_S: f64 = 30.0;

/// A picture of the window to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenshotWish {
    /// File.
    pub path: PathBuf,
    /// Seconds after the table was reached, or after the start if no case is opened.
    pub after_s: f64,
}

#[derive(Resource)]
struct DeskResource(Desk);

#[derive(Resource, Default)]
struct Seen(FrameInput);

#[derive(Resource, Default)]
struct Wish {
    wish: Option<ScreenshotWish>,
    needs_table: bool,
    waited_s: f64,
    asked: bool,
}

/// Opens the window and stays until it is closed.
pub(super) fn run(desk: Desk, wish: Option<ScreenshotWish>, needs_table: bool) -> AppExit {
    let window = Window {
        title: "cathnav".to_owned(),
        resolution: WindowResolution::new(1280, 800),
        name: Some("cathnav".to_owned()),
        ..Window::default()
    };
    let mode = UpdateMode::reactive_low_power(Duration::from_secs_f64(1.0 / FRAMES_PER_S));
    App::new()
        .add_plugins(
            DefaultPlugins.set(WindowPlugin { primary_window: Some(window), ..WindowPlugin::default() }),
        )
        .add_plugins(EguiPlugin::default())
        .insert_resource(WinitSettings { focused_mode: mode, unfocused_mode: mode })
        .insert_resource(ClearColor(Color::BLACK))
        .insert_resource(DeskResource(desk))
        .insert_resource(Wish { wish, needs_table, ..Wish::default() })
        .init_resource::<Seen>()
        .add_plugins(super::scene3d::plugin)
        .add_systems(Startup, add_camera)
        .add_systems(Update, begin_frame)
        .add_systems(EguiPrimaryContextPass, draw)
        .add_systems(Last, (end_frame, take_screenshot).chain())
        .run()
}

fn add_camera(mut commands: Commands) {
    commands.spawn(Camera2d);
}

fn begin_frame(
    mut desk: ResMut<DeskResource>,
    mut seen: ResMut<Seen>,
    mut contexts: EguiContexts,
    keys: Res<ButtonInput<KeyCode>>,
    window: Single<&Window, With<PrimaryWindow>>,
    time: Res<Time<Real>>,
    mut styled: Local<bool>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    if !*styled {
        theme::apply(ctx);
        *styled = true;
    }
    let size = egui::vec2(window.width(), window.height());
    let zoom = theme::zoom_for(size);
    if (ctx.zoom_factor() - zoom).abs() > 1e-3 {
        ctx.set_zoom_factor(zoom);
    }
    let name = |k: &KeyCode| format!("{k:?}");
    seen.0 = FrameInput {
        pressed: Pressed {
            down: keys.get_pressed().map(name).collect(),
            just: keys.get_just_pressed().map(name).collect(),
        },
        focused: window.focused,
        typing: ctx.egui_wants_keyboard_input(),
        dt_s: time.delta_secs_f64().min(0.25),
    };
    // At the table keys belong to the hands: Space must not press a button that has the keyboard focus.
    if desk.0.view.screen == Screen::Procedure && !ctx.text_edit_focused() {
        ctx.memory_mut(|m| {
            if let Some(id) = m.focused() {
                m.surrender_focus(id);
            }
        });
        seen.0.typing = false;
    }
    desk.0.begin_frame(&seen.0, ctx);
    Ok(())
}

fn draw(mut contexts: EguiContexts, mut desk: ResMut<DeskResource>) -> Result {
    let ctx = contexts.ctx_mut()?;
    let layer = egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(ctx.viewport_rect());
    let mut ui = egui::Ui::new(ctx.clone(), "window".into(), layer);
    let Desk { view, out, .. } = &mut desk.0;
    let view: &View = view;
    views::screen_ui(&mut ui, view, out);
    Ok(())
}

fn end_frame(mut desk: ResMut<DeskResource>, seen: Res<Seen>, mut exit: MessageWriter<AppExit>) {
    desk.0.end_frame(&seen.0);
    if desk.0.wants_quit() {
        exit.write(AppExit::Success);
    }
}

fn take_screenshot(
    mut wish: ResMut<Wish>,
    desk: Res<DeskResource>,
    time: Res<Time<Real>>,
    mut commands: Commands,
) {
    let Some(ScreenshotWish { path, after_s }) = wish.wish.clone() else { return };
    let at_table = matches!(desk.0.view.screen, Screen::Procedure | Screen::Report);
    if at_table || !wish.needs_table || desk.0.view.problem.is_some() {
        wish.waited_s += time.delta_secs_f64();
    }
    if wish.asked || wish.waited_s < after_s {
        return;
    }
    wish.asked = true;
    commands.spawn(Screenshot::primary_window()).observe(
        move |captured: On<ScreenshotCaptured>, mut exit: MessageWriter<AppExit>| {
            match save_png(&captured.image, &path) {
                Ok(()) => exit.write(AppExit::Success),
                Err(why) => {
                    error!("{}: {why}", path.display());
                    exit.write(AppExit::error())
                }
            };
        },
    );
}

fn save_png(image: &Image, path: &std::path::Path) -> Result<(), String> {
    let image = image.clone().try_into_dynamic().map_err(|e| e.to_string())?.to_rgb8();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(image.as_raw()).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    super::store::write_whole(path, &bytes)
}

/// The desk, for the other plugins.
pub(super) fn desk_of(world: &World) -> Option<&Desk> {
    world.get_resource::<DeskResource>().map(|d| &d.0)
}
