//! Everything that an operator can do. Held controls are absolute (`SetFeed` sets a speed), so repeats are harmless.

use serde::{Deserialize, Serialize};

use crate::scenario::Arms;
use crate::xray::FluoroLevel;
use crate::xray::staff::Shields;

/// Index into the tray's devices ([`crate::sim::snapshot::ToolInfo`] order); fixed for a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ToolId(pub u8);

impl ToolId {
    /// As an index.
    pub fn idx(self) -> usize {
        usize::from(self.0)
    }
}

/// Beam pedals; dead-man, so the app sends `Off` on release and on loss of focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pedal {
    /// No beam.
    #[default]
    Off,
    /// Pulsed fluoroscopy.
    Fluoro,
    /// Acquisition run (DSA or cine as set).
    Acquire,
}

/// Kind of acquisition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AcquisitionKind {
    /// Digital subtraction angiography.
    #[default]
    Dsa,
    /// Unsubtracted.
    Cine,
}

/// What the roadmap is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoadmapSource {
    /// Fullest vessels of the last subtracted run, laid over.
    #[default]
    LastRun,
    /// The same of a chosen run.
    Run(u32),
    /// A fluoroscopic roadmap: the next fluoroscopy with contrast is the mask, then live pictures are subtracted from it.
    Fluoro,
}

/// What a syringe or the injector holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Fluid {
    /// Contrast as of the case.
    #[default]
    Contrast,
    /// Contrast diluted with saline to this share of contrast, 0 to 1.
    Diluted(f64),
    /// Saline.
    Saline,
    /// Carbon dioxide gas: a negative contrast medium without iodine.
    CarbonDioxide,
    /// An embolic of the tray, as drawn up or diluted further with contrast.
    Embolic {
        /// Id.
        id: String,
        /// Share of it as drawn up, 0 to 1.
        strength: f64,
    },
}

/// How a hub is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hold {
    /// The operator's hand fixes it (or moves it by feed and spin).
    #[default]
    Held,
    /// Released: it moves with friction.
    Free,
    /// Torquer or valve clamps it to the tool around it: both move together.
    Clamped,
}

