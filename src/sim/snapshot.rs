//! What the outside may read after a step: plain copies, no references into the state.

use serde::{Deserialize, Serialize};

use super::command::{AcquisitionKind, Hold, Pedal, ToolId};
use super::contact::{WallShift, Widening};
use super::dilation::{BalloonView, LesionView, StentView};
use super::exposure::account::SharedSkin;
use super::exposure::suite::Suite;
use super::protection::FilterView;
use crate::anatomy::{VesselId, VesselPlace};
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::scenario::Arms;
use crate::xray::dose::ALERTS;
use crate::xray::staff::{STAFF_PLACES, Shields};
use crate::xray::{CArm, FluoroLevel};

/// All views of one tick.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Tick.
    pub tick: u64,
    /// Time, s.
    pub time_s: f64,
    /// Rods with their devices.
    pub rods: Vec<RodView>,
    /// Displacement of the vessels by the devices.
    pub wall_shift: WallShift,
    /// Coils in the patient.
    pub implants: Vec<ImplantView>,
    /// Free bodies.
    pub bodies: Vec<BodyView>,
    /// Contrast in the vessels, one entry per branch of the tree.
    pub vessels: Vec<VesselView>,
    /// Capillary beds, in network order.
    pub beds: Vec<BedView>,
    /// Leaks and their pools outside the vessels.
    pub pools: Vec<PoolView>,
    /// Injection.
    pub injection: InjectionView,
    /// Pressure lines: one per lumen whose tip lies in a vessel.
    pub pressure_lines: Vec<PressureLineView>,
    /// Stenoses of the case.
    pub stenoses: Vec<StenosisView>,
    /// Patient.
    pub patient: PatientView,
    /// X-ray.
    pub xray: XrayView,
    /// Devices of the tray.
    pub tools: Vec<ToolInfo>,
    /// How far the walls of opened vessels stand outside the built ones.
    pub widening: Widening,
    /// Balloons that have been used.
    pub balloons: Vec<BalloonView>,
    /// Stents in the patient.
    pub stents: Vec<StentView>,
    /// Embolic filters that are in.
    pub filters: Vec<FilterView>,
    /// The catheter that a syringe draws through.
    pub aspirating: Option<ToolId>,
    /// Narrowings of the anatomy, and what has come of them.
    pub lesions: Vec<LesionView>,
    /// Flaps of torn walls: branch, from, to, mm.
    #[serde(default)]
    pub flaps: Vec<(VesselId, f64, f64)>,
}

impl Snapshot {
    /// The pressure line of the lumen that syringe and injector are on.
    pub fn connected_line(&self) -> Option<&PressureLineView> {
        self.pressure_lines.iter().find(|l| Some(l.tool) == self.injection.connected)
    }
}

/// A rod: one polyline from the introducer to the most distal tip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RodView {
    /// Nodes, patient frame, mm; node 0 is the sheath tip.
    pub nodes_mm: Vec<Vec3>,
    /// Arc length of each node from the introducer, mm.
    pub arc_mm: Vec<f64>,
    /// Wall contact force on each node, N.
    pub contact_n: Vec<f64>,
    /// Devices, outermost first.
    pub devices: Vec<RodDeviceView>,
}

