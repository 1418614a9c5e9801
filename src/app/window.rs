//! The window: hands keys, focus and time to the desk and lets the panels draw.

use std::path::PathBuf;
use std::time::Duration;

use bevy::app::AppExit;
use bevy::asset::RenderAssetUsages;
use bevy::image::ImageSampler;
use bevy::input::keyboard::KeyCode;
use bevy::log::{Level, LogPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::{PrimaryWindow, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, EguiTextureHandle, egui};

use super::desk::{Desk, FrameInput};
use super::keys::Pressed;
use super::shelf::GrayPicture;
use super::view::{Screen, View};
use super::{theme, views};

/// Frames per second at most while nothing is touched; the picture itself comes at 30 a second or less.
const FRAMES_PER_S: f64 = 30.0;

/// Drivers talk a lot that a trainee cannot use.
const QUIET: &str = "wgpu=error,naga=error,winit=error,bevy_egui=error,bevy_render=error,bevy_winit=error";

/// A picture of the window to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenshotWish {
    /// File.
    pub path: PathBuf,
    /// Seconds after the first page was there.
    pub after_s: f64,
}

/// The desk.
#[derive(Resource)]
pub(super) struct DeskResource(pub(super) Desk);

/// What was seen of keys, focus and time in this frame.
#[derive(Resource, Default)]
pub(super) struct Seen(FrameInput);

/// Images of the live and the reference monitor.
#[derive(Resource, Default)]
struct Shown([Option<(Handle<Image>, egui::TextureId)>; 2]);

#[derive(Resource, Default)]
struct Wish {
    wish: Option<ScreenshotWish>,
    waited_s: f64,
    asked: bool,
}

/// Opens the window and stays until it is closed.
pub(super) fn run(desk: Desk, wish: Option<ScreenshotWish>) -> AppExit {
    let window = Window {
        title: "cathnav".to_owned(),
        resolution: WindowResolution::new(1280, 800),
        name: Some("cathnav".to_owned()),
        ..Window::default()
    };
    let mode = UpdateMode::reactive_low_power(Duration::from_secs_f64(1.0 / FRAMES_PER_S));
    App::new()
        .add_plugins(
            DefaultPlugins
                .set(WindowPlugin { primary_window: Some(window), ..WindowPlugin::default() })
                .set(LogPlugin { level: Level::WARN, filter: QUIET.to_owned(), ..LogPlugin::default() }),
        )
        .add_plugins(EguiPlugin::default())
        .insert_resource(WinitSettings { focused_mode: mode, unfocused_mode: mode })
        .insert_resource(ClearColor(Color::BLACK))
        .insert_resource(DeskResource(desk))
        .insert_resource(Wish { wish, ..Wish::default() })
        .init_resource::<Seen>()
        .add_plugins(super::scene3d::plugin)
        .add_systems(Startup, add_camera)
        .init_resource::<Shown>()
        .add_systems(Update, (begin_frame, show_pictures).chain())
        .add_systems(EguiPrimaryContextPass, draw)
        .add_systems(Last, (end_frame, take_screenshot).chain())
        .run()
}

fn add_camera(mut commands: Commands<'_, '_>) {
    commands.spawn((Camera2d, Msaa::Off));
}

/// Hands keys, focus and time to the desk.
pub(super) fn begin_frame(
    mut desk: ResMut<'_, DeskResource>,
    mut seen: ResMut<'_, Seen>,
    mut contexts: EguiContexts<'_, '_>,
    keys: Res<'_, ButtonInput<KeyCode>>,
    window: Single<'_, '_, &Window, With<PrimaryWindow>>,
    time: Res<'_, Time<Real>>,
    mut styled: Local<'_, bool>,
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
    desk.0.begin_frame(&seen.0);
    Ok(())
}

/// Pictures go into images that are changed in place: a new image would be missing for the frame in which it comes.
fn show_pictures(
    mut desk: ResMut<'_, DeskResource>,
    mut shown: ResMut<'_, Shown>,
    mut images: ResMut<'_, Assets<Image>>,
    mut contexts: EguiContexts<'_, '_>,
) {
    let new = desk.0.take_new_pictures();
    for (slot, picture) in shown.0.iter_mut().zip(new) {
        let Some(picture) = picture else { continue };
        match slot {
            Some((handle, _)) => {
                if let Some(mut image) = images.get_mut(&*handle) {
                    *image = image_of(&picture);
                }
            }
            None => {
                let handle = images.add(image_of(&picture));
                let id = contexts.add_image(EguiTextureHandle::Strong(handle.clone()));
                *slot = Some((handle, id));
            }
        }
    }
    let has = desk.0.has_pictures();
    let id = |i: usize| shown.0[i].as_ref().filter(|_| has[i]).map(|(_, id)| *id);
    desk.0.view.live.texture = id(0);
    desk.0.view.reference.texture = id(1);
}

fn image_of(picture: &GrayPicture) -> Image {
    let size =
        Extent3d { width: picture.columns as u32, height: picture.rows as u32, depth_or_array_layers: 1 };
    let bytes = picture.gray.iter().flat_map(|g| [*g, *g, *g, 255]).collect();
    let usages = RenderAssetUsages::default();
    let mut image = Image::new(size, TextureDimension::D2, bytes, TextureFormat::Rgba8UnormSrgb, usages);
    image.sampler = ImageSampler::linear();
    image
}

fn draw(mut contexts: EguiContexts<'_, '_>, mut desk: ResMut<'_, DeskResource>) -> Result {
    let ctx = contexts.ctx_mut()?;
    let layer = egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(ctx.viewport_rect());
    let mut ui = egui::Ui::new(ctx.clone(), "window".into(), layer);
    let Desk { view, out, .. } = &mut desk.0;
    let view: &View = view;
    views::screen_ui(&mut ui, view, out);
    Ok(())
}

fn end_frame(mut desk: ResMut<'_, DeskResource>, seen: Res<'_, Seen>, mut exit: MessageWriter<'_, AppExit>) {
    desk.0.end_frame(&seen.0);
    if desk.0.wants_quit() {
        exit.write(AppExit::Success);
    }
}

fn take_screenshot(
    mut wish: ResMut<'_, Wish>,
    desk: Res<'_, DeskResource>,
    time: Res<'_, Time<Real>>,
    mut commands: Commands<'_, '_>,
) {
    let Some(ScreenshotWish { path, after_s }) = wish.wish.clone() else { return };
    if desk.0.view.screen != Screen::Loading || desk.0.view.problem.is_some() {
        wish.waited_s += time.delta_secs_f64();
    }
    if wish.asked || wish.waited_s < after_s {
        return;
    }
    wish.asked = true;
    commands.spawn(Screenshot::primary_window()).observe(
        move |captured: On<'_, '_, ScreenshotCaptured>, mut exit: MessageWriter<'_, AppExit>| {
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