/// One command; stamped with its tick by the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Take a device from the tray and enter it (over the wire or through the lumen that is there).
    Load {
        /// Access, 0 is the first.
        rod: u8,
        /// Device.
        tool: ToolId,
    },
    /// Take a withdrawn device off.
    Unload {
        /// Device.
        tool: ToolId,
    },
    /// Advance (+) or retract (-) at this speed, mm/s; 0 stops.
    SetFeed {
        /// Device.
        tool: ToolId,
        /// Speed, mm/s, limited to 100.
        speed_mm_per_s: f64,
    },
    /// Turn at this rate, degrees/s, clockwise from behind is +; 0 stops.
    SetSpin {
        /// Device.
        tool: ToolId,
        /// Rate, degrees/s, limited to 360.
        rate_deg_per_s: f64,
    },
    /// How the hub is held.
    SetHold {
        /// Device.
        tool: ToolId,
        /// Hold.
        hold: Hold,
    },
    /// Beam pedal.
    SetPedal(Pedal),
    /// Fluoroscopy pulse rate, 1/s.
    SetPulseRate(f64),
    /// Acquisition kind and frame rate, 1/s.
    SetAcquisition {
        /// Kind.
        kind: AcquisitionKind,
        /// Frames per second, 0.5 to 30.
        frame_rate_per_s: f64,
    },
    /// Target angles; the arm moves there at 25 degrees/s.
    SetAngles {
        /// LAO +, degrees.
        primary_deg: f64,
        /// CRA +, degrees.
        secondary_deg: f64,
    },
    /// Target isocenter in the patient frame (table float), mm; moves at 120 mm/s.
    SetTable {
        /// Target, mm.
        isocenter_mm: [f64; 3],
    },
    /// Target tilt of the table about the isocenter; it turns at 3 degrees/s.
    SetTilt {
        /// Head up +, head down -, degrees, at most 16.
        head_up_deg: f64,
        /// Patient's left up +, degrees, at most 15.
        left_up_deg: f64,
    },
    /// Source to image distance, mm.
    SetSid(f64),
    /// Field diagonal, mm.
    SetField(f64),
    /// Blades: left, right, bottom, top; open share of the half field.
    SetBlades([f64; 4]),
    /// Roadmap on (from the last run) or off.
    SetRoadmap(bool),
    /// Ask the patient to hold the breath (true) or to breathe on.
    HoldBreath(bool),
    /// What the roadmap is made from.
    SetRoadmapSource(RoadmapSource),
    /// Share of the roadmap in the picture, 0 to 1.
    SetRoadmapOpacity(f64),
    /// A new mask from the next frame: of the subtracted run under way, or of the fluoroscopic roadmap.
    Remask,
    /// The mask of a stored run is averaged from these frames, counted from 0.
    SetMask {
        /// Run.
        run: u32,
        /// First frame.
        first: u32,
        /// Last frame.
        last: u32,
    },
    /// The mask of a stored run is shifted, mm at the detector, at most 20.
    SetPixelShift {
        /// Run.
        run: u32,
        /// To the right.
        right_mm: f64,
        /// Up.
        up_mm: f64,
    },
    /// Keep the last loop of fluoroscopy.
    StoreFluoro,
    /// Keep the present view with its C-arm position: 0 or 1.
    StoreReference(u8),
    /// C-arm and table go back to a stored view.
    RecallReference(u8),
    /// C-arm goes to a view of the case, counted from 0.
    RecallPreset(u8),
    /// Acquisition program by number from 0.
    SelectProgram(u8),
    /// Dose level of fluoroscopy; `High` is the high-level control.
    SetFluoroLevel(FluoroLevel),
    /// Wedge filter.
    SetWedge {
        /// 0 is out, 1 covers half of the field, 2 all of it.
        insertion: f64,
        /// Side that it comes from, degrees: 0 right, 90 top.
        angle_deg: f64,
    },
    /// Lead screens of the staff.
    SetShields(Shields),
    /// The patient's arms are laid beside the body or up beside the head; not with the beam on.
    SetArms(Arms),
    /// Which lumen injector and hand syringe are connected to.
    Connect {
        /// Device with a lumen.
        tool: ToolId,
    },
    /// What the hand syringe holds, and how much, mL.
    FillSyringe {
        /// Fluid.
        fluid: Fluid,
        /// Volume, mL.
        volume_ml: f64,
    },
    /// Hand injection at this rate while held; 0 stops, mL/s.
    SetHandInjection(f64),
    /// Push a gelatin pledget through a lumen.
    DropPledget {
        /// Device with a lumen.
        tool: ToolId,
        /// Diameter, mm, 0.2 to 5 and at most the bore.
        diameter_mm: f64,
    },
    /// Detach the coil of a device from its pusher.
    Detach {
        /// Device.
        tool: ToolId,
    },
    /// Aspirate and flush the connected lumen.
    Flush,
    /// Program the injector.
    SetInjector {
        /// Rate, mL/s.
        rate_ml_per_s: f64,
        /// Volume, mL.
        volume_ml: f64,
        /// Rise time, s.
        rise_s: f64,
        /// Delay after the run starts, s.
        delay_s: f64,
        /// Pressure limit, psi.
        pressure_limit_psi: f64,
    },
    /// Arm the injector: it fires with the next acquisition. Any edit disarms.
    SetInjectorArmed(bool),
    /// A drug of the nurse's list, by id, with its dose in the drug's unit.
    Give {
        /// Drug: `heparin`, `protamine`, `nitroglycerin`, `atropine`, `fluids`, `noradrenaline`,
        /// `fentanyl`, `midazolam`, `glucagon`.
        drug: String,
        /// Dose.
        dose: f64,
    },
    /// Fire a case event by name (instructor).
    FireEvent(String),
    /// A hint was asked for.
    AskHint,
    /// Let time pass with the devices at rest, s.
    SkipTime(f64),
    /// The operator declares the procedure finished.
    Finish,
    /// The inflator of a balloon goes to this pressure by its gauge; below 0 it draws back.
    SetInflation {
        /// Device with a balloon.
        tool: ToolId,
        /// Pressure, atm, -0.9 to 30.
        atm: f64,
    },
    /// The handle of the inflator is turned; back is negative.
    TurnInflator {
        /// Device with a balloon.
        tool: ToolId,
        /// Turns, at most 20.
        turns: f64,
    },
    /// The sheath over a stent that opens itself is withdrawn (+) or pushed on (-) at this speed; 0 stops.
    PullSheath {
        /// Device with such a stent.
        tool: ToolId,
        /// Speed, mm/s, limited to 20.
        speed_mm_per_s: f64,
    },
    /// Draw with a syringe through a catheter whose lumen is free; `None` lets go.
    Aspirate(Option<ToolId>),
}
