//! The desk while a recording is played: list, transport, log up to the present moment.

use std::path::PathBuf;

use super::{Bridge, BridgeConfig, Desk, Opening, ReportPage, Screen};
use crate::app::bridge::ReplayState;
use crate::app::out::ReplayAction;
use crate::app::recordings;
use crate::app::view::{LogLine, ReplayView};
use crate::units::TICKS_PER_S;

/// A jump to an error begins this long before it, s.
const BEFORE_ERROR_S: f64 = 5.0;

impl Desk {
    pub(super) fn show_recordings(&mut self) {
        self.view.recordings = recordings::list(&self.store.runs());
        self.view.screen = Screen::Recordings;
    }

    /// Opens a recording, at a moment if one is given, s.
    pub fn open_replay(&mut self, path: PathBuf, at_s: Option<f64>) {
        if self.view.screen == Screen::Report {
            let (view, opening, model) = (self.view.clone(), self.opening.clone(), self.model.clone());
            self.report_page = Some(Box::new(ReportPage { view, opening, model }));
        }
        self.close();
        self.view.replay = Some(ReplayView { errors: recordings::errors(&path), ..ReplayView::default() });
        let opening = Opening { root: self.root.clone(), replay: Some(path), ..Opening::default() };
        self.opening = opening.clone();
        match Bridge::start(opening, BridgeConfig { pixels: self.pixels, ..BridgeConfig::default() }) {
            Ok(bridge) => {
                if let Some(time_s) = at_s {
                    bridge.jump(tick_of(time_s - BEFORE_ERROR_S));
                }
                self.bridge = Some(bridge);
                self.view.screen = Screen::Loading;
            }
            Err(why) => self.view.problem = Some(why),
        }
    }

    /// Back to the report or to the list.
    pub(super) fn close_replay(&mut self) {
        self.close();
        match self.report_page.take() {
            Some(page) => {
                self.view = page.view;
                self.opening = page.opening;
                self.model = page.model;
            }
            None => self.show_recordings(),
        }
    }

    pub(super) fn pause_replay(&mut self) {
        if let Some(replay) = &self.view.replay {
            let paused = replay.state.paused;
            self.act_on_replay(ReplayAction::Pause(!paused));
        }
    }

    pub(super) fn act_on_replay(&mut self, action: ReplayAction) {
        let Some(bridge) = &self.bridge else { return };
        match action {
            ReplayAction::Pause(on) => bridge.pause(on),
            ReplayAction::Speed(speed) => bridge.speed(speed),
            ReplayAction::JumpTo(time_s) => bridge.jump(tick_of(time_s)),
            ReplayAction::JumpToError(time_s) => bridge.jump(tick_of(time_s - BEFORE_ERROR_S)),
        }
    }

    /// New lines of the log and where the replay is; a line that comes a second time after a jump back is the same line.
    pub(super) fn follow_replay(&mut self, state: Option<ReplayState>, lines: Vec<LogLine>) {
        for line in lines {
            let at = self.replay_log.partition_point(|l| l.time_s < line.time_s);
            if !self.replay_log[at..].iter().take_while(|l| l.time_s <= line.time_s).any(|l| *l == line) {
                self.replay_log.insert(at, line);
            }
        }
        if let (Some(state), Some(replay)) = (state, &mut self.view.replay) {
            replay.state = state;
        }
        let now_s = self.view.snapshot.time_s;
        self.view.log = self.replay_log.iter().filter(|l| l.time_s <= now_s).cloned().collect();
    }
}

fn tick_of(time_s: f64) -> u64 {
    (time_s.max(0.0) * TICKS_PER_S as f64) as u64
}
