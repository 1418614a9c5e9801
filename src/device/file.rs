//! The syntax of `assets/devices/*.ron`: sizes as sold, shapes as arcs, tapers. Listed from the tip to the hub.

use serde::{Deserialize, Serialize};

use super::DeviceKind;
use crate::units::{FrenchSize, Inches};

/// A file of the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceFile {
    /// Devices.
    #[serde(default)]
    pub devices: Vec<DeviceEntry>,
    /// Embolics.
    #[serde(default)]
    pub embolics: Vec<EmbolicEntry>,
}

/// A size as it is sold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Size {
    /// Outer size in French.
    French(f64),
    /// Inches.
    Inches(f64),
    /// Millimeters.
    Mm(f64),
}

impl Size {
    /// The size in mm.
    pub fn to_mm(self) -> f64 {
        match self {
            Self::French(f) => FrenchSize(f).to_mm(),
            Self::Inches(i) => Inches(i).to_mm(),
            Self::Mm(mm) => mm,
        }
    }
}

/// A piece of the shape at rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Piece {
    /// Straight.
    Straight {
        /// Length, mm.
        mm: f64,
    },
    /// Circular arc.
    Arc {
        /// Turn; a negative angle bends the other way.
        deg: f64,
        /// Radius of the centerline, mm.
        radius_mm: f64,
        /// Plane of the arc, turned about the device's axis.
        #[serde(default)]
        plane_deg: f64,
    },
}

impl Piece {
    /// Length along the centerline, mm.
    pub fn length_mm(self) -> f64 {
        match self {
            Self::Straight { mm } => mm,
            Self::Arc { deg, radius_mm, .. } => deg.abs().to_radians() * radius_mm,
        }
    }

    /// The two components of the curvature, 1/mm.
    pub fn curvature_per_mm(self) -> (f64, f64) {
        match self {
            Self::Straight { .. } => (0.0, 0.0),
            Self::Arc { deg, radius_mm, plane_deg } => {
                let (sin, cos) = plane_deg.to_radians().sin_cos();
                let curvature = deg.signum() / radius_mm;
                (curvature * cos, curvature * sin)
            }
        }
    }
}

/// A stretch of equal or evenly changing build.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildSection {
    /// Length, mm; only the last section may leave it out: it reaches to the hub.
    #[serde(default)]
    pub length_mm: Option<f64>,
    /// Outer size at the section's distal end.
    pub outer: Size,
    /// Outer size at its proximal end; the same if absent.
    #[serde(default)]
    pub outer_to: Option<Size>,
    /// EI at the distal end, N mm2.
    pub bend_n_mm2: f64,
    /// EI at the proximal end; the same if absent.
    #[serde(default)]
    pub bend_to_n_mm2: Option<f64>,
    /// GJ / EI.
    pub torsion_ratio: f64,
    /// Steel equivalent, see [`super::Zone::radiopacity_steel_ratio`].
    pub radiopacity: f64,
    /// What makes it visible.
    #[serde(default)]
    pub opaque: super::Opaque,
}

/// The part that stays behind, as written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImplantEntry {
    /// Length from the tip, mm; a section ends there.
    pub length_mm: f64,
    /// Unconstrained diameter over its loops, mm.
    pub diameter_mm: f64,
    /// How it parts.
    pub release: super::Release,
    /// Narrowest bore that it goes through.
    pub bore_from: Size,
    /// Widest bore in which it does not jam.
    pub bore_to: Size,
    /// Carries fibers.
    #[serde(default)]
    pub fibered: bool,
    /// The braid of a plug.
    #[serde(default)]
    pub mesh: Option<super::Mesh>,
}

/// A device as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// Dotted id.
    pub id: String,
    /// What the nurse says.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Usable length, mm.
    pub length_mm: f64,
    /// Bore; absent for wires.
    #[serde(default)]
    pub lumen: Option<Size>,
    /// Friction coefficient against the wet wall.
    pub friction_wall: f64,
    /// Friction coefficient against a device inside or around it.
    pub friction_lumen: f64,
    /// Rated injection pressure, psi.
    #[serde(default)]
    pub max_pressure_psi: f64,
    /// Shape at rest from the tip; straight beyond.
    #[serde(default)]
    pub shape: Vec<Piece>,
    /// Side holes, mm from the tip.
    #[serde(default)]
    pub side_holes_mm: Vec<f64>,
    /// Build from the tip.
    pub sections: Vec<BuildSection>,
    /// How it runs on its wire.
    #[serde(default)]
    pub run: super::WireRun,
    /// What a coil leaves behind.
    #[serde(default)]
    pub implant: Option<ImplantEntry>,
    /// Diameter of the loop of a snare, mm.
    #[serde(default)]
    pub loop_mm: Option<f64>,
    /// Its balloon.
    #[serde(default)]
    pub balloon: Option<super::Balloon>,
    /// Its stent.
    #[serde(default)]
    pub stent: Option<super::Stent>,
    /// The filter on a wire.
    #[serde(default)]
    pub filter: Option<super::Filter>,
    /// Where the figures come from.
    pub source: String,
}

/// An embolic as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbolicEntry {
    /// Dotted id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Size classes.
    pub size_classes: Vec<super::SizeClass>,
    /// Particles per mL as drawn up.
    pub particles_per_ml: f64,
    /// Iodine, mg/mL.
    pub iodine_mg_per_ml: f64,
    /// Smallest bore it passes.
    pub min_lumen: Size,
    /// See [`super::Embolic::clumping`].
    #[serde(default)]
    pub clumping: f64,
    /// See [`super::Embolic::dissolves_half_life_h`].
    #[serde(default)]
    pub dissolves_half_life_h: Option<f64>,
    /// Where the figures come from.
    pub source: String,
}
