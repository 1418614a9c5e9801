//! What a cross-section of a vessel answers when it is opened from inside: plaque that yields, and the wall around it.
//!
//! Plaque between the built radius `R0` and the healthy one `Rh` is a ring that yields at the limit pressure of a thick tube,
//! `pL = sY ln(Rh / s)` (Tresca; `s` the radius at which it lies unloaded), and creeps beyond it; below it is elastic with the
//! strain `e0` at the limit. The wall around is a Fung-like tube, `pW = Ep / b (exp(b e) - 1)` with the pressure-strain modulus
//! `Ep` and the strain `e = Ro / Rh - 1` of its own radius `Ro^2 = r^2 + f (Rh^2 - R0^2)`: a share `f` of the plaque stays in
//! the cross-section and keeps the wall stretched, which is why a dilated lesion recoils. Blood pressure is neglected beside
//! atmospheres of balloon.

/// Strain of plaque at its limit `[K]`: its share of the recoil.
pub const PLAQUE_STRAIN: f64 = 0.12;
/// Share of the plaque's cross-section that stays; the rest is pressed along the vessel `[K]`.
const RETAINED: f64 = 0.3;
/// Stiffening of the wall by strain (collagen) `[D]`: 30 % oversize reaches the strength of the wall.
const STIFFENING: f64 = 10.0;
/// Strain beyond which the wall law goes on along its tangent.
const KNEE: f64 = 0.6;
/// Yield stress of soft fibrous plaque, and what calcium all around adds, N/mm2 `[K]`.
const YIELD_N_PER_MM2: (f64, f64) = (0.25, 0.5);
/// The same of fresh clot, N/mm2 `[K]`.
const CLOT_YIELD_N_PER_MM2: f64 = 0.03;
/// Time constant with which plaque creeps beyond its limit, s `[K]`: a waist gives way within tens of seconds.
const CREEP_S: f64 = 2.0;

/// Tissue of a cross-section; radii mm, stresses N/mm2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tissue {
    /// Radius of the lumen as built.
    pub built_mm: f64,
    /// Radius of the healthy lumen.
    pub healthy_mm: f64,
    /// Thickness of the wall.
    pub thickness_mm: f64,
    /// Pressure-strain (Peterson) modulus of the wall.
    pub ep_n_per_mm2: f64,
    /// Yield stress of its plaque.
    pub yield_n_per_mm2: f64,
    /// Share of the circumference with calcium.
    pub calcium: f64,
}

/// Yield stress of plaque with calcium over a share of its circumference, or of clot, N/mm2.
pub fn yield_n_per_mm2(calcium: f64, is_clot: bool) -> f64 {
    if is_clot { CLOT_YIELD_N_PER_MM2 } else { YIELD_N_PER_MM2.0 + YIELD_N_PER_MM2.1 * calcium }
}

impl Tissue {
    /// Strain of the wall around the plaque when the lumen has a radius.
    pub fn wall_strain(&self, r_mm: f64) -> f64 {
        let plaque = (self.healthy_mm.powi(2) - self.built_mm.powi(2)).max(0.0);
        ((r_mm * r_mm + RETAINED * plaque).sqrt() / self.healthy_mm.max(1e-6) - 1.0).max(0.0)
    }

    /// Pressure of the wall around the plaque, N/mm2.
    pub fn wall_n_per_mm2(&self, r_mm: f64) -> f64 {
        let e = self.wall_strain(r_mm);
        let at = e.min(KNEE);
        self.ep_n_per_mm2 / STIFFENING * (STIFFENING * at).exp_m1()
            + self.ep_n_per_mm2 * (STIFFENING * at).exp() * (e - at)
    }

    /// Hoop stress of the wall, thin tube `p R / t`, N/mm2.
    pub fn wall_stress_n_per_mm2(&self, r_mm: f64) -> f64 {
        let outer_mm = self.healthy_mm * (1.0 + self.wall_strain(r_mm));
        self.wall_n_per_mm2(r_mm) * outer_mm / self.thickness_mm.max(0.05)
    }

    /// Limit pressure of the plaque that lies at a radius, N/mm2; 0 where there is none (left).
    pub fn limit_n_per_mm2(&self, set_mm: f64) -> f64 {
        self.yield_n_per_mm2 * (self.healthy_mm / set_mm.max(1e-6)).ln().max(0.0)
    }

    /// Pressure of the plaque, N/mm2; negative where it holds the lumen open.
    fn plaque_n_per_mm2(&self, r_mm: f64, set_mm: f64) -> f64 {
        self.limit_n_per_mm2(set_mm) * (r_mm / set_mm.max(1e-6) - 1.0) / PLAQUE_STRAIN
    }

    /// Pressure that holds the lumen at a radius, N/mm2; below 0 the lumen would rather be wider.
    pub fn balance_n_per_mm2(&self, r_mm: f64, set_mm: f64) -> f64 {
        self.wall_n_per_mm2(r_mm) + self.plaque_n_per_mm2(r_mm, set_mm)
    }

    /// Radius of the lumen when nothing holds it: where wall and plaque balance, mm.
    pub fn unloaded_mm(&self, set_mm: f64) -> f64 {
        if self.wall_n_per_mm2(set_mm) <= 0.0 {
            return set_mm;
        }
        let (mut low, mut high) = (self.built_mm.min(set_mm), set_mm);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if self.balance_n_per_mm2(middle, set_mm) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }

    /// Where the plaque lies after it was held at a radius for a time, mm: what is stretched beyond its elastic strain creeps,
    /// `ds/dt = s ((r / s - 1) - e0) / T`.
    pub fn crept_mm(&self, r_mm: f64, set_mm: f64, dt_s: f64) -> f64 {
        let over = r_mm / set_mm.max(1e-6) - 1.0 - PLAQUE_STRAIN;
        if over <= 0.0 || set_mm >= self.healthy_mm {
            return set_mm;
        }
        // Never farther than where it would lie elastically at that radius.
        let most = (r_mm / (1.0 + PLAQUE_STRAIN)).min(self.healthy_mm);
        (set_mm * (1.0 + over * -(-dt_s / CREEP_S).exp_m1())).min(most).max(set_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iliac(open_share: f64, calcium: f64) -> Tissue {
        Tissue {
            built_mm: 4.5 * open_share,
            healthy_mm: 4.5,
            thickness_mm: 1.1,
            ep_n_per_mm2: 0.121,
            yield_n_per_mm2: yield_n_per_mm2(calcium, false),
            calcium,
        }
    }

    #[test]
    fn the_built_lumen_is_at_rest_and_pressure_rises_with_radius() {
        for share in [0.2, 0.5, 0.9, 1.0] {
            let t = iliac(share, 0.5);
            assert!((t.unloaded_mm(t.built_mm) - t.built_mm).abs() < 1e-9);
            let at = |i: i32| t.balance_n_per_mm2(t.built_mm + 0.1 * f64::from(i), t.built_mm);
            assert!((1..60).all(|i| at(i) >= at(i - 1)), "{share}");
        }
    }

    #[test]
    fn plaque_held_open_creeps_to_its_elastic_strain_and_no_farther() {
        let t = iliac(0.3, 0.0);
        let mut set = t.built_mm;
        for _ in 0..3600 {
            set = t.crept_mm(4.0, set, 1.0 / 60.0);
        }
        assert!((set - 4.0 / (1.0 + PLAQUE_STRAIN)).abs() < 0.01, "{set}");
        assert!(t.unloaded_mm(set) <= set);
    }
}
