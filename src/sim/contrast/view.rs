//! Views of vessels, beds and pools for snapshots.

use super::state::{ContrastState, Pool};
use crate::sim::flow::{FlowState, Network};
use crate::sim::snapshot::{BedView, PoolView, VesselView};
use crate::sim::therapy::{TherapyModel, TherapyState};
use crate::units::MM3_PER_ML;

/// Iodine that weakens X-rays as much as carbon dioxide in the place of blood spares them, mg per mL of gas: attenuation
/// of blood over that of iodine at 60 keV (0.217 /cm over 7.58 cm2/g, `clinical.md` A5).
const GAS_AS_IODINE_MG_PER_ML: f64 = -28.6;

/// One view per branch of the tree. Iodine is stated per volume of the lumen that the picture knows, whose cross-section over the
/// healthy one is `picture_area` by cell: what it does not know (a spasm, a flap) shows as less iodine.
pub fn vessel_views(
    net: &Network,
    flow: &FlowState,
    contrast: &ContrastState,
    picture_area: &[f64],
) -> Vec<VesselView> {
    let view = |b: &crate::sim::flow::BranchCells| {
        let cells = b.cell0 as usize..(b.cell0 + b.cells) as usize;
        let iodine = |c: usize| {
            let amount = contrast.amount[0][c] + GAS_AS_IODINE_MG_PER_ML * contrast.gas_ml(c);
            (amount * flow.area_factor[c] / (flow.volume_ml(net, c) * picture_area[c].max(1e-4))) as f32
        };
        let through = |c: usize| {
            let (left, right) = net.faces_of(c);
            (0.5 * (flow.face_flow_ml_per_s[left] + flow.face_flow_ml_per_s[right])) as f32
        };
        VesselView {
            start_mm: b.start_mm,
            cell_mm: b.cell_mm,
            iodine_mg_per_ml: cells.clone().map(iodine).collect(),
            flow_ml_per_s: cells.map(through).collect(),
            pressure_mmhg: flow.pressure_mmhg[(b.cell0 + b.cells / 2) as usize],
        }
    };
    net.branches[..net.tree_branches].iter().map(view).collect()
}

/// One view per bed of the network.
pub fn bed_views(
    net: &Network,
    flow: &FlowState,
    contrast: &ContrastState,
    model: &TherapyModel,
    therapy: &TherapyState,
) -> Vec<BedView> {
    // A shunt's pedicle is no branch of the tree: the artery that it leaves feeds it.
    let feeder = |o: usize| {
        let branch = net.outlets[o].branch;
        let b = &net.branches[branch.idx()];
        b.origin.filter(|_| branch.idx() >= net.tree_branches).map_or(branch.0, |from| from.vessel.0)
    };
    let view = |bed: &crate::sim::flow::BedModel| {
        let outlets = || bed.outlets.iter().map(|&o| o as usize);
        let resting: f64 = outlets().map(|o| net.outlets[o].resting_flow_ml_per_s).sum();
        let open: f64 = outlets()
            .map(|o| net.outlets[o].resting_flow_ml_per_s / therapy.resistance_factor(model, o))
            .sum();
        BedView {
            name: bed.name.clone(),
            vessels: outlets().map(feeder).collect(),
            center_mm: bed.center_mm,
            radius_mm: bed.radius_mm,
            iodine_mg: outlets().map(|o| contrast.bed_iodine_mg[o].iter().sum::<f64>()).sum(),
            flow_ml_per_s: outlets().map(|o| flow.capillary_flow_ml_per_s[o]).sum(),
            resting_flow_ml_per_s: resting,
            occluded_share: if resting > 0.0 { (1.0 - open / resting).clamp(0.0, 1.0) } else { 0.0 },
            ischemic_share: outlets()
                .map(|o| net.outlets[o].resting_flow_ml_per_s * therapy.ischemic_share(net, model, flow, o))
                .sum::<f64>()
                / resting.max(1e-12),
            lodged: therapy.lodged_in(model, &bed.outlets),
        }
    };
    net.beds.iter().map(view).collect()
}

/// One view per leak.
pub fn pool_views(flow: &FlowState, contrast: &ContrastState) -> Vec<PoolView> {
    let view = |(leak, i): (&crate::sim::flow::Leak, usize)| {
        let pool = contrast.pools.get(i).copied().unwrap_or_default();
        let radius_mm = radius_mm(&pool);
        PoolView {
            id: leak.id.clone(),
            place: Some(leak.place),
            center_mm: leak.position_mm + leak.outward * radius_mm,
            radius_mm,
            iodine_mg: pool.iodine_mg,
            leak_ml_per_s: flow.leak_flow_ml_per_s.get(i).copied().unwrap_or(0.0),
            lost_ml: pool.lost_ml,
            pause_s: leak.pause_s(),
        }
    };
    flow.leaks.iter().zip(0..).map(view).collect()
}

/// Radius of a ball of the pool's volume, mm.
fn radius_mm(pool: &Pool) -> f64 {
    (0.75 * pool.volume_ml.max(0.1) * MM3_PER_ML / std::f64::consts::PI).cbrt()
}
