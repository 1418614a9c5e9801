//! The thread of a replay: plays a recording at a speed, halts, and jumps.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::{Order, Pace, Picture, Shared, lock, now, queue_picture, tick_mail};
use crate::app::player::Player;
use crate::sim::command::Pedal;

/// Ticks between two looks at the orders while it jumps.
const TICKS_PER_STRIDE: u32 = 12;

/// Where a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReplayState {
    /// Ticks done.
    pub tick: u64,
    /// Ticks of the whole recording.
    pub last_tick: u64,
    /// It stands still.
    pub paused: bool,
    /// Times as fast as it was.
    pub speed: f64,
    /// While it jumps: from which tick to which.
    pub jump: Option<(u64, u64)>,
}

struct Replay<'a> {
    player: Player,
    shared: &'a Shared,
    state: ReplayState,
    pace: Pace,
    beam: bool,
}

/// Plays until it is told to stop.
pub(super) fn replay(player: Player, shared: &Shared, inbox: &Receiver<Order>) {
    let state = ReplayState { last_tick: player.last_tick(), speed: 1.0, ..ReplayState::default() };
    let mut replay = Replay { player, shared, state, pace: Pace::new(now()), beam: false };
    replay.tell();
    loop {
        match inbox.recv_timeout(replay.wait()) {
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            // A replay takes no commands.
            Ok(Order::Commands(_)) => {}
            Ok(Order::Pause(on)) => {
                replay.state.paused = on;
                replay.pace = Pace::at_speed(now(), replay.state.speed);
                replay.tell();
            }
            Ok(Order::Speed(speed)) => {
                replay.state.speed = speed;
                replay.pace = Pace::at_speed(now(), speed);
                replay.tell();
            }
            Ok(Order::Jump(tick)) => replay.begin_jump(tick),
            Err(RecvTimeoutError::Timeout) => replay.go_on(),
        }
    }
}

impl Replay<'_> {
    fn stands(&self) -> bool {
        self.state.paused || self.player.is_at_end()
    }

    fn wait(&mut self) -> Duration {
        if self.state.jump.is_some() {
            Duration::ZERO
        } else if self.stands() {
            Duration::from_millis(200)
        } else {
            self.pace.wait(now())
        }
    }

    fn begin_jump(&mut self, tick: u64) {
        let goal = tick.min(self.player.last_tick());
        self.player.approach(goal);
        self.state.jump = Some((self.player.tick(), goal));
        self.tell();
    }

    fn go_on(&mut self) {
        match self.state.jump {
            Some((_, goal)) => self.stride(goal),
            None if self.stands() => {}
            None => {
                self.player.step();
                self.picture_of_tick();
                let factor = self.pace.done(now());
                let output = self.player.last().clone();
                let mut mail = lock(&self.shared.mail);
                mail.time_factor = factor.or(mail.time_factor);
                tick_mail(&mut mail, output);
                drop(mail);
                self.tell();
            }
        }
    }

    /// Some ticks of a jump; at its end the picture is that of the last pulse.
    fn stride(&mut self, goal: u64) {
        for _ in 0..TICKS_PER_STRIDE {
            if self.player.tick() >= goal {
                break;
            }
            let events = self.player.step().events.clone();
            lock(&self.shared.mail).events.extend(events);
        }
        if self.player.tick() >= goal {
            self.state.jump = None;
            let last = self.player.pulse().clone();
            let same = last.mask.as_ref().zip(last.pulse.as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
            for pulse in [last.mask.filter(|_| !same), last.pulse].into_iter().flatten() {
                queue_picture(self.shared, Picture::Pulse(pulse));
            }
            self.beam = self.player.last().snapshot.xray.pedal != Pedal::Off;
            if !self.beam {
                queue_picture(self.shared, Picture::Hold);
            }
            self.pace = Pace::at_speed(now(), self.state.speed);
            lock(&self.shared.mail).snapshot = Some(self.player.last().snapshot.clone());
        }
        self.tell();
    }

    fn picture_of_tick(&mut self) {
        let snapshot = &self.player.last().snapshot;
        if snapshot.xray.pulse.is_some() {
            queue_picture(self.shared, Picture::Pulse(Arc::new(snapshot.clone())));
        }
        let on = snapshot.xray.pedal != Pedal::Off;
        if self.beam && !on {
            queue_picture(self.shared, Picture::Hold);
        }
        self.beam = on;
    }

    fn tell(&mut self) {
        self.state.tick = self.player.tick();
        let mut mail = lock(&self.shared.mail);
        mail.replay = Some(self.state);
        mail.problem = self.player.take_fault().or_else(|| mail.problem.take());
    }
}
