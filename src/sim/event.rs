//! What happened in a step, with time, place and cause: the ground of errors, telemetry and the report.

use serde::{Deserialize, Serialize};

use super::command::{Pedal, ToolId};
use super::exposure::account::IrradiationEvent;
use crate::anatomy::{VesselId, VesselPlace};
use crate::math::Vec3;
use crate::xray::dose::DoseQuantity;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Tick at which it happened.
    pub tick: u64,
    /// What.
    pub kind: EventKind,
}

/// Kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    /// A device was entered.
    Loaded(ToolId),
    /// A device was taken off.
    Unloaded(ToolId),
    /// A command could not be done; why, in words with both numbers.
    Refused {
        /// Device, if one is concerned.
        tool: Option<ToolId>,
        /// Reason.
        reason: String,
    },
    /// Beam pedal changed.
    Pedal(Pedal),
    /// An acquisition run began; its number counts from 1.
    RunStarted(u32),
    /// It ended.
    RunEnded {
        /// Number.
        run: u32,
        /// Contrast given during it, mL.
        contrast_ml: f64,
        /// Where the injecting tip was.
        at: Option<VesselPlace>,
    },
    /// A pedal was released: what it cost.
    Irradiated(Box<IrradiationEvent>),
    /// A loop of fluoroscopy was stored.
    FluoroStored {
        /// Counts stored loops from 1.
        number: u32,
        /// First pulse.
        first: u64,
        /// Last pulse.
        last: u64,
    },
    /// A reference view was stored.
    ReferenceStored(u8),
    /// A published level was reached.
    DoseAlert {
        /// Of what.
        quantity: DoseQuantity,
        /// Value, in the unit of the quantity.
        value: f64,
        /// Level.
        level: f64,
        /// It asks for follow-up of the patient.
        substantial: bool,
    },
    /// So many minutes of beam: the signal of the timer.
    BeamTimer {
        /// Minutes.
        minutes: f64,
    },
    /// An injection began.
    InjectionStarted {
        /// Device whose lumen it leaves.
        tool: ToolId,
        /// Contrast, saline or embolic id.
        fluid: String,
        /// Power injector (true) or hand.
        by_injector: bool,
    },
    /// It ended.
    InjectionEnded {
        /// Device.
        tool: ToolId,
        /// Volume given, mL.
        volume_ml: f64,
    },
    /// The pressure limit held the injector back.
    PressureLimited(ToolId),
    /// Injection while the tip fills its vessel.
    WedgedInjection(ToolId),
    /// Air went in: the lumen was not flushed after a wire left it.
    AirInjected {
        /// Device.
        tool: ToolId,
        /// mL.
        volume_ml: f64,
    },
    /// Particles lodged in a bed for the first time.
    Lodged {
        /// Bed index in the network.
        bed: u32,
        /// Agent.
        agent: String,
    },
    /// A coil parted from its pusher.
    ImplantReleased {
        /// Index of the implant.
        implant: u32,
        /// Device.
        tool: ToolId,
        /// Place of its middle.
        place: Option<VesselPlace>,
    },
    /// The blood tore one loose.
    ImplantMigrates {
        /// Index of the implant.
        implant: u32,
        /// Where it lay.
        from: VesselPlace,
    },
    /// It came to rest.
    ImplantLodged {
        /// Index of the implant.
        implant: u32,
        /// Where.
        place: VesselPlace,
    },
    /// A snare was drawn tight on one.
    ImplantCaught {
        /// Index of the implant.
        implant: u32,
        /// Snare.
        tool: ToolId,
    },
    /// A snare brought it out of the patient.
    ImplantRetrieved {
        /// Index of the implant.
        implant: u32,
    },
    /// A free body came to rest where the vessel is as small as it.
    BodyLodged {
        /// Where.
        place: VesselPlace,
        /// mm.
        diameter_mm: f64,
        /// A piece of plaque or clot that treatment set free.
        is_debris: bool,
    },
    /// Injected fluid flowed backwards past the origin of a vessel.
    Reflux {
        /// Vessel upstream of the tip that took it.
        into: VesselPlace,
        /// Embolic among it.
        embolic: bool,
    },
    /// A tip pressed the wall.
    TipPressure {
        /// Device.
        tool: ToolId,
        /// N.
        force_n: f64,
        /// N/mm2.
        pressure_n_per_mm2: f64,
        /// Where.
        at_mm: Vec3,
    },
    /// Vessel spasm.
    Spasm(VesselPlace),
    /// Dissection.
    Dissection(VesselPlace),
    /// Perforation: a leak opened.
    Perforation(VesselPlace),
    /// The nurse or the patient says something.
    Said(String),
    /// A drug was given.
    Given {
        /// Drug.
        drug: String,
        /// Dose.
        dose: f64,
    },
    /// A hint was asked for.
    HintAsked,
    /// The solver gave up on a rod and restored its last good state.
    Diverged {
        /// Rod.
        rod: u8,
        /// Why.
        reason: String,
    },
    /// The operator finished.
    Finished,
    /// An inflation has ended.
    Inflated {
        /// Device.
        tool: ToolId,
        /// Where the middle of the balloon was.
        at: Option<VesselPlace>,
        /// Highest pressure, atm.
        peak_atm: f64,
        /// How long it was up, s.
        for_s: f64,
        /// Diameter free in air at that pressure over that of the narrowest healthy vessel along it; 0 outside.
        balloon_to_vessel: f64,
        /// Stretches of vessel that its cylinder lay in: branch, from, to, mm.
        stretches: Vec<(VesselId, f64, f64)>,
    },
    /// A balloon burst.
    BalloonBurst {
        /// Device.
        tool: ToolId,
        /// At this pressure, atm.
        atm: f64,
    },
    /// A balloon tore the inner layer of the wall: a flap hangs in the lumen.
    Tear(VesselPlace),
    /// A tip broke into an occlusion.
    OcclusionEntered {
        /// Where.
        at: VesselPlace,
        /// Under the intima.
        is_subintimal: bool,
    },
    /// A tip has come through an occlusion into the lumen beyond.
    OcclusionCrossed {
        /// Where it came out.
        at: VesselPlace,
        /// From under the intima.
        is_subintimal: bool,
    },
    /// A balloon burst the vessel: a leak opened.
    Rupture(VesselPlace),
    /// A stent is off its catheter.
    StentReleased {
        /// Index of the stent.
        stent: u32,
        /// Device.
        tool: ToolId,
        /// Place of its middle.
        place: Option<VesselPlace>,
    },
    /// A stent that was still crimped came off its balloon.
    StentStripped {
        /// Index of the stent.
        stent: u32,
        /// Device.
        tool: ToolId,
    },
    /// The blood took a stent along.
    StentMigrates {
        /// Index of the stent.
        stent: u32,
        /// Where it lay.
        from: VesselPlace,
    },
    /// It came to rest.
    StentLodged {
        /// Index of the stent.
        stent: u32,
        /// Where.
        place: VesselPlace,
    },
    /// A snare was drawn tight on one that was lost.
    StentCaught {
        /// Index of the stent.
        stent: u32,
        /// The snare.
        tool: ToolId,
    },
    /// A snare brought it out of the patient.
    StentRetrieved {
        /// Index of the stent.
        stent: u32,
    },
    /// A filter kept a piece of debris.
    FilterCaught {
        /// Its wire.
        tool: ToolId,
        /// Diameter of the piece, mm.
        diameter_mm: f64,
    },
    /// A filter was closed over more than it holds.
    FilterSpilled {
        /// Its wire.
        tool: ToolId,
        /// Pieces that went on with the blood.
        pieces: u32,
    },
    /// Suction took debris.
    Aspirated {
        /// Catheter.
        tool: ToolId,
        /// Pieces that came through the bore.
        pieces: u32,
        /// One sticks to the tip.
        corked: bool,
    },
}
