//! A recording that is played again: steps, key frames to come back to, and what the picture needs after a jump.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::engine;
use crate::sim::record::{self, Recording};
use crate::sim::session::{Session, StepOutput};
use crate::sim::state::State;
use crate::sim::{Model, Snapshot};
use crate::units::TICKS_PER_S;

/// Ticks between two key frames.
const KEY_TICKS: u64 = 10 * TICKS_PER_S;

/// The last pulse before a moment, and the first of its run: the mask, without which there is no subtraction.
#[derive(Clone, Debug, Default)]
pub struct LastPulse {
    /// First pulse of the run that the last pulse belongs to.
    pub mask: Option<Arc<Snapshot>>,
    /// Last pulse.
    pub pulse: Option<Arc<Snapshot>>,
}

impl LastPulse {
    fn note(&mut self, snapshot: &Snapshot) {
        let Some(pulse) = snapshot.xray.pulse else { return };
        let shared = Arc::new(snapshot.clone());
        match pulse.run {
            Some(_) if pulse.frame_in_run == 0 => self.mask = Some(Arc::clone(&shared)),
            Some(_) => {}
            None => self.mask = None,
        }
        self.pulse = Some(shared);
    }
}

/// A moment that the player can come back to.
struct Key {
    state: State,
    snapshot: Snapshot,
    next_command: usize,
    pulse: LastPulse,
}

/// A recording being played.
pub struct Player {
    session: Session,
    recording: Recording,
    next_command: usize,
    keys: BTreeMap<u64, Key>,
    last: StepOutput,
    pulse: LastPulse,
    fault: Option<String>,
}

impl Player {
    /// Opens a recording made by this version with these assets.
    ///
    /// # Errors
    /// What cannot be read, compiled or replayed, in words.
    pub fn open(root: &Path, path: &Path) -> Result<Self, String> {
        let recording = Recording::read(path).map_err(|e| e.to_string())?;
        let model = engine::model_of_recording(root, &recording)?;
        let session = Session::new(model, recording.header.seed);
        let last =
            StepOutput { snapshot: session.snapshot(), events: Vec::new(), report: Default::default() };
        let mut player = Self {
            session,
            recording,
            next_command: 0,
            keys: BTreeMap::new(),
            last,
            pulse: LastPulse::default(),
            fault: None,
        };
        player.keep_key();
        Ok(player)
    }

    /// The compiled case.
    pub fn model(&self) -> &Arc<Model> {
        self.session.model()
    }

    /// Latest output.
    pub fn last(&self) -> &StepOutput {
        &self.last
    }

    /// Ticks done.
    pub fn tick(&self) -> u64 {
        self.last.snapshot.tick
    }

    /// Ticks of the whole recording.
    pub fn last_tick(&self) -> u64 {
        self.recording.last_tick
    }

    /// The end is reached.
    pub fn is_at_end(&self) -> bool {
        self.tick() >= self.last_tick()
    }

    /// What the picture is made of now.
    pub fn pulse(&self) -> &LastPulse {
        &self.pulse
    }

    /// The replay differs from the recording: said once.
    pub fn take_fault(&mut self) -> Option<String> {
        self.fault.take()
    }

    /// One tick, with the recorded commands.
    pub fn step(&mut self) -> &StepOutput {
        while let Some((tick, command)) = self.recording.commands.get(self.next_command) {
            if *tick > self.tick() {
                break;
            }
            self.session.submit(command.clone());
            self.next_command += 1;
        }
        self.last = self.session.step();
        self.pulse.note(&self.last.snapshot);
        self.compare();
        if self.tick().is_multiple_of(KEY_TICKS) {
            self.keep_key();
        }
        &self.last
    }

    fn compare(&mut self) {
        let tick = self.tick();
        if !tick.is_multiple_of(TICKS_PER_S) {
            return;
        }
        let Ok(at) = self.recording.hashes.binary_search_by_key(&tick, |(t, _)| *t) else { return };
        if let Err(e) = record::compare(tick, self.recording.hashes[at].1, self.session.hash()) {
            // Told once: all that follows differs too.
            self.recording.hashes.clear();
            self.fault = Some(e.to_string());
        }
    }

    fn keep_key(&mut self) {
        let key = Key {
            state: self.session.state().clone(),
            snapshot: self.last.snapshot.clone(),
            next_command: self.next_command,
            pulse: self.pulse.clone(),
        };
        self.keys.entry(self.tick()).or_insert(key);
    }

    /// Goes to the key frame from which a tick is reached soonest; the rest of the way is stepped.
    pub fn approach(&mut self, tick: u64) {
        let Some((at, key)) = self.keys.range(..=tick).next_back() else { return };
        if (self.tick()..=tick).contains(at) || tick < self.tick() {
            self.session.restore(key.state.clone());
            self.next_command = key.next_command;
            self.pulse = key.pulse.clone();
            self.last =
                StepOutput { snapshot: key.snapshot.clone(), events: Vec::new(), report: Default::default() };
        }
    }
}
