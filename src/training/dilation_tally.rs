//! What the metrics of balloons and stents are read from.

use super::detect_dilation::UP_ATM;
use super::errors::Ground;
use super::facts::Facts;
use crate::sim::dilation::StentPhase;
use crate::sim::event::EventKind;

/// Results as they stand, and what has summed up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DilationTally {
    pub residual_pct: Option<f64>,
    pub gradient_mmhg: Option<f64>,
    pub balloon_to_vessel: Option<f64>,
    pub inflation_s: f64,
    pub act_s: Option<f64>,
    pub margin_mm: Option<f64>,
    pub into_parent_mm: Option<f64>,
    pub emboli: u32,
}

impl DilationTally {
    pub(super) fn observe(&mut self, f: &Facts<'_>, g: &Ground) {
        let is_target = |p: Option<crate::anatomy::VesselPlace>| g.is_at_target(f, p);
        if f.snap.balloons.iter().any(|b| b.balloon_atm > UP_ATM) {
            self.inflation_s += f.dt_s;
            let act_s = f.snap.patient.act_s;
            self.act_s = Some(self.act_s.map_or(act_s, |least| least.min(act_s)));
        } else {
            let own = || f.snap.lesions.iter().filter(|l| is_target(l.place));
            self.residual_pct = own().map(|l| l.residual_pct).reduce(f64::max);
            self.margin_mm = own().filter_map(|l| l.margins_mm).map(|[a, b]| a.min(b)).reduce(f64::min);
            let falls = f.snap.stenoses.iter().filter(|s| is_target(s.place)).map(|s| s.mean_gradient_mmhg);
            self.gradient_mmhg = falls.reduce(f64::max);
        }
        let placed = f.snap.stents.iter().filter(|s| s.phase == StentPhase::Placed);
        self.into_parent_mm = placed.filter_map(|s| s.into_parent_mm).next_back();
        for e in f.events {
            match e.kind {
                EventKind::Inflated { balloon_to_vessel: share, .. } => {
                    self.balloon_to_vessel =
                        Some(self.balloon_to_vessel.map_or(share, |most| most.max(share)));
                }
                EventKind::BodyLodged { is_debris: true, .. } => self.emboli += 1,
                _ => {}
            }
        }
    }
}
