//! What a case may name: devices, anatomies with their vessels and access sites, metrics, errors.

use std::collections::BTreeMap;
use std::path::Path;

use super::AnatomyChoice;
use crate::anatomy::{self, AccessSite, Anatomy, AnatomyFile, Description, VesselTree};
use crate::device::{Catalog, load_catalog};
use crate::files::{CheckReport, Node};

/// The part of an anatomy that a case file refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnatomyInfo {
    /// Vessels.
    pub tree: VesselTree,
    /// Puncture sites.
    pub access_sites: Vec<AccessSite>,
    /// What patients who differ are drawn from; none for an imported anatomy.
    pub description: Option<Box<Description>>,
}

impl From<&Anatomy> for AnatomyInfo {
    fn from(anatomy: &Anatomy) -> Self {
        Self { tree: anatomy.tree.clone(), access_sites: anatomy.access_sites.clone(), description: None }
    }
}

/// Everything that names in a case file are resolved against.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// Devices and embolics.
    pub catalog: Catalog,
    /// Anatomies by folder name.
    pub anatomies: BTreeMap<String, AnatomyInfo>,
    /// Anatomies whose description cannot be used, with the cause.
    pub broken_anatomies: BTreeMap<String, String>,
    /// Names of metrics that a par value may use; an empty list allows any.
    pub metrics: Vec<String>,
    /// Names of the errors of the general table; an empty list allows any.
    pub errors: Vec<String>,
}

impl Library {
    /// Reads devices and anatomies below `root`, the folder that holds `assets/`.
    pub fn load(root: &Path) -> Result<Self, CheckReport> {
        let assets = root.join("assets");
        let mut library = Self { catalog: load_catalog(&assets)?, ..Self::default() };
        let folder = assets.join("anatomy");
        let names = anatomy::list(&assets).map_err(|e| CheckReport::unreadable(&folder, &e.to_string()))?;
        for name in names {
            let dir = folder.join(&name);
            let info = anatomy::read_file(&dir).and_then(|file| match file {
                AnatomyFile::Described(d) => anatomy::build_tree(&d).map(|built| (built, Some(d))),
                AnatomyFile::Imported(_) => anatomy::load_tree(&dir).map(|stored| (stored, None)),
            });
            match info {
                Ok(((tree, access_sites), description)) => {
                    library.anatomies.insert(name, AnatomyInfo { tree, access_sites, description });
                }
                Err(e) => {
                    library.broken_anatomies.insert(name, e.to_string());
                }
            }
        }
        Ok(library)
    }

    /// The library with the vessels of the patient whom a case draws: variants and tumors add some. `None` when the case
    /// takes the anatomy as it is described, or when its patient cannot be drawn (the checks of the file say why).
    pub(super) fn for_patient(&self, root: &Node, text: &str) -> Option<Self> {
        let node = root.get("anatomy")?;
        let model = node.get("model")?.text()?;
        let options =
            ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let choice: AnatomyChoice = options.from_str(text.get(node.span.clone())?).ok()?;
        let patient = choice.patient();
        let description = self.anatomies.get(model)?.description.as_ref()?;
        if patient.is_plain() {
            return None;
        }
        let (drawn, _) = anatomy::vary(description, &patient).ok()?;
        let (tree, access_sites) = anatomy::build_tree(&drawn).ok()?;
        let mut out = self.clone();
        out.anatomies.insert(model.to_owned(), AnatomyInfo { tree, access_sites, description: None });
        Some(out)
    }
}
