//! Stored runs and views for the reference monitor, and the loop of the last fluoroscopy.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use super::texts::{Text, fill};

/// Runs that are kept; the oldest go first.
const MOST_RUNS: usize = 12;
/// Frames of one run that are kept.
const MOST_FRAMES: usize = 120;
/// Side of a thumbnail, pixels.
const THUMB_PIXELS: usize = 128;
/// Frames per second of the player.
const PLAY_FPS: f64 = 6.0;

/// A gray picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GrayPicture {
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Rows from the top, 8 bits.
    pub gray: Arc<[u8]>,
}

impl GrayPicture {
    fn sum(&self) -> u64 {
        self.gray.iter().map(|g| u64::from(*g)).sum()
    }

    /// Means over squares, so that no side is longer than `most`.
    fn smaller(&self, most: usize) -> Self {
        let by = self.columns.max(self.rows).div_ceil(most).max(1);
        let (columns, rows) = (self.columns / by, self.rows / by);
        let mean = |i: usize| {
            let (x0, y0) = (i % columns * by, i / columns * by);
            let sum: usize = (y0..y0 + by)
                .flat_map(|y| (x0..x0 + by).map(move |x| y * self.columns + x))
                .map(|j| usize::from(self.gray[j]))
                .sum();
            (sum / (by * by)) as u8
        };
        Self { columns, rows, gray: (0..columns * rows).map(mean).collect() }
    }

    /// An 8-bit gray PNG; `None` when it is not there or something else.
    pub fn read_png(path: &Path) -> Option<Self> {
        let mut reader = png::Decoder::new(BufReader::new(File::open(path).ok()?)).read_info().ok()?;
        let mut gray = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut gray).ok()?;
        if (info.color_type, info.bit_depth) != (png::ColorType::Grayscale, png::BitDepth::Eight) {
            return None;
        }
        gray.truncate(info.buffer_size());
        Some(Self { columns: info.width as usize, rows: info.height as usize, gray: gray.into() })
    }
}

/// One run, or one view that was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// Run number; `None` for a view.
    pub run: Option<u32>,
    /// C-arm in words.
    pub angles: String,
    /// Frames.
    pub frames: Vec<GrayPicture>,
    /// The darkest frame: where contrast fills the vessels most.
    fullest: usize,
}

impl Stored {
    fn add(&mut self, picture: GrayPicture) {
        if self.frames.get(self.fullest).is_none_or(|f| picture.sum() < f.sum()) {
            self.fullest = self.frames.len();
        }
        self.frames.push(picture);
    }
}

/// All stored runs and what is shown of them.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    stored: VecDeque<Stored>,
    shown: usize,
    frame: f64,
    playing: bool,
}

impl Shelf {
    /// Adds a frame of a run; a new run number begins a new entry. It is shown, by the frame with the most contrast so far.
    pub fn add_run_frame(&mut self, run: u32, angles: &str, picture: GrayPicture) {
        if self.stored.back().is_none_or(|s| s.run != Some(run)) {
            self.push(Stored { run: Some(run), angles: angles.to_owned(), ..Stored::default() });
        }
        let is_shown = self.shown + 1 == self.stored.len();
        if let Some(last) = self.stored.back_mut().filter(|s| s.frames.len() < MOST_FRAMES) {
            last.add(picture);
            if is_shown {
                self.frame = last.fullest as f64;
            }
        }
    }

    /// Adds a single view and shows it.
    pub fn add_view(&mut self, angles: &str, picture: GrayPicture) {
        self.push(Stored { angles: angles.to_owned(), frames: vec![picture], ..Stored::default() });
    }

    fn push(&mut self, stored: Stored) {
        self.stored.push_back(stored);
        if self.stored.len() > MOST_RUNS {
            self.stored.pop_front();
        }
        self.shown = self.stored.len() - 1;
        self.frame = 0.0;
        self.playing = false;
    }

    /// The frame of a run with the most contrast.
    pub fn fullest_of(&self, run: u32) -> Option<usize> {
        self.stored.iter().find(|s| s.run == Some(run)).map(|s| s.fullest)
    }

    /// That frame made small.
    pub fn thumb_of(&self, run: u32) -> Option<GrayPicture> {
        let stored = self.stored.iter().find(|s| s.run == Some(run))?;
        stored.frames.get(stored.fullest).map(|p| p.smaller(THUMB_PIXELS))
    }

    fn last_frame(&self) -> usize {
        self.stored.get(self.shown).map_or(0, |s| s.frames.len().saturating_sub(1))
    }

    /// Another run, before (-) or after (+).
    pub fn step_run(&mut self, by: i32) {
        let most = self.stored.len().saturating_sub(1);
        self.shown = self.shown.saturating_add_signed(by as isize).min(most);
        self.frame = self.stored.get(self.shown).map_or(0.0, |s| s.fullest as f64);
    }

    /// Another frame; playing stops.
    pub fn step_frame(&mut self, by: i32) {
        self.playing = false;
        self.frame = (self.frame.floor() + f64::from(by)).clamp(0.0, self.last_frame() as f64);
    }

    /// Plays or stops.
    pub fn toggle_play(&mut self) {
        self.playing = !self.playing && self.last_frame() > 0;
    }

    /// Time passes.
    pub fn advance(&mut self, dt_s: f64) {
        if self.playing {
            self.frame = (self.frame + dt_s * PLAY_FPS) % (self.last_frame() + 1) as f64;
        }
    }

    /// What is shown: the picture and its title.
    pub fn shown(&self) -> Option<(&GrayPicture, String)> {
        let stored = self.stored.get(self.shown)?;
        let i = (self.frame as usize).min(self.last_frame());
        let picture = stored.frames.get(i)?;
        let title = match stored.run {
            Some(run) => {
                let numbers = [run.to_string(), (i + 1).to_string(), stored.frames.len().to_string()];
                fill(Text::ShelfRun, &[&numbers[0], &numbers[1], &numbers[2], &stored.angles])
            }
            None => stored.angles.clone(),
        };
        Some((picture, title))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(level: u8) -> GrayPicture {
        GrayPicture { columns: 1, rows: 1, gray: Arc::from([level]) }
    }

    #[test]
    fn runs_are_kept_apart_and_played_round() {
        let mut shelf = Shelf::default();
        assert!(shelf.shown().is_none());
        shelf.step_run(-1);
        shelf.step_frame(3);
        for i in [7, 8, 2, 5] {
            shelf.add_run_frame(1, "LAO 30", picture(i));
        }
        assert_eq!(shelf.shown().unwrap().0, &picture(2), "the fullest frame is shown");
        shelf.add_run_frame(2, "AP", picture(9));
        assert_eq!(shelf.shown().unwrap().0, &picture(9));
        shelf.step_run(-1);
        assert_eq!(shelf.shown().unwrap().1, "run 1, frame 3 of 4, LAO 30");
        shelf.step_frame(-1);
        assert_eq!(shelf.shown().unwrap().0, &picture(8));
        shelf.toggle_play();
        shelf.advance(3.5 / PLAY_FPS);
        assert_eq!(shelf.shown().unwrap().0, &picture(7), "it plays round");
        for i in 0..40 {
            shelf.add_view("AP", picture(i));
        }
        assert_eq!(shelf.stored.len(), MOST_RUNS);
        assert_eq!(shelf.shown().unwrap().0, &picture(39));
    }
}
