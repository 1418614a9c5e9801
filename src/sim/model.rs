//! The compiled case: immutable, shared between threads.

use super::contact::{MeshWall, VesselBed, WallLaw, WallShift};
use super::contrast::ContrastModel;
use super::contrast::injector::InjectorModel;
use super::dilation::DilationModel;
use super::exposure::ExposureModel;
use super::flow::Network;
use super::rod::RodBase;
use super::therapy::TherapyModel;
use super::world::World;
use crate::anatomy::breathing::{self, beat_of_vessel_mm};
use crate::anatomy::{Anatomy, Breathing, LesionDescription, open_tree};
use crate::device::{Catalog, Device, DeviceKind, Embolic};
use crate::math::hash::StateHasher;
use crate::scenario::{Access, Case};

/// Why a case cannot be compiled. `check` finds all of these with their places in the file; this is the last guard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Access site.
    #[error("the anatomy `{anatomy}` has no access site `{found}`; it has {allowed}")]
    Access {
        /// Folder name.
        anatomy: String,
        /// In the case.
        found: String,
        /// Names.
        allowed: String,
    },
    /// Tray entry.
    #[error("the tray names `{0}`, which is neither a device nor an embolic of the catalogue")]
    TrayItem(String),
    /// Sheath.
    #[error("the access names `{0}`, which is not a sheath of the catalogue")]
    Sheath(String),
    /// Too many devices.
    #[error("the tray holds {0} devices; at most 255 are allowed")]
    TooManyTools(usize),
}

/// Everything that does not change while a case is played.
pub struct Model {
    /// The case.
    pub case: Case,
    /// Text of the case file, for recordings; empty if the case did not come from a file.
    pub case_text: String,
    /// Vessels, lumen, bones.
    pub anatomy: Anatomy,
    /// Devices of the tray in its order; the index is the [`super::ToolId`].
    pub tools: Vec<Device>,
    /// Embolics of the tray in its order.
    pub embolics: Vec<Embolic>,
    /// Fixed ends, one per access.
    pub bases: Vec<RodBase>,
    /// Wall.
    pub wall: MeshWall,
    /// How it yields.
    pub law: WallLaw,
    /// How the vessels give way as a whole; none in a tree without branches.
    pub bed: Option<VesselBed>,
    /// Displacement of the vessels at full breath in; none where breathing moves no vessel.
    pub breath_shift: Option<WallShift>,
    /// Displacement of the vessels at the end of systole; none where the heart moves no vessel.
    pub beat_shift: Option<WallShift>,
    /// Vessel network.
    pub network: Network,
    /// Species that the blood carries.
    pub contrast: ContrastModel,
    /// Beds as generations.
    pub therapy: TherapyModel,
    /// Healthy vessels and lesions for balloons and stents.
    pub dilation: DilationModel,
    /// Room and embolics for the injector.
    pub injector: InjectorModel,
    /// Body and room for exposure control.
    pub exposure: ExposureModel,
    /// Rigid world.
    pub world: World,
    /// The rule that coils and plugs resist the blood; false lets it through (a test holds that a case is then not won, and that
    /// nothing is washed away).
    pub packing_enabled: bool,
    /// Outer radius of each tool, mm.
    pub tool_radius_mm: Vec<f64>,
    /// Hash of anatomy, devices and case: what a recording is bound to.
    pub assets_hash: String,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("case", &self.case.id).finish_non_exhaustive()
    }
}

