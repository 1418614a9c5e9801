//! Types of a script file.

use serde::{Deserialize, Serialize};

use crate::sim::command::{Command, Hold};

/// A scripted operator: steps done one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// File-format number; this program reads 1.
    pub format: u32,
    /// Who or what works here.
    pub title: String,
    /// Id of the case that it is written for.
    pub case: String,
    /// Unsteadiness of the hand, mm: lengths are overshot by up to this much (0 for a steady hand).
    #[serde(default)]
    pub tremor_mm: f64,
    /// Pan the table so that the moving tip stays in the picture.
    #[serde(default = "defaults::follow")]
    pub follow_tip: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

/// When a movement stops. Everything here is what an operator can see or feel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Until {
    /// The device reaches this length from the introducer, by its scale at the hub, mm.
    Inserted(f64),
    /// This length has been fed or withdrawn, mm.
    By(f64),
    /// The tip lies this far behind (+) the tip of another device of the rod, by their lengths, mm.
    Behind {
        /// The other device.
        tool: String,
        /// mm.
        mm: f64,
    },
    /// The tip is seen in a vessel of the roadmap, at least this far past its origin, mm.
    Seen {
        /// Vessel.
        vessel: String,
        /// mm.
        depth_mm: f64,
    },
    /// The tip is seen within a distance of a vessel's course at a fraction (0 origin, 1 end) of its length.
    Near {
        /// Vessel.
        vessel: String,
        /// 0 to 1.
        fraction: f64,
        /// mm.
        within_mm: f64,
    },
    /// The tip is seen to jump sideways or to turn: the curve has flicked open or hooked, by at least this angle, degrees.
    TipTurned(f64),
    /// The tip lies in a vessel, at least this far past its origin, or beyond it: read from a second view.
    In {
        /// Vessel.
        vessel: String,
        /// mm.
        depth_mm: f64,
    },
    /// The force at the hub exceeds this, N.
    HubForce(f64),
    /// The first of these.
    Any(Vec<Self>),
}

/// Direction on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Screen {
    /// Screen right (the patient's left in AP).
    Right,
    /// Screen left.
    Left,
    /// Towards the head.
    Up,
    /// Towards the feet.
    Down,
}

/// Who pushes the contrast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The hand.
    #[default]
    Hand,
    /// The power injector.
    Injector,
}

