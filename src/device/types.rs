//! Plain data of devices, as the rods, the picture and the tray need them.

use serde::{Deserialize, Serialize};

use super::dilation::{Balloon, RAPID_EXCHANGE_MM, Stent, WireRun};
use super::protection::Filter;

/// A loop at a tip lies within this, mm.
const LOOP_WITHIN_MM: f64 = 80.0;

/// What a device is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// Introducer sheath: fixed at the access, a tube for all others.
    Sheath,
    /// Diagnostic or guiding catheter.
    Catheter,
    /// Microcatheter, runs in a catheter.
    Microcatheter,
    /// Guidewire: no lumen.
    #[default]
    Wire,
    /// Coil on its pusher: leaves an [`Implant`] behind.
    Coil,
    /// Plug of braided wire on its cable: opens to fill the vessel, and stays as an [`Implant`].
    Plug,
    /// Wire with a loop that opens when it leaves its catheter, and is drawn tight on what lies in it.
    Snare,
    /// Balloon catheter.
    Balloon,
    /// Stent on its delivery catheter.
    Stent,
}

/// How an implant parts from what pushes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// It lies loose before its pusher: free as soon as it has left the catheter, and cannot be drawn back.
    Pushed,
    /// It is joined to its pusher until it is detached.
    Detached,
}

/// The part of a device that stays in the patient, from its tip on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Implant {
    /// Its length, mm.
    pub length_mm: f64,
    /// Unconstrained diameter over its loops, mm.
    pub diameter_mm: f64,
    /// How it parts.
    pub release: Release,
    /// Narrowest and widest bore that it goes through without jamming, mm.
    pub bores_mm: (f64, f64),
    /// Carries fibers, which clot faster.
    pub fibered: bool,
    /// The braid of a plug; coils have none.
    #[serde(default)]
    pub mesh: Option<Mesh>,
}

/// A braid of fine wires.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Wires in all its layers.
    pub wires: u32,
    /// Diameter of a wire, mm.
    pub wire_mm: f64,
}

/// The element that makes a stretch visible: it sets how visibility changes with the tube voltage (K edges).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opaque {
    /// Stainless steel and cobalt-chromium.
    #[default]
    Steel,
    /// Nickel-titanium.
    Nitinol,
    /// Platinum and its alloys with iridium and tungsten.
    Platinum,
    /// Tungsten powder in a polymer jacket.
    Tungsten,
    /// Tantalum.
    Tantalum,
    /// Gold.
    Gold,
    /// Barium sulfate in a polymer wall.
    Barium,
}

/// One stretch of a device with constant properties, listed from the TIP to the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Length of the zone, mm.
    pub length_mm: f64,
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
    /// Bending stiffness EI, N mm2.
    pub bend_stiffness_n_mm2: f64,
    /// Torsional stiffness GJ, N mm2.
    pub torsion_stiffness_n_mm2: f64,
    /// Rest curvature about the device's material binormal, 1/mm; positive bends towards its first material director.
    pub rest_curvature_per_mm: f64,
    /// Second component of the rest curvature (out of plane shapes), 1/mm.
    pub rest_curvature_2_per_mm: f64,
    /// Coulomb friction against the wet vessel wall.
    pub friction_wall: f64,
    /// Equivalent radiopacity at 60 keV: thickness of steel (mm) per mm of outer diameter, integrated over the chord.
    pub radiopacity_steel_ratio: f64,
    /// What makes it visible.
    #[serde(default)]
    pub opaque: Opaque,
}

/// Properties of a cross-section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
    /// EI, N mm2.
    pub bend_stiffness_n_mm2: f64,
    /// GJ, N mm2.
    pub torsion_stiffness_n_mm2: f64,
    /// Rest curvature, first component, 1/mm.
    pub rest_curvature_per_mm: f64,
    /// Rest curvature, second component, 1/mm.
    pub rest_curvature_2_per_mm: f64,
    /// Friction coefficient against the wall.
    pub friction_wall: f64,
    /// See [`Zone::radiopacity_steel_ratio`].
    pub radiopacity_steel_ratio: f64,
    /// What makes it visible.
    pub opaque: Opaque,
}

