//! Pictures of the window, taken by itself (`--screenshot`), each with a JSON file that tells what the live monitor showed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use bevy::app::AppExit;
use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy_egui::EguiContexts;
use serde::Serialize;

use super::desk::Desk;
use super::view::Screen;
use super::window::DeskResource;
use crate::sim::Snapshot;

/// When a picture is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Seconds after the first page was there.
    AfterS(f64),
    /// When the live monitor shows a picture of this simulated second or later.
    AtS(f64),
}

/// A picture of the window to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenshotWish {
    /// File.
    pub path: PathBuf,
    /// When.
    pub when: Moment,
}

/// What the live monitor of a picture showed; written beside it as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    /// The live picture in the window: left, top, right, bottom, pixels.
    live_px: [f32; 4],
    /// The state that the shown frame was made from, with the pose of the C-arm; none before the first frame.
    snapshot: Option<&'a Snapshot>,
}

/// Frames that the window is drawn unchanged before it is photographed, so that what is drawn is what is told.
const STILL_FRAMES: u32 = 2;

/// Pictures that are still to be taken, in order.
#[derive(Resource)]
pub(super) struct Wishes {
    left: VecDeque<ScreenshotWish>,
    waited_s: f64,
    still: u32,
    asked: bool,
}

impl Wishes {
    pub(super) fn new(wishes: Vec<ScreenshotWish>) -> Self {
        Self { left: wishes.into(), waited_s: 0.0, still: 0, asked: false }
    }

    /// The moment has come: the desk stands still for it.
    fn is_due(&mut self, when: Moment, desk: &mut Desk) -> bool {
        let ready = match when {
            Moment::AfterS(s) => {
                if self.waited_s >= s {
                    desk.hold_pictures_at(0.0);
                }
                self.waited_s >= s
            }
            Moment::AtS(s) => {
                desk.hold_pictures_at(s);
                desk.is_held()
            }
        };
        self.still = if ready { self.still + 1 } else { 0 };
        self.still > STILL_FRAMES
    }
}

/// Takes the next picture when its time has come, and leaves after the last.
pub(super) fn take(
    mut wishes: ResMut<'_, Wishes>,
    mut desk: ResMut<'_, DeskResource>,
    mut contexts: EguiContexts<'_, '_>,
    time: Res<'_, Time<Real>>,
    mut commands: Commands<'_, '_>,
) -> Result {
    if desk.0.view.screen != Screen::Loading || desk.0.view.problem.is_some() {
        wishes.waited_s += time.delta_secs_f64();
    }
    if wishes.asked {
        return Ok(());
    }
    let Some(ScreenshotWish { path, when }) = wishes.left.front().cloned() else { return Ok(()) };
    if !wishes.is_due(when, &mut desk.0) {
        return Ok(());
    }
    wishes.asked = true;
    let scale = contexts.ctx_mut()?.pixels_per_point();
    let told = tell(&desk.0, scale, &path.with_extension("json"));
    commands.spawn(Screenshot::primary_window()).observe(
        move |captured: On<'_, '_, ScreenshotCaptured>,
              mut wishes: ResMut<'_, Wishes>,
              mut desk: ResMut<'_, DeskResource>,
              mut exit: MessageWriter<'_, AppExit>| {
            let saved = told.clone().and_then(|()| save_png(&captured.image, &path));
            wishes.left.pop_front();
            wishes.asked = false;
            wishes.still = 0;
            desk.0.release_pictures();
            if let Err(why) = saved {
                error!("{}: {why}", path.display());
                exit.write(AppExit::error());
            } else if wishes.left.is_empty() {
                exit.write(AppExit::Success);
            }
        },
    );
    Ok(())
}

fn tell(desk: &Desk, scale: f32, path: &Path) -> Result<(), String> {
    let rect = desk.out.live_rect * scale;
    let live_px = [rect.left(), rect.top(), rect.right(), rect.bottom()];
    let shown = Shown { live_px, snapshot: desk.shown_snapshot() };
    let text = serde_json::to_string(&shown).map_err(|e| e.to_string())?;
    super::store::write_whole(path, text.as_bytes())
}

fn save_png(image: &Image, path: &Path) -> Result<(), String> {
    let image = image.clone().try_into_dynamic().map_err(|e| e.to_string())?.to_rgb8();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(image.as_raw()).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    super::store::write_whole(path, &bytes)
}