/// One thing to do. Devices are named by their catalogue id, vessels by their dotted name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Step {
    /// A heading: shown, and named when a later step fails.
    Label(String),
    /// Let time pass, s.
    Wait(f64),
    /// Take a device from the tray and enter it.
    Load(String),
    /// The same at a sheath, counted from 0.
    LoadAt {
        /// Device.
        tool: String,
        /// Sheath.
        access: u8,
    },
    /// Withdraw a device fully and take it off; a wire inside is held where it is.
    TakeOff {
        /// Device.
        tool: String,
        /// mm/s.
        #[serde(default = "defaults::fast")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
        /// With the beam off.
        #[serde(default)]
        blind: bool,
    },
    /// Feed a device.
    Advance {
        /// Device.
        tool: String,
        /// When to stop.
        until: Until,
        /// mm/s.
        #[serde(default = "defaults::speed")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::timeout_s")]
        timeout_s: f64,
        /// With the beam off.
        #[serde(default)]
        blind: bool,
    },
    /// Pull a device back.
    Withdraw {
        /// Device.
        tool: String,
        /// When to stop.
        until: Until,
        /// mm/s.
        #[serde(default = "defaults::speed")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::timeout_s")]
        timeout_s: f64,
        /// With the beam off.
        #[serde(default)]
        blind: bool,
    },
    /// Turn the hub by an angle, degrees, clockwise from behind is +.
    Rotate {
        /// Device.
        tool: String,
        /// Degrees.
        by_deg: f64,
        /// Degrees/s.
        #[serde(default = "defaults::spin")]
        rate_deg_per_s: f64,
    },
    /// Turn the hub until the tip is seen to point in a direction, or after a whole turn where it came nearest to it.
    Point {
        /// Device.
        tool: String,
        /// Direction.
        to: Screen,
        /// Allowed error, degrees.
        #[serde(default = "defaults::point_deg")]
        within_deg: f64,
        /// s.
        #[serde(default = "defaults::timeout_s")]
        timeout_s: f64,
    },
    /// Advance a catheter over its wire, which is held, until its tip is this far behind the wire's, mm.
    FollowOverWire {
        /// Catheter.
        tool: String,
        /// Wire.
        wire: String,
        /// mm.
        stop_behind_mm: f64,
        /// mm/s.
        #[serde(default = "defaults::speed")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::timeout_s")]
        timeout_s: f64,
        /// With the beam off.
        #[serde(default)]
        blind: bool,
    },
    /// Bring a tip into a branch of the roadmap: advance; if the tip is seen to leave the way at the origin, or
    /// buckles, pull back, turn, try again.
    Select {
        /// Device.
        tool: String,
        /// Vessel to be entered.
        into: String,
        /// How far past its origin, mm.
        #[serde(default = "defaults::depth_mm")]
        depth_mm: f64,
        /// Attempts.
        #[serde(default = "defaults::tries")]
        tries: u32,
        /// Pulled back between attempts, mm.
        #[serde(default = "defaults::pull_back_mm")]
        pull_back_mm: f64,
        /// Turned between attempts, degrees.
        #[serde(default = "defaults::turn_deg")]
        turn_deg: f64,
        /// Fed at most in one attempt once the tip comes no nearer to the origin, mm.
        #[serde(default = "defaults::probe_mm")]
        probe_mm: f64,
        /// Force at the hub that ends an attempt, N.
        #[serde(default = "defaults::stop_force_n")]
        stop_force_n: f64,
        /// mm/s.
        #[serde(default = "defaults::slow")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
    },
    /// Turn the hub until the bent tip points towards the mouth of a vessel, seen along the device: the depth is read from
    /// a second view.
    Aim {
        /// Device.
        tool: String,
        /// Vessel whose mouth is meant.
        at: String,
        /// Points this far beside it, clockwise from behind +, degrees.
        #[serde(default)]
        off_deg: f64,
        /// s.
        #[serde(default = "defaults::timeout_s")]
        timeout_s: f64,
    },
    /// Bring a curved catheter into a branch from above it: its bend is turned towards the mouth, and it is drawn down until
    /// the tip falls in. Where it passes the mouth it goes up again, is turned otherwise, and comes down again.
    Engage {
        /// Catheter.
        tool: String,
        /// Vessel to be entered.
        into: String,
        /// How far past its origin, mm.
        #[serde(default = "defaults::engaged_mm")]
        depth_mm: f64,
        /// Drawn down at most this far past the mouth, mm.
        #[serde(default = "defaults::past_mm")]
        past_mm: f64,
        /// Attempts.
        #[serde(default = "defaults::many_tries")]
        tries: u32,
        /// Force at the hub that ends an attempt, N.
        #[serde(default = "defaults::soft_force_n")]
        stop_force_n: f64,
        /// mm/s.
        #[serde(default = "defaults::slow")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
    },
    /// Lead a wire with a bent tip into a vessel, mouth by mouth: before each the catheter around it is brought up for support and
    /// the bend is turned towards the mouth; where it goes astray it comes back and tries otherwise.
    Steer {
        /// Wire.
        tool: String,
        /// Catheter around it.
        support: String,
        /// Vessel to be entered.
        into: String,
        /// How far past its origin, mm.
        #[serde(default = "defaults::depth_mm")]
        depth_mm: f64,
        /// Attempts at all mouths together.
        #[serde(default = "defaults::many_tries")]
        tries: u32,
        /// Force at the hub that ends an attempt, N.
        #[serde(default = "defaults::soft_force_n")]
        stop_force_n: f64,
        /// mm/s.
        #[serde(default = "defaults::slow")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
    },
    /// How a hub is held.
    Hold {
        /// Device.
        tool: String,
        /// Hold.
        hold: Hold,
    },
    /// C-arm angles, degrees.
    Arm {
        /// LAO +.
        primary_deg: f64,
        /// CRA +.
        secondary_deg: f64,
    },
    /// Table: isocenter in the patient frame, mm.
    Table(f64, f64, f64),
    /// Pan the table so that the tip last seen is in the middle of the picture.
    CenterOnTip(String),
    /// Field diagonal, cm.
    Field(f64),
    /// Blades: left, right, bottom, top; open share.
    Blades(f64, f64, f64, f64),
    /// Fluoroscopy pulses per second.
    PulseRate(f64),
    /// An acquisition run with contrast through a lumen.
    Run {
        /// Device whose lumen is used.
        through: String,
        /// mL/s.
        rate_ml_per_s: f64,
        /// mL.
        volume_ml: f64,
        /// Hand or injector.
        #[serde(default)]
        by: By,
        /// Seconds of run before the injection.
        #[serde(default = "defaults::lead_s")]
        before_s: f64,
        /// Seconds of run after it.
        #[serde(default = "defaults::after_s")]
        after_s: f64,
        /// Frames per second.
        #[serde(default = "defaults::frames")]
        frame_rate_per_s: f64,
    },
    /// A little contrast by hand under fluoroscopy.
    Puff {
        /// Device whose lumen is used.
        through: String,
        /// mL.
        volume_ml: f64,
        /// mL/s.
        rate_ml_per_s: f64,
    },
    /// Embolic in small puffs with a look after each, until the column is seen to clear slowly; stops for good when
    /// reflux is seen.
    EmbolizeUntil {
        /// Device whose lumen is used.
        through: String,
        /// Embolic id.
        agent: String,
        /// Share of the suspension as drawn up; the rest is contrast.
        #[serde(default = "defaults::undiluted")]
        strength: f64,
        /// Stop at this many beats to clear.
        beats_to_clear: f64,
        /// mL of a puff.
        puff_ml: f64,
        /// mL/s.
        rate_ml_per_s: f64,
        /// Seconds between puffs.
        #[serde(default = "defaults::pause_s")]
        pause_s: f64,
        /// At most this much, mL.
        max_ml: f64,
        /// s.
        #[serde(default = "defaults::very_long_s")]
        timeout_s: f64,
    },
    /// Embolic in one go, without looking at the flow.
    Embolize {
        /// Device whose lumen is used.
        through: String,
        /// Embolic id.
        agent: String,
        /// Share of the suspension as drawn up; the rest is contrast.
        #[serde(default = "defaults::undiluted")]
        strength: f64,
        /// mL.
        volume_ml: f64,
        /// mL/s.
        rate_ml_per_s: f64,
        /// With the beam off.
        #[serde(default)]
        blind: bool,
    },
    /// Push a coil or plug out of a catheter, detach it if it is joined to its pusher, and take the pusher off.
    DeployCoil {
        /// Device with the coil.
        tool: String,
        /// Catheter that it goes through.
        through: String,
        /// Beyond the tip of the catheter, mm/s.
        #[serde(default = "defaults::slow")]
        speed_mm_per_s: f64,
        /// Force at the hub that ends the try, N.
        #[serde(default = "defaults::stop_force_n")]
        stop_force_n: f64,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
    },
    /// Push a gelatin pledget through a lumen.
    Pledget {
        /// Device whose lumen is used.
        through: String,
        /// mm.
        diameter_mm: f64,
    },
    /// Inflate a balloon to a pressure and hold it; it stays up until it is deflated.
    Inflate {
        /// Device with a balloon.
        tool: String,
        /// atm.
        atm: f64,
        /// s.
        #[serde(default)]
        hold_s: f64,
        /// Until the pressure is reached, s.
        #[serde(default = "defaults::timeout_s")]
        timeout_s: f64,
    },
    /// Draw a balloon down until it is flat.
    Deflate {
        /// Device with a balloon.
        tool: String,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
    },
    /// Withdraw the sheath of a stent that opens itself until it is off.
    Unsheathe {
        /// Device with the stent.
        tool: String,
        /// mm/s.
        #[serde(default = "defaults::slow")]
        speed_mm_per_s: f64,
        /// s.
        #[serde(default = "defaults::long_s")]
        timeout_s: f64,
    },
    /// Let time pass with the devices at rest, s.
    SkipTime(f64),
    /// Aspirate and flush a lumen.
    Flush(String),
    /// Draw with a syringe through a free lumen, for debris at its tip.
    Aspirate {
        /// Device.
        through: String,
        /// How long, s.
        for_s: f64,
    },
    /// A drug.
    Give {
        /// Id.
        drug: String,
        /// Dose.
        dose: f64,
    },
    /// Keep the beam on (fluoroscopy) for this long, s.
    Screen(f64),
    /// A command as it is.
    Do(Command),
    /// Declare the procedure finished.
    Finish,
}

