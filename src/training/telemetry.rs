//! Samples every tenth of a second, and their CSV.

use serde::{Deserialize, Serialize};

use crate::math::Vec3;
use crate::sim::command::{Pedal, ToolId};
use crate::sim::snapshot::{Snapshot, ToolInfo};

/// Ticks between two samples (1/10 s).
pub(super) const TICKS_PER_SAMPLE: u64 = 6;

/// One row of telemetry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Tick.
    pub tick: u64,
    /// Time, s.
    pub time_s: f64,
    /// Devices in rods.
    pub tools: Vec<ToolSample>,
    /// Pedal.
    pub pedal: Pedal,
    /// Tube voltage, kV.
    pub tube_kv: f64,
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Kerma-area product, Gy cm2.
    pub kap_gy_cm2: f64,
    /// Largest dose to the skin, mGy.
    pub peak_skin_mgy: f64,
    /// Scattered air kerma at the operator's collar, uGy.
    pub operator_collar_ugy: f64,
    /// Flow of fluid out of the injecting tip, mL/s.
    pub injection_ml_per_s: f64,
    /// Contrast given so far, mL.
    pub contrast_ml: f64,
    /// Mean flow in the first target vessel, mL/s.
    pub target_flow_ml_per_s: f64,
    /// All leaks together, mL/s.
    pub leak_ml_per_s: f64,
    /// Aortic pressure, mmHg.
    pub pressure_mmhg: f64,
    /// Mean pressure over a beat, mmHg.
    pub mean_mmhg: f64,
    /// Heart rate, 1/min.
    pub heart_rate_bpm: f64,
    /// Blood lost, mL.
    pub blood_loss_ml: f64,
    /// Tilt of the table, head up +, degrees.
    #[serde(default)]
    pub table_tilt_deg: f64,
    /// Cradle of the table, patient's left up +, degrees.
    #[serde(default)]
    pub table_cradle_deg: f64,
}

/// One device in a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolSample {
    /// Which.
    pub tool: ToolId,
    /// Arc length of the tip from the introducer, mm.
    pub inserted_mm: f64,
    /// Hub angle, degrees.
    pub hub_angle_deg: f64,
    /// Tip, patient frame, mm.
    pub tip_mm: Vec3,
    /// Axial force at the hub, N.
    pub hub_force_n: f64,
    /// Torque at the hub, N mm.
    pub hub_torque_n_mm: f64,
    /// Contact force at the tip, N.
    pub tip_force_n: f64,
    /// Torque left for the tip, N mm.
    pub tip_torque_n_mm: f64,
    /// Contact force along the wall, N: sum and largest of a node.
    pub wall_force_n: f64,
    /// See `wall_force_n`.
    pub wall_peak_n: f64,
    /// Torque lost on the way to the tip, N mm.
    pub lost_torque_n_mm: f64,
}

impl Sample {
    /// The sample of a snapshot; `target_flow_ml_per_s` comes from the observer.
    pub(super) fn of(snap: &Snapshot, target_flow_ml_per_s: f64) -> Self {
        let tools = snap.rods.iter().flat_map(|r| &r.devices).map(|d| ToolSample {
            tool: d.tool,
            inserted_mm: d.inserted_mm,
            hub_angle_deg: d.hub_angle_rad.to_degrees(),
            tip_mm: d.tip_mm,
            hub_force_n: d.hub_force_n,
            hub_torque_n_mm: d.hub_torque_n_mm,
            tip_force_n: d.tip_force_n,
            tip_torque_n_mm: d.tip_torque_n_mm,
            wall_force_n: d.wall_force_n,
            wall_peak_n: d.wall_peak_n,
            lost_torque_n_mm: d.lost_torque_n_mm,
        });
        Self {
            tick: snap.tick,
            time_s: snap.time_s,
            tools: tools.collect(),
            pedal: snap.xray.pedal,
            tube_kv: snap.xray.technique.tube_kv,
            air_kerma_mgy: snap.xray.air_kerma_mgy,
            kap_gy_cm2: snap.xray.kap_gy_cm2,
            peak_skin_mgy: snap.xray.dose.peak_skin_mgy,
            operator_collar_ugy: snap.xray.dose.staff_ugy[1],
            injection_ml_per_s: snap.injection.flow_ml_per_s,
            contrast_ml: snap.injection.contrast_given_ml,
            target_flow_ml_per_s,
            leak_ml_per_s: snap.pools.iter().map(|p| p.leak_ml_per_s).sum(),
            pressure_mmhg: snap.patient.pressure_mmhg,
            mean_mmhg: snap.patient.mean_mmhg,
            heart_rate_bpm: snap.patient.heart_rate_bpm,
            blood_loss_ml: snap.patient.blood_loss_ml,
            table_tilt_deg: snap.xray.arm.table_tilt_deg,
            table_cradle_deg: snap.xray.arm.table_cradle_deg,
        }
    }
}

