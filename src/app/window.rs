//! The window: hands keys, focus and time to the desk and lets the panels draw.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bevy::app::AppExit;
use bevy::asset::RenderAssetUsages;
use bevy::image::ImageSampler;
use bevy::input::keyboard::KeyCode;
use bevy::log::{Level, LogPlugin};
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy::window::{PrimaryWindow, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, EguiTextureHandle, egui};

use super::desk::{Desk, FrameInput};
use super::keys::Pressed;
use super::screenshot::{ScreenshotWish, Wishes, take};
use super::shelf::GrayPicture;
use super::view::{Screen, View};
use super::{theme, views};

/// Frames per second at most while nothing is touched; the picture itself comes at 30 a second or less.
const FRAMES_PER_S: f64 = 30.0;

/// Drivers talk a lot that a trainee cannot use.
const QUIET: &str = "wgpu=error,naga=error,winit=error,bevy_egui=error,bevy_render=error,bevy_winit=error";

/// The desk.
#[derive(Resource)]
pub(super) struct DeskResource(pub(super) Desk);

/// What was seen of keys, focus and time in this frame.
#[derive(Resource, Default)]
pub(super) struct Seen(FrameInput);

/// Images of the live and the reference monitor.
#[derive(Resource, Default)]
struct Shown([Option<(Handle<Image>, egui::TextureId)>; 2]);

/// Pictures of the cases, by file; kept while the program runs.
#[derive(Resource, Default)]
struct CardPictures(BTreeMap<PathBuf, (Handle<Image>, egui::TextureId)>);

/// Opens the window and stays until it is closed.
pub(super) fn run(desk: Desk, wishes: Vec<ScreenshotWish>) -> AppExit {
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
        .insert_resource(Wishes::new(wishes))
        .init_resource::<Seen>()
        .add_plugins(super::scene3d::plugin)
        .add_systems(Startup, add_camera)
        .init_resource::<Shown>()
        .init_resource::<CardPictures>()
        .add_systems(Update, (begin_frame, show_pictures).chain())
        .add_systems(EguiPrimaryContextPass, draw)
        .add_systems(Last, (end_frame, take).chain())
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
    mut cards: ResMut<'_, CardPictures>,
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
    for card in &mut desk.0.view.cards {
        let Some(xray) = card.xray.as_ref().filter(|_| card.picture.texture.is_none()) else { continue };
        let (_, id) = cards.0.entry(card.path.clone()).or_insert_with(|| {
            let handle = images.add(image_of(xray));
            let id = contexts.add_image(EguiTextureHandle::Strong(handle.clone()));
            (handle, id)
        });
        card.picture.texture = Some(*id);
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
