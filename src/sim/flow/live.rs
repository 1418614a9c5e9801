//! The lumen of the moment: the healthy one, narrowed and widened by all that acts on it at once.

use serde::{Deserialize, Serialize};

use super::network::{NONE, Network};
use crate::anatomy::{VesselId, VesselPlace};

/// Narrowest radius taken, as a share of the healthy one: keeps resistances finite.
const LEAST_FACTOR: f64 = 0.01;
/// Smallest share of the healthy volume that a cell keeps: keeps transport steps finite.
const LEAST_AREA: f64 = 0.02;
/// Length of vessel that goes into spasm about an irritated place, mm `[K]`.
const SPASM_MM: f64 = 16.0;
/// Radius factor of a full spasm `[K]`.
const SPASM_FACTOR: f64 = 0.45;
/// Time constant with which a spasm comes, s `[K]`.
const SPASM_ONSET_S: f64 = 4.0;
/// Half-life of a spasm that is left alone, s `[K]`.
const SPASM_HALF_LIFE_S: f64 = 600.0;
/// Active nitroglycerin that doubles the rate at which a spasm loosens, ug `[K]`: 150 ug loosen it within a minute
/// (`clinical.md` A7: 100 to 200 ug into the artery).
const SPASM_NITROGLYCERIN_UG: f64 = 4.0;
/// A spasm looser than this is gone.
const SPASM_GONE: f64 = 0.02;
/// Length and radius factor of the flap of a dissection by a wire or catheter tip `[K]`.
const FLAP: (f64, f64) = (12.0, 0.7);

/// Why a stretch of lumen differs from the healthy one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum LumenCause {
    /// Spasm: how far it has come and where it goes, 0 to 1.
    Spasm {
        /// Tightness now.
        now: f64,
        /// Tightness that it comes to.
        target: f64,
    },
    /// A flap.
    Dissection,
    /// Widened by a balloon or stent beyond its healthy size, or narrowed by recoil.
    Dilation,
    /// Filled with coils.
    Packing,
    /// Its mouth is closed by the membrane of a stent.
    Covered,
}

/// A stretch of vessel with another radius than the healthy one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LumenChange {
    /// Why.
    pub cause: LumenCause,
    /// Vessel.
    pub vessel: VesselId,
    /// From this arc length, mm.
    pub from_mm: f64,
    /// To this arc length, mm.
    pub to_mm: f64,
    /// Radius over the healthy one; several changes of one place multiply.
    pub radius_factor: f64,
}

impl LumenChange {
    /// A spasm that begins about a place.
    pub fn spasm(place: VesselPlace) -> Self {
        Self {
            cause: LumenCause::Spasm { now: 0.0, target: 1.0 },
            vessel: place.vessel,
            from_mm: (place.arc_mm - 0.5 * SPASM_MM).max(0.0),
            to_mm: place.arc_mm + 0.5 * SPASM_MM,
            radius_factor: 1.0,
        }
    }

    /// The flap of a dissection at a place.
    pub fn dissection(place: VesselPlace) -> Self {
        Self {
            cause: LumenCause::Dissection,
            vessel: place.vessel,
            from_mm: (place.arc_mm - 0.5 * FLAP.0).max(0.0),
            to_mm: place.arc_mm + 0.5 * FLAP.0,
            radius_factor: FLAP.1,
        }
    }
}

/// Spasms come and loosen: `d target/dt = -target ln 2 / T (1 + nitroglycerin / 4 ug)`, `now` follows the target within
/// seconds. An irritated place that is still in spasm tightens anew instead of doubling it.
pub(super) fn relax(changes: &mut Vec<LumenChange>, nitroglycerin_ug: f64, dt_s: f64) {
    let loosening = std::f64::consts::LN_2 / SPASM_HALF_LIFE_S
        * (1.0 + nitroglycerin_ug.max(0.0) / SPASM_NITROGLYCERIN_UG);
    let follow = -(-dt_s / SPASM_ONSET_S).exp_m1();
    for change in changes.iter_mut() {
        if let LumenCause::Spasm { now, target } = &mut change.cause {
            *target *= (-loosening * dt_s).exp();
            *now += follow * (*target - *now);
            change.radius_factor = 1.0 - (1.0 - SPASM_FACTOR) * *now;
        }
    }
    changes.retain(|c| !matches!(c.cause, LumenCause::Spasm { now, target } if now.max(target) < SPASM_GONE));
}