impl Model {
    /// Compiles a case with its anatomy and catalogue.
    ///
    /// # Errors
    /// When the case names an access site, sheath or tray item that is not there.
    pub fn compile(case: &Case, anatomy: &Anatomy, catalog: &Catalog) -> Result<Self, ModelError> {
        let (tools, embolics) = tray(case, catalog)?;
        let accesses = std::iter::once(&case.access).chain(&case.second_access);
        let bases = accesses.map(|a| base(a, anatomy, catalog)).collect::<Result<Vec<_>, _>>()?;
        // The anatomy was built with the lesions of the case that change vessels; the others come from the case alone.
        let mut lesions = anatomy.lesions.clone();
        let is_new = |l: &&LesionDescription| !anatomy.lesions.contains(l);
        lesions.extend(case.anatomy.lesions.iter().filter(is_new).cloned());
        let open = open_tree(&anatomy.tree, &anatomy.lesions);
        let network = Network::compile(&open, &anatomy.circulation, &case.patient, &lesions);
        let contrast = ContrastModel::compile(&embolics);
        // A vessel that is closed by plaque is no thinner outside.
        let bed = VesselBed::compile(&open);
        let mut hasher = StateHasher::new();
        hasher.value(anatomy);
        hasher.value(&tools);
        hasher.value(&embolics);
        Ok(Self {
            case: case.clone(),
            case_text: String::new(),
            wall: MeshWall::new(&anatomy.lumen, &anatomy.tree),
            law: WallLaw::default(),
            breath_shift: breath_shift(anatomy),
            beat_shift: beat_shift(anatomy),
            bed,
            dilation: DilationModel::compile(&anatomy.tree, &open, &anatomy.lesions, &network),
            therapy: TherapyModel::compile(&network, &contrast, &embolics),
            contrast,
            injector: InjectorModel { room: case.room.clone(), embolics: embolics.clone() },
            exposure: ExposureModel::new(anatomy, &case.room, &bases[0].position_mm),
            world: World::compile(&anatomy.lumen),
            packing_enabled: true,
            tool_radius_mm: tools.iter().map(|d| d.max_outer_diameter_mm / 2.0).collect(),
            network,
            anatomy: anatomy.clone(),
            tools,
            embolics,
            bases,
            assets_hash: format!("{:016x}", hasher.finish()),
        })
    }

    /// The tool of a catalogue id.
    pub fn tool(&self, id: &str) -> Option<super::ToolId> {
        self.tools.iter().position(|d| d.id == id).map(|i| super::ToolId(i as u8))
    }
}

/// Vessels that move less than this keep still, mm.
const STILL_MM: f64 = 0.05;

/// What a full breath in does to the vessels.
fn breath_shift(anatomy: &Anatomy) -> Option<WallShift> {
    let breathing = Breathing::of(anatomy).filter(|b| b.moves_vessels)?;
    let shift = WallShift::by_field(&anatomy.tree, |p| breathing.of_vessel_mm(p));
    (shift.largest_mm() > STILL_MM).then_some(shift)
}

/// What the heart does to the vessels at the end of systole.
pub fn beat_shift(anatomy: &Anatomy) -> Option<WallShift> {
    let shift = breathing::beats(anatomy).then(|| WallShift::by_field(&anatomy.tree, beat_of_vessel_mm))?;
    (shift.largest_mm() > STILL_MM).then_some(shift)
}

/// Devices (without sheaths, which stand in the access) and embolics of the tray.
fn tray(case: &Case, catalog: &Catalog) -> Result<(Vec<Device>, Vec<Embolic>), ModelError> {
    let (mut tools, mut embolics) = (Vec::new(), Vec::new());
    for id in &case.tray {
        if let Some(device) = catalog.device(id) {
            if device.kind != DeviceKind::Sheath {
                tools.push(device.clone());
            }
        } else if let Some(embolic) = catalog.embolic(id) {
            embolics.push(embolic.clone());
        } else {
            return Err(ModelError::TrayItem(id.clone()));
        }
    }
    if tools.len() > usize::from(u8::MAX) {
        return Err(ModelError::TooManyTools(tools.len()));
    }
    Ok((tools, embolics))
}

fn base(access: &Access, anatomy: &Anatomy, catalog: &Catalog) -> Result<RodBase, ModelError> {
    let site = anatomy.access_sites.iter().find(|s| s.name == access.site).ok_or_else(|| {
        let names: Vec<&str> = anatomy.access_sites.iter().map(|s| s.name.as_str()).collect();
        ModelError::Access {
            anatomy: anatomy.name.clone(),
            found: access.site.clone(),
            allowed: names.join(", "),
        }
    })?;
    let sheath = catalog
        .device(&access.sheath)
        .filter(|d| d.kind == DeviceKind::Sheath)
        .ok_or_else(|| ModelError::Sheath(access.sheath.clone()))?;
    Ok(RodBase {
        position_mm: site.position_mm,
        direction: site.direction,
        sheath_length_mm: sheath.length_mm,
        sheath_inner_diameter_mm: sheath.inner_diameter_mm.unwrap_or(sheath.max_outer_diameter_mm),
    })
}
