//! Runs a script against snapshots.

use super::load::{ScriptError, check_names};
use super::percept::Eye;
use super::types::Script;
use crate::anatomy::VesselTree;
use crate::scenario::Case;
use crate::sim::command::Command;
use crate::sim::snapshot::Snapshot;

/// A scripted operator at work: ask [`Driver::next`] each tick for the commands of the next.
#[derive(Clone, Debug)]
pub struct Driver {
    script: Script,
    eye: Eye,
    index: usize,
    failed: Option<String>,
}

impl Driver {
    /// A driver for a script in a case; names are checked.
    pub fn new(script: Script, tree: &VesselTree, case: &Case) -> Result<Self, ScriptError> {
        check_names(&script, tree, case)?;
        Ok(Self { script, eye: Eye::new(tree), index: 0, failed: None })
    }

    /// Perceives one tick and decides; `frame_available`: a picture was shown in this tick.
    pub fn next(&mut self, snap: &Snapshot, frame_available: bool) -> Vec<Command> {
        self.eye.look(snap, frame_available);
        Vec::new()
    }

    /// All steps are done.
    pub fn finished(&self) -> bool {
        self.index >= self.script.steps.len()
    }

    /// The step that could not be done, and why.
    pub fn failed(&self) -> Option<String> {
        self.failed.clone()
    }
}