/// One device of a rod. It covers the polyline from arc 0 to `inserted_mm`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RodDeviceView {
    /// Which.
    pub tool: ToolId,
    /// Tip's arc length from the introducer, mm; negative while still outside.
    pub inserted_mm: f64,
    /// Length from its first tip on that it has left behind, mm.
    #[serde(default)]
    pub shed_mm: f64,
    /// Hub angle, rad.
    pub hub_angle_rad: f64,
    /// Tip roll angle about the tangent, rad, same zero as the hub.
    pub tip_angle_rad: f64,
    /// Tip position, mm (of the introducer while outside).
    pub tip_mm: Vec3,
    /// Unit tangent at the tip.
    pub tip_direction: Vec3,
    /// Where the tip is on the tree, if inside.
    pub tip_place: Option<VesselPlace>,
    /// Axial force at the hub, N; positive resists advance.
    pub hub_force_n: f64,
    /// Torque at the hub, N mm.
    pub hub_torque_n_mm: f64,
    /// Wall contact force at the tip, N.
    pub tip_force_n: f64,
    /// It presses with its side: a coil curls as it comes out, and the loop of a pigtail that is free of its wire lies along the wall.
    #[serde(default)]
    pub is_blunt: bool,
    /// Torque that is left for the tip, the last 2 mm, N mm; of the sign of the hub's.
    pub tip_torque_n_mm: f64,
    /// Wall contact force along all of the device that lies bare, N: the sum over its nodes, and the largest of a node.
    pub wall_force_n: f64,
    /// See `wall_force_n`.
    pub wall_peak_n: f64,
    /// Torque that is lost from the hub to the tip, N mm: to the wall, to devices around, and while a bent device turns also
    /// inside it (damping of its bending).
    pub lost_torque_n_mm: f64,
    /// Length outside the hub of the tool around it (or the sheath), mm.
    pub external_mm: f64,
    /// Hold.
    pub hold: Hold,
}

/// A coil in the patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImplantView {
    /// The device that it came from.
    pub tool: ToolId,
    /// Centerline from its proximal to its distal end, mm.
    pub points_mm: Vec<Vec3>,
    /// Outer diameter of its stock, mm.
    pub width_mm: f64,
    /// Length in each vessel, mm.
    pub length_mm: Vec<(VesselId, f64)>,
    /// Share of the blood between its loops that has clotted, 0 to 1.
    pub clot: f64,
    /// Share of the lumen that is solid where it lies, with what lies between its loops, 0 to 1.
    pub packing: f64,
    /// It is carried away by the blood.
    pub drifts: bool,
    /// It stands open on its cable, and may still be drawn back.
    pub is_joined: bool,
}

/// A free body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BodyView {
    /// Center, mm.
    pub position_mm: Vec3,
    /// Radius of the equivalent ball, mm.
    pub radius_mm: f64,
    /// Iodine it carries, mg.
    pub iodine_mg: f64,
    /// Has come to rest in a vessel.
    pub lodged: bool,
}

/// Blood and contrast of one branch, in cells of equal length from `start_mm` to the end of the branch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VesselView {
    /// Arc length at which the branch's own lumen begins (inside the parent before), mm.
    pub start_mm: f64,
    /// Cell length, mm.
    pub cell_mm: f64,
    /// Iodine concentration per cell, mg/mL.
    pub iodine_mg_per_ml: Vec<f32>,
    /// Flow per cell, mL/s, + away from the heart.
    pub flow_ml_per_s: Vec<f32>,
    /// Pressure in the middle of the branch, mmHg.
    pub pressure_mmhg: f64,
}

/// A capillary bed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BedView {
    /// Name.
    pub name: String,
    /// Vessels that feed it, as indices into the tree.
    pub vessels: Vec<u32>,
    /// Center of the blush, mm.
    pub center_mm: Vec3,
    /// Radius, mm.
    pub radius_mm: f64,
    /// Iodine in the bed, mg.
    pub iodine_mg: f64,
    /// Flow, mL/s.
    pub flow_ml_per_s: f64,
    /// Resting flow before anything was done, mL/s.
    pub resting_flow_ml_per_s: f64,
    /// Share of the bed's conductance that is blocked, 0 to 1.
    pub occluded_share: f64,
    /// Share of its tissue that has lost its blood, 0 to 1: it dies if that stays so.
    pub ischemic_share: f64,
    /// Particles lodged by agent: id, count.
    pub lodged: Vec<(String, f64)>,
}

/// A leak and its pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolView {
    /// Id of the lesion (`perforation.N` for the operator's own).
    pub id: String,
    /// Place of the leak.
    pub place: Option<VesselPlace>,
    /// Center of the pool, mm.
    pub center_mm: Vec3,
    /// Radius, mm.
    pub radius_mm: f64,
    /// Iodine in it, mg.
    pub iodine_mg: f64,
    /// Present leak, mL/s.
    pub leak_ml_per_s: f64,
    /// Blood lost here, mL.
    pub lost_ml: f64,
    /// How long it may stand by itself before it bleeds again, s.
    pub pause_s: f64,
}