/// What is cached with it: the lumen is a pure function of these.
#[derive(Clone, Debug, Default, PartialEq)]
struct Key {
    changes: Vec<LumenChange>,
    packing: Vec<LumenChange>,
    stenosis_open: Vec<f64>,
}

/// Geometry of the moment; derived, never stored.
#[derive(Clone, Debug, Default)]
pub struct LiveLumen {
    /// Mean lumen radius of the halves of each cell, mm.
    pub half_radius_mm: Vec<[f64; 2]>,
    /// Their resistance, mmHg s/mL.
    pub half_resistance: Vec<[f64; 2]>,
    /// Their inertance, mmHg s2/mL.
    pub half_inertance: Vec<[f64; 2]>,
    /// Cross-section of each cell over the healthy one.
    pub area_factor: Vec<f64>,
    /// Turbulent loss per face, mmHg s2/mL2.
    pub face_quadratic: Vec<f64>,
    /// Any turbulent loss.
    pub is_turbulent: bool,
    /// Per face: resistance without devices, mmHg s/mL.
    pub(super) face_resistance: Vec<f64>,
    /// Per face: inertance, mmHg s2/mL.
    pub(super) face_inertance: Vec<f64>,
    key: Option<Key>,
}

impl LiveLumen {
    /// The lumen with these changes and stenoses (share of the open diameter at each throat).
    pub fn new(net: &Network, changes: &[LumenChange], stenosis_open: &[f64]) -> Self {
        let mut live = Self::default();
        live.update(net, changes, &[], stenosis_open);
        live
    }

    /// Made anew where something has changed; true if it has.
    pub(super) fn update(
        &mut self,
        net: &Network,
        changes: &[LumenChange],
        packing: &[LumenChange],
        stenosis_open: &[f64],
    ) -> bool {
        let is_same = self.key.as_ref().is_some_and(|k| {
            k.changes == changes && k.packing == packing && k.stenosis_open == stenosis_open
        });
        if is_same {
            return false;
        }
        self.key = Some(Key {
            changes: changes.to_vec(),
            packing: packing.to_vec(),
            stenosis_open: stenosis_open.to_vec(),
        });
        self.half_radius_mm.clone_from(&net.half_radius_mm);
        self.half_resistance.clone_from(&net.half_resistance);
        self.half_inertance.clone_from(&net.half_inertance);
        self.area_factor.clear();
        self.area_factor.resize(net.cells(), 1.0);
        self.face_quadratic.clear();
        self.face_quadratic.resize(net.face_cells.len(), 0.0);
        for change in changes.iter().chain(packing) {
            self.scale(net, change);
        }
        for (stenosis, open) in net.stenoses.iter().zip(stenosis_open) {
            stenosis.narrow(net, self, *open);
        }
        for a in &mut self.area_factor {
            *a = a.max(LEAST_AREA);
        }
        self.is_turbulent = self.face_quadratic.iter().any(|k| *k > 0.0);
        self.face_resistance.clear();
        self.face_inertance.clear();
        for [before, behind] in &net.face_halves {
            let half = |c: &u32, h: usize, of: &[[f64; 2]]| if *c == NONE { 0.0 } else { of[*c as usize][h] };
            self.face_resistance
                .push(half(before, 1, &self.half_resistance) + half(behind, 0, &self.half_resistance));
            self.face_inertance
                .push(half(before, 1, &self.half_inertance) + half(behind, 0, &self.half_inertance));
        }
        true
    }

    /// Poiseuille `R ~ r^-4`, inertance `~ r^-2`, volume `~ r^2` over the covered share of each half.
    fn scale(&mut self, net: &Network, change: &LumenChange) {
        let f = change.radius_factor.max(LEAST_FACTOR);
        if !f.is_finite() {
            return;
        }
        for (cell, shares) in net.covered(change.vessel, change.from_mm, change.to_mm) {
            let mut area = 0.0;
            for (h, share) in shares.into_iter().enumerate() {
                self.half_resistance[cell][h] *= 1.0 - share + share * f.powi(-4);
                self.half_inertance[cell][h] *= 1.0 - share + share * f.powi(-2);
                self.half_radius_mm[cell][h] *= 1.0 - share + share * f;
                area += 0.5 * (1.0 - share + share * f * f);
            }
            self.area_factor[cell] *= area;
        }
    }
}
