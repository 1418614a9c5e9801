//! Review of stored runs and loops: what is shown, with which settings, and what was measured. Bevy-free.

use std::sync::Arc;

use super::shelf::GrayPicture;
use crate::imaging::archive::Archive;
use crate::imaging::measure::{Calibration, stenosis_percent};
use crate::imaging::review::{ReviewSettings, Reviewed, ViewTrace, review};
use crate::sim::command::AcquisitionKind;
use crate::units::FrenchSize;

/// What is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Acquisition run.
    Run(u32),
    /// Stored loop of fluoroscopy.
    Loop(u32),
}

/// What the picture's thread is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewAsk {
    /// What.
    pub source: Source,
    /// How.
    pub settings: ReviewSettings,
}

/// What a drawn line measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Nothing is drawn.
    #[default]
    Off,
    /// Distance between the ends.
    Distance,
    /// Calibration across a catheter of known size.
    Catheter,
    /// Diameter of the healthy vessel.
    Reference,
    /// Diameter at the narrowest.
    Throat,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Distance, mm.
    pub distance_mm: Option<f64>,
    /// Healthy diameter, mm.
    pub reference_mm: Option<f64>,
    /// Narrowest diameter, mm.
    pub throat_mm: Option<f64>,
    /// Why the last line gave nothing.
    pub fault: Option<String>,
}

impl Measured {
    /// Stenosis of the diameter, percent.
    pub fn stenosis(&self) -> Option<f64> {
        stenosis_percent(self.throat_mm?, self.reference_mm?)
    }
}

/// A run or loop in the strip.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// What.
    pub source: Source,
    /// Title.
    pub title: String,
    /// Small picture.
    pub thumb: Option<GrayPicture>,
}

/// Digital zoom: the part of the picture that is shown. It costs no dose and adds no detail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zoom {
    /// Times as large as the whole picture, 1 to 8.
    pub factor: f64,
    /// Middle of what is shown, shares of the picture from its top left.
    pub center: [f64; 2],
}

impl Default for Zoom {
    fn default() -> Self {
        Self { factor: 1.0, center: [0.5; 2] }
    }
}

impl Zoom {
    const MOST: f64 = 8.0;

    /// Left, top, right, bottom of what is shown, shares of the picture.
    pub fn shown(&self) -> [f64; 4] {
        let half = 0.5 / self.factor;
        let [x, y] = self.center;
        [x - half, y - half, x + half, y + half]
    }

    /// Times as large; the place under the hand (shares of the picture) stays where it is, unless an edge is in the way.
    pub fn by(self, factor: f64, at: [f64; 2]) -> Self {
        let new = (self.factor * factor).clamp(1.0, Self::MOST);
        let k = self.factor / new;
        let center = [0, 1].map(|i| at[i] + (self.center[i] - at[i]) * k);
        Self { factor: new, center }.inside()
    }

    /// Moved by shares of the picture.
    pub fn moved(self, [dx, dy]: [f64; 2]) -> Self {
        Self { center: [self.center[0] + dx, self.center[1] + dy], ..self }.inside()
    }

    fn inside(self) -> Self {
        let half = 0.5 / self.factor;
        Self { center: self.center.map(|c| c.clamp(half, 1.0 - half)), ..self }
    }
}

/// The review as the panel reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewView {
    /// All that is stored, in order.
    pub tiles: Vec<Tile>,
    /// What is shown.
    pub source: Source,
    /// Kind of the run.
    pub kind: AcquisitionKind,
    /// How.
    pub settings: ReviewSettings,
    /// Part of the picture that is shown.
    pub zoom: Zoom,
    /// Plays as a loop.
    pub playing: bool,
    /// Where a playing loop is, frames.
    phase: f64,
    /// Frames per second of the player.
    rate_per_s: f64,
    /// The picture, once it has come.
    pub picture: Option<Arc<Reviewed>>,
    /// Counts pictures, so that a texture is made once.
    pub version: u64,
    /// Tool in hand.
    pub tool: Tool,
    /// Line drawn last: ends in pixels.
    pub line: Option<[[f64; 2]; 2]>,
    /// Size of the catheter to calibrate on, F.
    pub french: f64,
    /// Calibration from a catheter, if one was made on this run.
    pub by_catheter: Option<Calibration>,
    /// Results.
    pub measured: Measured,
}

/// What a hand does in the review.
#[derive(Clone, Debug, PartialEq)]
pub enum ReviewAction {
    /// Open with the last run, or close.
    Toggle,
    /// Another run or loop.
    Show(Source),
    /// Another frame.
    Frame(i32),
    /// Play or stop.
    Play,
    /// The mask is the frame that is shown.
    MaskHere,
    /// Shift of the mask by so much, mm: right, up.
    Shift(f64, f64),
    /// No shift.
    ResetShift,
    /// View trace.
    Trace(ViewTrace),
    /// Subtracted or not.
    Subtract,
    /// Inverted or not.
    Invert,
    /// Window, level.
    Window(f32, f32),
    /// Share of the anatomy.
    Landmark(f32),
    /// Edge boost.
    Edge(f32),
    /// Tool in hand.
    Tool(Tool),
    /// A line was drawn: ends in pixels.
    Line([[f64; 2]; 2]),
    /// Size of the catheter, F.
    French(f64),
    /// The run becomes the roadmap.
    Roadmap,
    /// The picture goes to the reference monitor.
    ToReference,
    /// The picture is written to a file.
    Save,
    /// Times as large, about a place (shares of the picture).
    Zoom(f64, [f64; 2]),
    /// What is shown moves by shares of the picture.
    Pan([f64; 2]),
    /// All of the picture is shown.
    WholePicture,
}