/// Injector and syringe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InjectionView {
    /// Lumen in use.
    pub connected: Option<ToolId>,
    /// Armed.
    pub armed: bool,
    /// Programmed rate, mL/s.
    pub rate_ml_per_s: f64,
    /// Programmed volume, mL.
    pub volume_ml: f64,
    /// Flow out of the tip now, mL/s.
    pub flow_ml_per_s: f64,
    /// Driving pressure now, psi.
    pub pressure_psi: f64,
    /// What the syringe holds.
    pub syringe: String,
    /// Left in the syringe, mL.
    pub syringe_ml: f64,
    /// Contrast given so far (pure contrast), mL.
    pub contrast_given_ml: f64,
    /// Embolic suspension given so far, mL.
    pub embolic_given_ml: f64,
    /// Flow of blood past the tip, mL/s (of the vessel the tip is in).
    pub vessel_flow_ml_per_s: f64,
    /// Heart beats that a contrast column at the tip needs to clear, by the present flow.
    pub beats_to_clear: f64,
}

/// What the transducer of a lumen shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureLineView {
    /// Device.
    pub tool: ToolId,
    /// Now, mmHg.
    pub pressure_mmhg: f64,
    /// Highest of the last beat, mmHg.
    pub systolic_mmhg: f64,
    /// Lowest of the last beat, mmHg.
    pub diastolic_mmhg: f64,
    /// Mean over beats, mmHg.
    pub mean_mmhg: f64,
    /// The wave is flattened: fine bore, wedged, or clotted.
    pub damped: bool,
}

/// A stenosis and what it does to the pressure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StenosisView {
    /// Just before it.
    pub place: Option<VesselPlace>,
    /// Share of the open diameter at its throat.
    pub open_share: f64,
    /// Mean gradient across it, mmHg.
    pub mean_gradient_mmhg: f64,
    /// Gradient now, mmHg.
    pub gradient_mmhg: f64,
}

/// What the patient answers to (AVPU), from awake to not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Consciousness {
    /// Awake.
    #[default]
    Alert,
    /// The voice.
    Voice,
    /// Pain.
    Pain,
    /// Nothing.
    Unresponsive,
}

/// Patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatientView {
    /// 1/min.
    pub heart_rate_bpm: f64,
    /// Phase of the heart cycle, 0 to 1.
    pub heart_phase: f64,
    /// ECG now, mV.
    pub ecg_mv: f64,
    /// Aortic pressure now, mmHg.
    pub pressure_mmhg: f64,
    /// Last beat, mmHg.
    pub systolic_mmhg: f64,
    /// Last beat, mmHg.
    pub diastolic_mmhg: f64,
    /// Mean over a beat, mmHg.
    pub mean_mmhg: f64,
    /// Central venous pressure now, mmHg.
    pub venous_mmhg: f64,
    /// Pulse wave of the saturation probe now, 0 to 1.
    pub pleth: f64,
    /// Depth of breath now, -1 (out) to 1 (in).
    pub breath: f64,
    /// The breath is held.
    pub breath_held: bool,
    /// Depth of sedation: 0 awake, 1 moderate, 2 deep.
    pub sedation: f64,
    /// Bowel motion over that at rest, 0 to 1: glucagon stills it.
    pub bowel_motion: f64,
    /// Pain as it is felt, 0 to 10.
    pub pain: f64,
    /// What the patient answers to.
    pub consciousness: Consciousness,
    /// Core temperature, C.
    pub temperature_c: f64,
    /// Severity of an allergic reaction, 0 to 1.
    pub allergic_reaction: f64,
    /// Contrast given over what the kidneys bear; above 1 they are at risk.
    pub kidney_load: f64,
    /// Saturation, percent.
    pub spo2_pct: f64,
    /// 1/min.
    pub respiration_bpm: f64,
    /// Activated clotting time, s.
    pub act_s: f64,
    /// Blood lost, mL.
    pub blood_loss_ml: f64,
}

