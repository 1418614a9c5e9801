//! What a case may name: devices, anatomies with their vessels and access sites, metrics.

use std::collections::BTreeMap;
use std::path::Path;

use crate::anatomy::{self, AccessSite, Anatomy, VesselTree};
use crate::device::{Catalog, load_catalog};
use crate::files::CheckReport;

/// The part of an anatomy that a case file refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnatomyInfo {
    /// Vessels.
    pub tree: VesselTree,
    /// Puncture sites.
    pub access_sites: Vec<AccessSite>,
}

impl From<&Anatomy> for AnatomyInfo {
    fn from(anatomy: &Anatomy) -> Self {
        Self { tree: anatomy.tree.clone(), access_sites: anatomy.access_sites.clone() }
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
}

impl Library {
    /// Reads devices and anatomies below `root`, the folder that holds `assets/`.
    pub fn load(root: &Path) -> Result<Self, CheckReport> {
        let assets = root.join("assets");
        let mut library = Self { catalog: load_catalog(&assets)?, ..Self::default() };
        let folder = assets.join("anatomy");
        let names = anatomy::list(&assets).map_err(|e| CheckReport::unreadable(&folder, &e.to_string()))?;
        for name in names {
            match anatomy::load_tree(&folder.join(&name)) {
                Ok((tree, access_sites)) => {
                    library.anatomies.insert(name, AnatomyInfo { tree, access_sites });
                }
                Err(e) => {
                    library.broken_anatomies.insert(name, e.to_string());
                }
            }
        }
        Ok(library)
    }
}
