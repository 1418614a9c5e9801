//! The desk's part of the bridge: what the session sends becomes what the panels read.

use super::super::bridge::{Mail, ReplayState};
use super::super::convert;
use super::super::shelf::GrayPicture;
use super::super::view::{CurveSample, LogLine, Screen, View};
use super::super::words::log_line;
use super::{Desk, MOST_LINES};
use crate::imaging::Frame;
use crate::sim::{Event, EventKind, Snapshot};

impl Desk {
    pub(super) fn receive(&mut self, mail: Mail) {
        match mail.opened {
            Some(Ok(model)) => {
                convert::fill_case(&mut self.view, &model);
                self.view.screen = match (&self.view.replay, self.skip_briefing) {
                    (Some(_), _) => Screen::Replay,
                    (None, true) => Screen::Procedure,
                    (None, false) => Screen::Briefing,
                };
                self.model = Some(model);
            }
            Some(Err(why)) => {
                self.view.problem = Some(why);
                self.bridge = None;
            }
            None => {}
        }
        if let Some(snapshot) = mail.snapshot {
            self.view.snapshot = snapshot;
        }
        for sample in mail.trace {
            self.view.trace.push(sample);
        }
        self.receive_events(&mail.events, mail.replay);
        if let Some(assessment) = &mail.assessment {
            let done = |v: &View| v.steps.iter().filter(|s| s.done_s.is_some()).count();
            let before = done(&self.view);
            convert::fill_assessment(&mut self.view, assessment, self.model.as_deref());
            if done(&self.view) != before {
                self.hints_given = 0;
                self.view.hint.clear();
            }
        }
        if let Some(factor) = mail.time_factor {
            self.view.time_factor = factor;
        }
        self.view.demo = mail.scripted.then(String::new);
        if let (Some(review), Some(picture)) = (&mut self.view.review, mail.reviewed) {
            review.receive(picture);
        }
        self.waiting.extend(mail.frames);
        self.show_waiting();
        if let Some(problem) = mail.problem {
            self.view.problem = Some(problem);
        }
        if let Some(ended) = mail.ended {
            self.end(ended, mail.curves);
        }
    }

    fn receive_events(&mut self, events: &[Event], replay: Option<ReplayState>) {
        let lines: Vec<LogLine> = events.iter().filter_map(|e| log_line(e, &self.view)).collect();
        if self.view.replay.is_some() {
            self.follow_replay(replay, lines);
            return;
        }
        self.view.log.extend(lines);
        for _ in events.iter().filter(|e| e.kind == EventKind::HintAsked) {
            self.give_hint();
        }
        let too_many = self.view.log.len().saturating_sub(MOST_LINES);
        self.view.log.drain(..too_many);
    }

    fn give_hint(&mut self) {
        let Some(model) = &self.model else { return };
        self.view.hint = convert::hint(model, &self.view, self.hints_given).unwrap_or_default();
        self.hints_given += 1;
    }

    /// Shows what has come, up to the picture that is waited for.
    fn show_waiting(&mut self) {
        while !self.is_held() {
            let Some(shot) = self.waiting.pop_front() else { return };
            self.shown = Some(shot.snapshot);
            self.receive_frame(shot.frame);
        }
    }

    /// The live monitor stops at the first picture of this simulated second or later (0: at what it shows).
    pub fn hold_pictures_at(&mut self, time_s: f64) {
        self.hold_at_s = Some(time_s);
    }

    /// The live monitor has stopped.
    pub fn is_held(&self) -> bool {
        let shown_s = self.shown.as_ref().map_or(-1.0, |s| s.time_s);
        self.hold_at_s.is_some_and(|at| at <= 0.0 || shown_s >= at)
    }

    /// The live monitor goes on.
    pub fn release_pictures(&mut self) {
        self.hold_at_s = None;
        self.show_waiting();
    }

    /// The state that the live picture shows.
    pub fn shown_snapshot(&self) -> Option<&Snapshot> {
        self.shown.as_deref()
    }

    fn receive_frame(&mut self, frame: Frame) {
        self.live_angles = super::super::views::angles(frame.arm.primary_deg, frame.arm.secondary_deg);
        self.view.frame = Some(convert::frame_facts(&frame));
        let picture = GrayPicture { columns: frame.columns, rows: frame.rows, gray: frame.gray.into() };
        if let Some(run) = frame.run.filter(|_| frame.live) {
            self.shelf.add_run_frame(run, &self.live_angles, picture.clone());
        }
        self.live = Some(picture);
        self.live_is_new = true;
    }

    fn end(&mut self, ended: Result<Vec<String>, String>, curves: Vec<CurveSample>) {
        let files = ended.unwrap_or_else(|why| {
            self.view.problem = Some(why);
            Vec::new()
        });
        if let Some(report) = &mut self.view.report {
            report.recording = super::super::recordings::recording_of(&files);
            report.files = files;
            report.curves = curves;
            if self.opening.script.is_none() {
                let id = self.model.as_ref().map_or_else(String::new, |m| m.case.id.clone());
                if let Err(fault) = self.store.note_result(&id, report.score, report.max) {
                    self.view.problem = Some(fault);
                }
            }
        }
        self.view.screen = Screen::Report;
        self.bridge = None;
        std::fs::remove_file(self.store.running()).ok();
    }
}