mod defaults {
    pub(super) fn follow() -> bool {
        true
    }
    pub(super) fn undiluted() -> f64 {
        1.0
    }
    pub(super) fn speed() -> f64 {
        15.0
    }
    pub(super) fn slow() -> f64 {
        8.0
    }
    pub(super) fn fast() -> f64 {
        40.0
    }
    pub(super) fn spin() -> f64 {
        90.0
    }
    pub(super) fn timeout_s() -> f64 {
        60.0
    }
    pub(super) fn long_s() -> f64 {
        180.0
    }
    pub(super) fn very_long_s() -> f64 {
        600.0
    }
    pub(super) fn point_deg() -> f64 {
        30.0
    }
    pub(super) fn depth_mm() -> f64 {
        30.0
    }
    pub(super) fn tries() -> u32 {
        12
    }
    pub(super) fn engaged_mm() -> f64 {
        4.0
    }
    pub(super) fn past_mm() -> f64 {
        14.0
    }
    pub(super) fn many_tries() -> u32 {
        24
    }
    pub(super) fn soft_force_n() -> f64 {
        1.5
    }
    pub(super) fn pull_back_mm() -> f64 {
        15.0
    }
    pub(super) fn turn_deg() -> f64 {
        60.0
    }
    pub(super) fn stop_force_n() -> f64 {
        6.0
    }
    pub(super) fn probe_mm() -> f64 {
        80.0
    }
    pub(super) fn lead_s() -> f64 {
        0.7
    }
    pub(super) fn after_s() -> f64 {
        4.0
    }
    pub(super) fn frames() -> f64 {
        3.0
    }
    pub(super) fn pause_s() -> f64 {
        4.0
    }
}
