//! A capillary bed as generations of vessels.

/// Murray's exponent of organ branches and arterioles, `N D^m` constant (`clinical.md` A4: 2.7 to 3.0).
const MURRAY_EXPONENT: f64 = 2.7;
/// Smallest generation, mm: behind it come capillaries, which no particle of the tray passes or reaches.
const LEAST_MM: f64 = 0.02;
/// A particle lodges where the vessel is between 1.0 and this many times its size (`clinical.md` D).
const LODGE_UPPER: f64 = 1.3;
/// Particles that fill one vessel of their size: they are irregular, stack into a column and let blood by until it is
/// packed `[K]`.
const PARTICLES_PER_VESSEL: f64 = 4.0;
/// Spread (log) of the diameters within a generation `[K]`.
const DIAMETER_SPREAD: f64 = 0.15;
/// Where the resistance of a bed sits: share outside arterioles, their diameter (mm) and spread (log) `[K]`.
const RESISTANCE: (f64, f64, f64) = (0.35, 0.05, 0.8);
/// Open share of a packed generation: what seeps through.
const SEEP: f64 = 2e-4;

/// One generation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Generation {
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// Number of vessels.
    pub count: f64,
    /// Share of the bed's resistance.
    pub resistance_share: f64,
}

/// A bed: generations from the end of its terminal branch to the arterioles, each a set of parallel vessels.
#[derive(Clone, Debug, PartialEq)]
pub struct BedTree {
    /// Proximal first.
    pub generations: Vec<Generation>,
}

impl BedTree {
    /// Dichotomous generations by Murray (1926): `D(g+1) = D(g) 2^(-1/m)`, `N(g) = 2^g`.
    pub fn murray(diameter_mm: f64) -> Self {
        let mut generations = Vec::new();
        let ratio = 0.5_f64.powf(1.0 / MURRAY_EXPONENT);
        let (mut d, mut count) = (diameter_mm.max(LEAST_MM), 1.0);
        while d >= LEAST_MM && generations.len() < 64 {
            generations.push(Generation { diameter_mm: d, count, resistance_share: 0.0 });
            d *= ratio;
            count *= 2.0;
        }
        let (rest, at, spread) = RESISTANCE;
        let bump = |g: &Generation| (-0.5 * ((g.diameter_mm / at).ln() / spread).powi(2)).exp();
        let total: f64 = generations.iter().map(bump).sum();
        let even = rest / generations.len() as f64;
        for g in &mut generations {
            g.resistance_share = even + (1.0 - rest) * bump(g) / total;
        }
        Self { generations }
    }

    /// Channels of one width that lead from a pedicle to the veins, as many as the pedicle feeds by Murray's law: a
    /// nidus or fistula. What is smaller than they are goes through.
    pub fn channels(pedicle_mm: f64, channel_mm: f64) -> Self {
        let count = (pedicle_mm / channel_mm.max(1e-3)).powf(MURRAY_EXPONENT).max(1.0);
        Self { generations: vec![Generation { diameter_mm: channel_mm, count, resistance_share: 1.0 }] }
    }

    /// First generation that is finer than an anastomosis of this diameter; all of them before it if there is none.
    pub fn node_generation(&self, anastomosis_mm: f64) -> usize {
        if anastomosis_mm <= 0.0 {
            return self.generations.len();
        }
        self.generations.partition_point(|g| g.diameter_mm >= anastomosis_mm).max(1)
    }

    /// Share of particles of sizes from `min_mm` to `max_mm` (uniform) that lodge in each generation; the sum is below
    /// 1 only where the last generation is wider than they are.
    pub fn lodging(&self, min_mm: f64, max_mm: f64) -> Vec<f64> {
        const SIZES: u32 = 12;
        let mut shares = vec![0.0; self.generations.len()];
        for i in 0..SIZES {
            let size = min_mm + (max_mm - min_mm) * (f64::from(i) + 0.5) / f64::from(SIZES);
            let mut moving = 1.0 / f64::from(SIZES);
            for (share, g) in shares.iter_mut().zip(&self.generations) {
                let stuck = moving * spread_lodging_share(size, g.diameter_mm);
                *share += stuck;
                moving -= stuck;
            }
        }
        shares
    }