/// A device of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Dotted id: `wire.hydrophilic_angled.035`.
    pub id: String,
    /// What the nurse says: `0.035 in hydrophilic wire, angled`.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Usable length, tip to hub, mm.
    pub length_mm: f64,
    /// Lumen diameter, mm; `None` for wires.
    pub inner_diameter_mm: Option<f64>,
    /// Largest outer diameter, mm: what must pass through a lumen.
    pub max_outer_diameter_mm: f64,
    /// Friction coefficient against a device inside or around it.
    pub friction_lumen: f64,
    /// Zones from tip to hub; lengths sum to `length_mm`.
    pub zones: Vec<Zone>,
    /// Distances of side holes from the tip, mm; the end hole is always there for devices with a lumen.
    pub side_holes_mm: Vec<f64>,
    /// Rated pressure of an injection, psi; 0 for wires.
    pub max_pressure_psi: f64,
    /// What it leaves behind; only coils and plugs do.
    #[serde(default)]
    pub implant: Option<Implant>,
    /// Diameter of the loop of a snare, mm.
    #[serde(default)]
    pub loop_mm: Option<f64>,
    /// Its balloon; balloon catheters and stents that one opens have one.
    #[serde(default)]
    pub balloon: Option<Balloon>,
    /// Its stent.
    #[serde(default)]
    pub stent: Option<Stent>,
    /// How it runs on its wire.
    #[serde(default)]
    pub run: WireRun,
    /// The filter on it; only wires have one.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// Where the figures come from; figures that are estimates say so.
    pub source: String,
}

impl Device {
    /// Length from the tip over which a wire runs in it, mm: all of it, or up to the port of a rapid exchange device.
    pub fn rail_mm(&self) -> f64 {
        match self.run {
            WireRun::OverTheWire => self.length_mm,
            WireRun::RapidExchange => RAPID_EXCHANGE_MM.min(self.length_mm),
        }
    }

    /// Length of a loop at its tip, mm: what turns by three quarters of a circle at rest within the last 80 mm, as a pigtail does.
    pub fn tip_loop_mm(&self) -> Option<f64> {
        let (mut length_mm, mut turned) = (0.0, 0.0);
        for zone in &self.zones {
            length_mm += zone.length_mm;
            if length_mm > LOOP_WITHIN_MM {
                return None;
            }
            turned += zone.length_mm * zone.rest_curvature_per_mm.hypot(zone.rest_curvature_2_per_mm);
            if turned >= 1.5 * std::f64::consts::PI {
                return Some(length_mm);
            }
        }
        None
    }

    /// Section at a distance from the tip (clamped to the device), mm. Piecewise constant.
    pub fn section_at(&self, from_tip_mm: f64) -> Section {
        let mut end = 0.0;
        let last = self.zones.len() - 1;
        for (i, z) in self.zones.iter().enumerate() {
            end += z.length_mm;
            if from_tip_mm < end || i == last {
                return Section {
                    outer_diameter_mm: z.outer_diameter_mm,
                    bend_stiffness_n_mm2: z.bend_stiffness_n_mm2,
                    torsion_stiffness_n_mm2: z.torsion_stiffness_n_mm2,
                    rest_curvature_per_mm: z.rest_curvature_per_mm,
                    rest_curvature_2_per_mm: z.rest_curvature_2_per_mm,
                    friction_wall: z.friction_wall,
                    radiopacity_steel_ratio: z.radiopacity_steel_ratio,
                    opaque: z.opaque,
                };
            }
        }
        unreachable!("a validated device has at least one zone")
    }
}

/// An embolic agent of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embolic {
    /// Dotted id: `particles.pva.500_700`.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Size classes: lower and upper diameter, mm, and share of particles by count (shares sum to 1).
    pub size_classes: Vec<SizeClass>,
    /// Particles in one mL of the suspension as drawn up.
    pub particles_per_ml: f64,
    /// Iodine of the suspension, mg/mL (particles are mixed with contrast).
    pub iodine_mg_per_ml: f64,
    /// Smallest lumen it passes without clogging, mm.
    pub min_lumen_mm: f64,
    /// How much its particles stick together in threes: twice the share that does in the suspension as drawn up, 0 to 1.
    #[serde(default)]
    pub clumping: f64,
    /// Half-life after which its particles dissolve and let blood through again, h; `None` for permanent ones.
    #[serde(default)]
    pub dissolves_half_life_h: Option<f64>,
    /// Where the figures come from.
    pub source: String,
}

/// One size class of particles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SizeClass {
    /// Smallest diameter, mm.
    pub min_mm: f64,
    /// Largest diameter, mm.
    pub max_mm: f64,
    /// Share by count.
    pub share: f64,
}

/// Everything the tray can offer, sorted by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Devices.
    pub devices: Vec<Device>,
    /// Embolics.
    pub embolics: Vec<Embolic>,
}

impl Catalog {
    /// The device of an id.
    pub fn device(&self, id: &str) -> Option<&Device> {
        self.devices.iter().find(|d| d.id == id)
    }

    /// The embolic of an id.
    pub fn embolic(&self, id: &str) -> Option<&Embolic> {
        self.embolics.iter().find(|e| e.id == id)
    }
}
