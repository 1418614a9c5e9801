//! What the operator's hands and feet do now, and the commands that bring it about.

use crate::sim::command::{Command, Pedal, ToolId};

/// The beam goes on this long before a device moves, s.
const BEAM_LEAD_S: f64 = 0.2;
/// The beam stays on this long after the last need, s.
const BEAM_LAG_S: f64 = 0.4;

/// Held controls as wanted in this tick and as last sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hands {
    feed: Vec<f64>,
    spin: Vec<f64>,
    hand_injection: f64,
    /// The pedal that a step asks for in this tick.
    pub(super) pedal: Pedal,
    sent_feed: Vec<f64>,
    sent_spin: Vec<f64>,
    sent_hand_injection: f64,
    sent_pedal: Pedal,
    beam_since_s: Option<f64>,
    beam_needed_s: f64,
    outbox: Vec<Command>,
}

impl Hands {
    /// Lets go of everything; steps take hold again each tick.
    pub(super) fn release(&mut self, tools: usize) {
        self.feed.clear();
        self.feed.resize(tools, 0.0);
        self.spin.clear();
        self.spin.resize(tools, 0.0);
        self.sent_feed.resize(tools, 0.0);
        self.sent_spin.resize(tools, 0.0);
        self.hand_injection = 0.0;
        self.pedal = Pedal::Off;
    }

    pub(super) fn send(&mut self, command: Command) {
        self.outbox.push(command);
    }

    /// True once the beam has been on long enough to see what moves; asks for it.
    pub(super) fn beam(&mut self, now_s: f64) -> bool {
        if self.pedal == Pedal::Off {
            self.pedal = Pedal::Fluoro;
        }
        self.beam_since_s.is_some_and(|t| now_s - t >= BEAM_LEAD_S)
    }

    /// Feeds a tool in this tick, with the beam on first unless blind.
    pub(super) fn feed(&mut self, tool: ToolId, speed_mm_per_s: f64, blind: bool, now_s: f64) {
        if (blind || self.beam(now_s))
            && let Some(f) = self.feed.get_mut(tool.idx())
        {
            *f = speed_mm_per_s;
        }
    }

    /// Turns a tool in this tick, with the beam on first.
    pub(super) fn spin(&mut self, tool: ToolId, rate_deg_per_s: f64, now_s: f64) {
        if self.beam(now_s)
            && let Some(s) = self.spin.get_mut(tool.idx())
        {
            *s = rate_deg_per_s;
        }
    }

    pub(super) fn inject(&mut self, rate_ml_per_s: f64) {
        self.hand_injection = rate_ml_per_s;
    }

    /// The commands that turn what was sent into what is wanted.
    pub(super) fn commands(&mut self, now_s: f64) -> Vec<Command> {
        if self.pedal != Pedal::Off {
            self.beam_needed_s = now_s;
        }
        let lingers = self.sent_pedal == Pedal::Fluoro && now_s - self.beam_needed_s < BEAM_LAG_S;
        let pedal = if self.pedal == Pedal::Off && lingers { Pedal::Fluoro } else { self.pedal };
        if pedal != self.sent_pedal {
            self.outbox.push(Command::SetPedal(pedal));
            if pedal == Pedal::Off {
                self.beam_since_s = None;
            } else if self.sent_pedal == Pedal::Off {
                self.beam_since_s = Some(now_s);
            }
            self.sent_pedal = pedal;
        }
        for i in 0..self.feed.len() {
            let tool = ToolId(i as u8);
            if self.feed[i] != self.sent_feed[i] {
                self.sent_feed[i] = self.feed[i];
                self.outbox.push(Command::SetFeed { tool, speed_mm_per_s: self.feed[i] });
            }
            if self.spin[i] != self.sent_spin[i] {
                self.sent_spin[i] = self.spin[i];
                self.outbox.push(Command::SetSpin { tool, rate_deg_per_s: self.spin[i] });
            }
        }
        if self.hand_injection != self.sent_hand_injection {
            self.sent_hand_injection = self.hand_injection;
            self.outbox.push(Command::SetHandInjection(self.hand_injection));
        }
        std::mem::take(&mut self.outbox)
    }
}
