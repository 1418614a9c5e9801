//! Finished pictures.

use crate::xray::CArm;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// Live fluoroscopy.
    Fluoro,
    /// Live fluoroscopy with vessels of the last run laid over it.
    Roadmap,
    /// Unsubtracted frame of an acquisition (cine, and the first frame of a DSA run: its mask).
    Native,
    /// Subtracted frame.
    Dsa,
}

impl FrameKind {
    /// The word on the picture.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fluoro => "FLUORO",
            Self::Roadmap => "ROADMAP",
            Self::Native => "CINE",
            Self::Dsa => "DSA",
        }
    }
}

/// One gray picture, row by row from the top left of the screen; 0 is black.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Width.
    pub columns: usize,
    /// Height.
    pub rows: usize,
    /// Pixels.
    pub gray: Vec<u8>,
    /// What it shows.
    pub kind: FrameKind,
    /// Beam was on for it; a held or stored picture is not live.
    pub live: bool,
    /// Run, for a frame of an acquisition.
    pub run: Option<u32>,
    /// Frame within the run, from 0.
    pub frame_in_run: u32,
    /// Pulse that made it (the last one of a held picture).
    pub pulse: u64,
    /// Pose it was taken at.
    pub arm: CArm,
    /// How far the isocenter or the focal spot moved since the roadmap was made, mm, when the roadmap is refused for it.
    pub roadmap_moved_mm: Option<f64>,
}

/// Pictures kept beside the live one.
#[derive(Clone, Debug, Default)]
pub struct ReferenceStore {
    /// Kept pictures, oldest first.
    pub frames: Vec<Frame>,
}

impl ReferenceStore {
    /// Most pictures kept; the oldest goes first.
    pub const CAPACITY: usize = 16;

    /// Keeps a copy.
    pub fn keep(&mut self, frame: &Frame) {
        if self.frames.len() == Self::CAPACITY {
            self.frames.remove(0);
        }
        self.frames.push(Frame { live: false, ..frame.clone() });
    }

    /// The one kept last.
    pub fn latest(&self) -> Option<&Frame> {
        self.frames.last()
    }
}
