//! The pelvis: description, tree, lumen, bones against clinical figures.

use std::path::{Path, PathBuf};

use cathnav::anatomy;

fn pelvis() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/pelvis")
}

#[test]
fn stored_pelvis_loads() {
    let a = anatomy::load(&pelvis()).unwrap();
    assert!(a.tree.find("obturator.left").is_some());
    assert!(a.lumen.mesh.signed_volume_mm3() > 0.0);
}
