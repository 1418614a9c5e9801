//! Scattered radiation at the detector, as a ratio to the primary.
//!
//! Fit to a Monte Carlo of a water slab 80 mm before the detector (60 to 100 kV within 3 %), 10 to 30 cm thick, 15 and 30 cm
//! fields: within 10 %.

/// Share of the primary that the grid lets through `[K]`.
pub const GRID_PRIMARY_TRANSMISSION: f64 = 0.70;
/// Share of the scatter that the grid lets through `[K]`.
pub const GRID_SCATTER_TRANSMISSION: f64 = 0.12;

/// Scatter-to-primary ratio without a grid: 0.050 d^1.41 (s/30)^(0.85 + 0.0125 d), d water and s side of the field in cm.
pub fn scatter_to_primary(water_equivalent_mm: f64, field_side_mm: f64) -> f64 {
    let d_cm = (water_equivalent_mm / 10.0).max(0.0);
    let side = (field_side_mm / 300.0).clamp(0.0, 1.5);
    0.050 * d_cm.powf(1.41) * side.powf(0.85 + 0.0125 * d_cm)
}

/// Scatter-to-primary ratio behind the grid. The gap between patient and detector hardly matters behind a grid.
pub fn scatter_to_primary_after_grid(water_equivalent_mm: f64, field_side_mm: f64) -> f64 {
    scatter_to_primary(water_equivalent_mm, field_side_mm) * GRID_SCATTER_TRANSMISSION
        / GRID_PRIMARY_TRANSMISSION
}

/// Change of the ratio with the gap to the detector when there is no grid, relative to a gap of 80 mm: the scatter of a full field
/// seems to come from 390 mm inside the exit face.
pub fn air_gap_factor(gap_mm: f64) -> f64 {
    ((390.0 + 80.0) / (390.0 + gap_mm)).powi(2)
}
