//! Seeded random streams: one `ChaCha` stream per (seed, stage), kept in the state.

pub use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Who draws; each stage has its own stream so that one stage's draws never shift another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Variation of anatomy.
    Anatomy = 1,
    /// Particle sizes and lodging.
    Therapy = 2,
    /// Events of the patient.
    Physiology = 3,
    /// Image noise (never writes state).
    ImageNoise = 4,
    /// Free bodies.
    World = 5,
    /// Balloons that burst, vessels that tear.
    Dilation = 6,
}

/// The stream of a stage for a seed.
pub fn stream(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64);
    rng
}

/// Uniform in [0, 1), 53 bits.
pub fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Standard normal by Box and Muller (1958), one of the pair.
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let u = 1.0 - uniform(rng);
    let v = uniform(rng);
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