    /// Share of the last vessels that blood still reaches: each packed vessel cuts off what it feeds, evenly over those before.
    pub fn reached_share(&self, lodged: &[f64]) -> f64 {
        self.generations.iter().zip(lodged).map(|(g, n)| open_share(*n, g.count)).product()
    }

    /// Present resistance of some generations per resistance of these at rest, for the particles lodged in each.
    ///
    /// A packed vessel cuts off all that it feeds, so what lies behind a generation is reached through its open share:
    /// `R = R0 + (R1 + (R2 + ...) / o2) / o1`.
    pub fn resistance_factor(&self, lodged: &[f64], range: std::ops::Range<usize>) -> f64 {
        let (mut behind, mut resting) = (0.0, 0.0);
        for (g, count) in self.generations[range.clone()].iter().zip(&lodged[range]).rev() {
            let open = (1.0 - count / (g.count * PARTICLES_PER_VESSEL)).max(SEEP);
            behind = (g.resistance_share + behind) / open;
            resting += g.resistance_share;
        }
        if resting > 0.0 { (behind / resting).clamp(1.0, 1e6) } else { 1.0 }
    }
}

/// Open share of parallel vessels in which particles lodge.
pub(super) fn open_share(lodged: f64, vessels: f64) -> f64 {
    (1.0 - lodged / (vessels * PARTICLES_PER_VESSEL)).max(0.0)
}

/// Share of particles of sizes from `min_mm` to `max_mm` (uniform) that lodge in vessels of one diameter.
pub(super) fn lodging_share_of_class(min_mm: f64, max_mm: f64, diameter_mm: f64) -> f64 {
    const SIZES: u32 = 12;
    let size = |i: u32| min_mm + (max_mm - min_mm) * (f64::from(i) + 0.5) / f64::from(SIZES);
    (0..SIZES).map(|i| spread_lodging_share(size(i), diameter_mm)).sum::<f64>() / f64::from(SIZES)
}

/// Chance that a particle lodges in a vessel: its lodging diameter is uniform between 1.0 and 1.3 times its size.
pub fn lodging_share(size_mm: f64, diameter_mm: f64) -> f64 {
    ((LODGE_UPPER - diameter_mm / size_mm.max(1e-9)) / (LODGE_UPPER - 1.0)).clamp(0.0, 1.0)
}

/// The same over a generation whose diameters are spread log-normally (seven points).
fn spread_lodging_share(size_mm: f64, diameter_mm: f64) -> f64 {
    const POINTS: [(f64, f64); 7] = [
        (-2.25, 0.0238),
        (-1.5, 0.0971),
        (-0.75, 0.2259),
        (0.0, 0.3064),
        (0.75, 0.2259),
        (1.5, 0.0971),
        (2.25, 0.0238),
    ];
    POINTS.iter().map(|(z, w)| w * lodging_share(size_mm, diameter_mm * (DIAMETER_SPREAD * z).exp())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_and_sizes_find_their_generation() {
        let bed = BedTree::murray(2.3);
        let total: f64 = bed.generations.iter().map(|g| g.resistance_share).sum();
        assert!((total - 1.0).abs() < 1e-12);
        let shares = bed.lodging(0.5, 0.7);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let mean: f64 = shares.iter().zip(&bed.generations).map(|(s, g)| s * g.diameter_mm).sum();
        assert!((0.5..0.95).contains(&mean), "{mean}");
        assert!(
            (bed.resistance_factor(&vec![0.0; bed.generations.len()], 0..bed.generations.len()) - 1.0).abs()
                < 1e-12
        );
    }

    #[test]
    fn lodging_needs_one_to_one_point_three() {
        assert_eq!(lodging_share(0.6, 0.6), 1.0);
        assert_eq!(lodging_share(0.6, 0.79), 0.0);
        assert!((lodging_share(0.6, 0.69) - 0.5).abs() < 1e-9);
    }
}
