//! A session: model, state and recorder in one place. `Send`, so that it may live on its own thread.

use std::sync::Arc;

use super::command::Command;
use super::event::Event;
use super::model::Model;
use super::record::{self, Header, Record, RecordError, Recording, StateHash};
use super::snapshot::Snapshot;
use super::state::State;
use super::step::{Scratch, StepReport, snapshot, step};
use crate::units::TICKS_PER_S;

/// What one tick gave.
#[derive(Clone, Debug)]
pub struct StepOutput {
    /// Views after the tick.
    pub snapshot: Snapshot,
    /// Events of the tick.
    pub events: Vec<Event>,
    /// Solver figures.
    pub report: StepReport,
}

/// A running case.
#[derive(Debug)]
pub struct Session {
    model: Arc<Model>,
    state: State,
    scratch: Scratch,
    pending: Vec<Command>,
    records: Vec<Record>,
    taken: usize,
}

impl Session {
    /// The start of a case.
    pub fn new(model: Arc<Model>, seed: u64) -> Self {
        let state = State::new(&model, seed);
        let scratch = Scratch::new();
        let header = Header {
            version: crate::VERSION.to_owned(),
            case_id: model.case.id.clone(),
            case_text: model.case_text.clone(),
            assets_hash: model.assets_hash.clone(),
            seed,
            ticks_per_s: TICKS_PER_S,
        };
        let records = vec![Record::Header(header)];
        Self { model, state, scratch, pending: Vec::new(), records, taken: 0 }
    }

    /// The compiled case.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The state, to save or to inspect.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Puts a saved state of the same model back.
    pub fn restore(&mut self, state: State) {
        self.state = state;
    }

    /// Queues a command for the start of the next tick.
    pub fn submit(&mut self, command: Command) {
        self.pending.push(command);
    }

    /// Advances by one tick, recording its commands, and every second the state hash.
    pub fn step(&mut self) -> StepOutput {
        let commands = std::mem::take(&mut self.pending);
        let tick = self.state.tick;
        self.records.extend(commands.iter().map(|c| Record::Command { tick, command: c.clone() }));
        let report = step(&self.model, &mut self.state, &mut self.scratch, &commands);
        if self.state.tick.is_multiple_of(TICKS_PER_S) {
            self.records.push(Record::Hash { tick: self.state.tick, hash: self.state.hash() });
        }
        let snapshot = snapshot(&self.model, &self.state, &self.scratch);
        StepOutput { snapshot, events: report.events.clone(), report }
    }

    /// Views without advancing (before the first tick).
    pub fn snapshot(&self) -> Snapshot {
        snapshot(&self.model, &self.state, &self.scratch)
    }

    /// Hash of the present state.
    pub fn hash(&self) -> StateHash {
        self.state.hash()
    }

    /// Records since the last call, to be appended to a file.
    pub fn take_records(&mut self) -> Vec<Record> {
        let new = self.records[self.taken..].to_vec();
        self.taken = self.records.len();
        new
    }

    /// Bytes of the whole recording so far, closed with its end.
    pub fn recording_bytes(&self) -> Vec<u8> {
        let mut records = self.records.clone();
        records.push(Record::Hash { tick: self.state.tick, hash: self.state.hash() });
        records.push(Record::End { tick: self.state.tick });
        record::to_bytes(&records)
    }
}

/// Plays a recording's commands again, calling `on_step` after each tick and comparing hashes where there are some.
///
/// # Errors
/// [`RecordError::Diverged`] at the first differing hash when `verify` is set.
pub fn replay(
    model: Arc<Model>,
    recording: &Recording,
    verify: bool,
    mut on_step: impl FnMut(&StepOutput),
) -> Result<StateHash, RecordError> {
    let mut session = Session::new(model, recording.header.seed);
    let mut commands = recording.commands.iter().peekable();
    let mut hashes = recording.hashes.iter().peekable();
    while session.state.tick < recording.last_tick {
        while let Some((_, command)) = commands.next_if(|(tick, _)| *tick <= session.state.tick) {
            session.submit(command.clone());
        }
        let output = session.step();
        on_step(&output);
        while let Some((tick, recorded)) = hashes.next_if(|(tick, _)| *tick <= session.state.tick) {
            if verify && *tick == session.state.tick {
                record::compare(*tick, *recorded, session.hash())?;
            }
        }
    }
    Ok(session.hash())
}
