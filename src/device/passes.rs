//! Does one device pass through another.

use super::Device;

/// Smallest difference of diameters at which one device still slides in another, mm (0.001 in) `[D]`.
pub const MIN_CLEARANCE_MM: f64 = 0.025;

/// Why a device does not pass through another, with both numbers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Mismatch {
    /// Too wide.
    #[error("{inner} is {inner_mm:.2} mm wide and does not pass the {lumen_mm:.2} mm bore of {outer}")]
    TooWide {
        /// Label of the inner device.
        inner: String,
        /// Its largest outer diameter, mm.
        inner_mm: f64,
        /// Label of the outer device.
        outer: String,
        /// Its bore, mm.
        lumen_mm: f64,
    },
    /// The outer device is solid.
    #[error("{inner} ({inner_mm:.2} mm) cannot run in {outer}, which has no bore (0.00 mm)")]
    NoLumen {
        /// Label of the inner device.
        inner: String,
        /// Its largest outer diameter, mm.
        inner_mm: f64,
        /// Label of the outer device.
        outer: String,
    },
}

/// Checks that the widest part of `inner` slides through the bore of `outer`.
pub fn passes(inner: &Device, outer: &Device) -> Result<(), Mismatch> {
    let inner_mm = inner.max_outer_diameter_mm;
    let Some(lumen_mm) = outer.inner_diameter_mm else {
        return Err(Mismatch::NoLumen { inner: inner.label.clone(), inner_mm, outer: outer.label.clone() });
    };
    if inner_mm + MIN_CLEARANCE_MM > lumen_mm {
        let (inner, outer) = (inner.label.clone(), outer.label.clone());
        return Err(Mismatch::TooWide { inner, inner_mm, outer, lumen_mm });
    }
    Ok(())
}