const COMMON_COLUMNS: [&str; 18] = [
    "tick",
    "time_s",
    "pedal",
    "tube_kv",
    "air_kerma_mgy",
    "kap_gy_cm2",
    "peak_skin_mgy",
    "operator_collar_ugy",
    "injection_ml_per_s",
    "contrast_ml",
    "target_flow_ml_per_s",
    "leak_ml_per_s",
    "pressure_mmhg",
    "mean_mmhg",
    "heart_rate_bpm",
    "blood_loss_ml",
    "table_tilt_deg",
    "table_cradle_deg",
];
const TOOL_COLUMNS: [&str; 12] = [
    "inserted_mm",
    "hub_angle_deg",
    "tip_x_mm",
    "tip_y_mm",
    "tip_z_mm",
    "hub_force_n",
    "hub_torque_n_mm",
    "tip_force_n",
    "tip_torque_n_mm",
    "wall_force_n",
    "wall_peak_n",
    "lost_torque_n_mm",
];

/// All samples as CSV: common columns, then twelve per tray device (`id.column`), empty while it is not in a rod.
pub fn telemetry_csv(samples: &[Sample], tools: &[ToolInfo]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = COMMON_COLUMNS.iter().map(|c| (*c).to_owned()).collect();
    for tool in tools {
        header.extend(TOOL_COLUMNS.iter().map(|c| format!("{}.{c}", tool.id)));
    }
    writer.write_record(&header)?;
    for s in samples {
        writer.write_record(row(s, tools.len()))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(s: &Sample, tools: usize) -> Vec<String> {
    let pedal = match s.pedal {
        Pedal::Off => "off",
        Pedal::Fluoro => "fluoro",
        Pedal::Acquire => "acquire",
    };
    let mut out = vec![s.tick.to_string(), format!("{:.4}", s.time_s), pedal.to_owned()];
    let numbers = [
        s.tube_kv,
        s.air_kerma_mgy,
        s.kap_gy_cm2,
        s.peak_skin_mgy,
        s.operator_collar_ugy,
        s.injection_ml_per_s,
        s.contrast_ml,
        s.target_flow_ml_per_s,
        s.leak_ml_per_s,
        s.pressure_mmhg,
        s.mean_mmhg,
        s.heart_rate_bpm,
        s.blood_loss_ml,
        s.table_tilt_deg,
        s.table_cradle_deg,
    ];
    out.extend(numbers.iter().map(f64::to_string));
    for i in 0..tools {
        match s.tools.iter().find(|t| t.tool.idx() == i) {
            Some(t) => {
                let (p, f, q) = (t.tip_mm, t.hub_force_n, t.hub_torque_n_mm);
                let moved = [t.inserted_mm, t.hub_angle_deg, p.x, p.y, p.z];
                let felt = [f, q, t.tip_force_n, t.tip_torque_n_mm];
                let wall = [t.wall_force_n, t.wall_peak_n, t.lost_torque_n_mm];
                out.extend(moved.iter().chain(&felt).chain(&wall).map(f64::to_string));
            }
            None => out.extend(TOOL_COLUMNS.iter().map(|_| String::new())),
        }
    }
    out
}
