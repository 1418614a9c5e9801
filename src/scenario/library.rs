//! What a case may name: devices, anatomies with their vessels and access sites, metrics.

use std::collections::BTreeMap;
use std::path::Path;

use crate::anatomy::{AccessSite, Anatomy, VesselTree};
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
    /// Names of metrics that a par value may use; an empty list allows any.
    pub metrics: Vec<String>,
}

impl Library {
    /// Reads devices and anatomies below `root`, the folder that holds `assets/`.
    pub fn load(root: &Path) -> Result<Self, CheckReport> {
        let catalog = load_catalog(&root.join("assets"))?;
        Ok(Self { catalog, anatomies: BTreeMap::new(), metrics: Vec::new() })
    }
}
