//! The names that a case file may use, worked out from its tree and the library.

use super::Library;
use super::library::AnatomyInfo;
use crate::anatomy::organ_of;
use crate::device::DeviceKind;
use crate::files::Node;
use crate::files::schema::NameOf;

/// Kind words that a condition may use for a device.
const KIND_WORDS: [&str; 8] =
    ["wire", "catheter", "microcatheter", "coil", "plug", "snare", "balloon", "stent"];

/// Names for one file. Names that depend on a faulty part of the file are unknown, so that one fault is said once.
pub(super) fn names(root: &Node, library: &Library, of: NameOf) -> Option<Vec<String>> {
    let catalog = &library.catalog;
    let owned = |names: Vec<&str>| Some(names.into_iter().map(str::to_owned).collect::<Vec<String>>());
    match of {
        NameOf::TrayItem => {
            let devices = catalog.devices.iter().map(|d| d.id.as_str());
            owned(devices.chain(catalog.embolics.iter().map(|e| e.id.as_str())).collect())
        }
        NameOf::Sheath => owned(
            catalog.devices.iter().filter(|d| d.kind == DeviceKind::Sheath).map(|d| d.id.as_str()).collect(),
        ),
        NameOf::Tool => {
            let tray = root.get("tray")?;
            let items = tray.items().iter().filter_map(Node::text).filter(|id| catalog.embolic(id).is_none());
            owned(KIND_WORDS.into_iter().chain(items).collect())
        }
        NameOf::Anatomy => owned(
            library.anatomies.keys().chain(library.broken_anatomies.keys()).map(String::as_str).collect(),
        ),
        NameOf::Vessel => {
            let tree = &anatomy(root, library)?.tree;
            owned(tree.branches.iter().map(|b| b.name.as_str()).collect())
        }
        NameOf::AccessSite => {
            owned(anatomy(root, library)?.access_sites.iter().map(|s| s.name.as_str()).collect())
        }
        NameOf::Bleed => {
            let lesions = root.get("anatomy")?.get("lesions").map_or(&[] as &[Node], Node::items);
            let bleeds = lesions.iter().filter(|l| l.name() == Some("Bleeding"));
            owned(bleeds.filter_map(|l| l.get("name").and_then(Node::text)).collect())
        }
        NameOf::Step => {
            let steps = root.get("steps")?.items();
            owned(steps.iter().filter_map(|s| s.get("id").and_then(Node::text)).collect())
        }
        NameOf::Bed => {
            let tree = &anatomy(root, library)?.tree;
            let beds = tree.branches.iter().filter_map(|b| b.outlet.as_ref()).map(|o| o.bed.as_str());
            let mut list: Vec<&str> =
                beds.flat_map(|bed| [Some(bed), organ_of(bed).map(|o| o.bed)]).flatten().collect();
            list.sort_unstable();
            list.dedup();
            owned(list)
        }
        NameOf::Metric if library.metrics.is_empty() => None,
        NameOf::Metric => Some(library.metrics.clone()),
        NameOf::Error if library.errors.is_empty() => None,
        NameOf::Error => Some(library.errors.clone()),
    }
}

/// The anatomy that the file chooses, if it is known.
pub(super) fn anatomy<'a>(root: &Node, library: &'a Library) -> Option<&'a AnatomyInfo> {
    library.anatomies.get(root.get("anatomy")?.get("model")?.text()?)
}