/// X-ray room.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct XrayView {
    /// Pose.
    pub arm: CArm,
    /// Pedal.
    pub pedal: Pedal,
    /// Kind of acquisition.
    pub acquisition: AcquisitionKind,
    /// Roadmap wanted.
    pub roadmap: bool,
    /// Pulses per second of fluoroscopy.
    pub pulse_rate_per_s: f64,
    /// Frames per second of acquisition.
    pub frame_rate_per_s: f64,
    /// The pulse that fell into this tick, if any.
    pub pulse: Option<Pulse>,
    /// Technique of the last pulse.
    pub technique: Technique,
    /// Fluoroscopy time, s.
    pub fluoro_time_s: f64,
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Its rate at the present technique while beam is on, mGy/min.
    pub air_kerma_rate_mgy_per_min: f64,
    /// Kerma-area product, Gy cm2.
    pub kap_gy_cm2: f64,
    /// Runs so far.
    pub runs: u32,
    /// Frames of acquisition so far.
    pub frames: u32,
    /// Dose level of fluoroscopy.
    pub level: FluoroLevel,
    /// Acquisition program, if one is chosen.
    pub program: Option<u8>,
    /// Tools of the suite.
    pub suite: Suite,
    /// Dose to skin and staff.
    pub dose: DoseView,
    /// Where the patient's arms are; a picture of an anatomy alone shows none.
    pub arms: Option<Arms>,
}

/// Dose beyond the room's totals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DoseView {
    /// Largest dose to the skin, mGy.
    pub peak_skin_mgy: f64,
    /// Dose to every bin of the skin.
    pub skin: SharedSkin,
    /// Scattered air kerma at the places of the staff, uGy.
    pub staff_ugy: [f64; STAFF_PLACES.len()],
    /// Screens.
    pub shields: Shields,
    /// Air kerma of fluoroscopy alone, mGy.
    pub fluoro_kerma_mgy: f64,
    /// Kerma-area product of fluoroscopy alone, Gy cm2.
    pub fluoro_kap_gy_cm2: f64,
    /// Time with the beam on, s.
    pub beam_s: f64,
    /// Irradiation events that have ended.
    pub events: u32,
    /// Notifications given, per quantity of [`ALERTS`].
    pub notified: [u32; ALERTS.len()],
}

/// One pulse of the beam: this is what makes an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// Counts all pulses from 0.
    pub number: u64,
    /// Run number if it belongs to an acquisition.
    pub run: Option<u32>,
    /// Frame within the run, from 0.
    pub frame_in_run: u32,
}

/// How a pulse is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Technique {
    /// Tube voltage, kV.
    pub tube_kv: f64,
    /// Tube current, mA.
    pub tube_ma: f64,
    /// Pulse width, ms.
    pub pulse_ms: f64,
    /// Copper filter, mm.
    pub copper_mm: f64,
    /// Air kerma of one pulse at the reference point, mGy.
    pub kerma_per_pulse_mgy: f64,
    /// Water-equivalent thickness that the control saw, mm.
    pub water_equivalent_mm: f64,
    /// Air between the patient and the detector, mm.
    pub air_gap_mm: f64,
    /// Dose at the detector over what the program wants: below 1 at the limit of tube or law.
    pub dose_share: f64,
}

impl Technique {
    /// What the exposure control set for a patient.
    pub fn of(set: &crate::xray::ExposureControl, water_equivalent_mm: f64, air_gap_mm: f64) -> Self {
        Self {
            tube_kv: set.tube_kv,
            tube_ma: set.tube_ma,
            pulse_ms: set.pulse_ms,
            copper_mm: set.copper_mm,
            kerma_per_pulse_mgy: set.kerma_per_pulse_mgy,
            water_equivalent_mm,
            air_gap_mm,
            dose_share: set.dose_share,
        }
    }
}

/// A device of the tray.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolInfo {
    /// Catalogue id.
    pub id: String,
    /// Label.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
    /// In a rod now.
    pub loaded: bool,
    /// Length of the coil or plug that it carries, mm; 0 without one.
    pub implant_mm: f64,
    /// Diameter of that at rest, mm; 0 without one.
    pub implant_diameter_mm: f64,
    /// That is joined to it until it is detached.
    pub is_detachable: bool,
    /// Rated burst pressure of its balloon, atm; 0 without one.
    #[serde(default)]
    pub rated_atm: f64,
}