impl ReviewView {
    /// Opens a run or loop.
    pub fn open(tiles: Vec<Tile>, source: Source, kind: AcquisitionKind, rate_per_s: f64) -> Self {
        Self {
            tiles,
            source,
            kind,
            settings: ReviewSettings::for_kind(kind),
            zoom: Zoom::default(),
            playing: false,
            phase: 0.0,
            rate_per_s: rate_per_s.clamp(1.0, 15.0),
            picture: None,
            version: 0,
            tool: Tool::Off,
            line: None,
            french: 5.0,
            by_catheter: None,
            measured: Measured::default(),
        }
    }

    /// Zooms about a place of the picture.
    pub fn zoom_by(&mut self, factor: f64, at: [f64; 2]) {
        self.zoom = self.zoom.by(factor, at);
    }

    /// Moves what is shown.
    pub fn pan(&mut self, by: [f64; 2]) {
        self.zoom = self.zoom.moved(by);
    }

    /// Frames of what is shown.
    pub fn frames(&self) -> usize {
        self.picture.as_ref().map_or(0, |p| p.frames)
    }

    /// A picture has come.
    pub fn receive(&mut self, picture: Arc<Reviewed>) {
        self.picture = Some(picture);
        self.version += 1;
    }

    /// Time passes; true when another frame is due.
    pub fn advance(&mut self, dt_s: f64) -> bool {
        let frames = self.frames();
        if !self.playing || frames < 2 {
            return false;
        }
        self.phase = (self.phase + dt_s * self.rate_per_s) % frames as f64;
        let frame = self.phase as usize;
        let is_new = frame != self.settings.frame;
        self.settings.frame = frame;
        is_new
    }

    /// Another frame; playing stops.
    pub fn step(&mut self, by: i32) {
        self.playing = false;
        let last = self.frames().saturating_sub(1);
        self.settings.frame = self.settings.frame.saturating_add_signed(by as isize).min(last);
        self.phase = self.settings.frame as f64;
    }

    /// Calibration: from a catheter on this run, else by geometry at the isocenter.
    pub fn calibration(&self) -> Option<Calibration> {
        let picture = self.picture.as_ref()?;
        Some(
            self.by_catheter
                .unwrap_or_else(|| Calibration::isocenter(&picture.frame.arm, picture.frame.columns)),
        )
    }

    /// Measures along the line with the tool in hand.
    pub fn measure(&mut self, line: [[f64; 2]; 2]) {
        self.line = Some(line);
        self.measured.fault = None;
        let (Some(picture), Some(calibration)) = (self.picture.clone(), self.calibration()) else { return };
        let [from, to] = line;
        let result = match self.tool {
            Tool::Off => Ok(()),
            Tool::Distance => {
                self.measured.distance_mm = Some(calibration.distance_mm(from, to));
                Ok(())
            }
            Tool::Catheter => Calibration::catheter(&picture, from, to, self.french).map(|c| {
                // What was measured with another scale no longer holds.
                self.measured = Measured::default();
                self.by_catheter = Some(c);
            }),
            Tool::Reference => {
                calibration.lumen_mm(&picture, from, to).map(|mm| self.measured.reference_mm = Some(mm))
            }
            Tool::Throat => {
                calibration.lumen_mm(&picture, from, to).map(|mm| self.measured.throat_mm = Some(mm))
            }
        };
        self.measured.fault = result.err();
    }
}

/// The picture that is asked for; `None` when it is no longer stored.
pub fn answer(archive: &Archive, ask: &ReviewAsk) -> Option<Reviewed> {
    match ask.source {
        Source::Run(number) => review(archive.run(number)?, &ask.settings),
        Source::Loop(number) => {
            let frames = &archive.loops.iter().find(|l| l.number == number)?.frames;
            let frame = frames.get(ask.settings.frame).or(frames.last())?;
            // A loop holds displayed pictures: dark is what attenuates.
            let values =
                frame.gray.iter().map(|g| -f32::from(*g) / 255.0 * ReviewSettings::NATIVE.0).collect();
            let mut shown = frame.clone();
            shown.live = false;
            if ask.settings.invert {
                shown.gray.iter_mut().for_each(|g| *g = 255 - *g);
            }
            Some(Reviewed { frame: shown, values, mask: None, frames: frames.len() })
        }
    }
}

/// Words on how the scale is known.
pub fn scale_words(calibration: &Calibration) -> String {
    match calibration.catheter_french {
        Some(french) => format!(
            "{french:.0} F catheter ({:.2} mm): {:.3} mm/px",
            FrenchSize(french).to_mm(),
            calibration.mm_per_pixel
        ),
        None => format!("isocenter: {:.3} mm/px", calibration.mm_per_pixel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoom_keeps_the_place_under_the_hand_and_stays_inside() {
        let at = [0.4, 0.55];
        let z = Zoom::default().by(2.0, at);
        // Where the place lies on screen, before and after.
        let on_screen = |z: &Zoom| {
            let [l, t, r, b] = z.shown();
            [(at[0] - l) / (r - l), (at[1] - t) / (b - t)]
        };
        let (was, is) = (on_screen(&Zoom::default()), on_screen(&z));
        assert!((was[0] - is[0]).abs() < 1e-12 && (was[1] - is[1]).abs() < 1e-12, "{was:?} {is:?}");
        assert!((z.factor - 2.0).abs() < 1e-12);
        let far = z.moved([5.0, -5.0]).shown();
        assert!((far[2] - 1.0).abs() < 1e-12 && far[1].abs() < 1e-12, "{far:?}");
        assert_eq!(z.by(100.0, at).factor, Zoom::MOST);
        assert_eq!(z.by(1e-3, at), Zoom::default());
    }
}
