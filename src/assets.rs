//! Where the program's files are: found from any working folder, from a checkout and beside an installed binary.

use std::path::{Path, PathBuf};

/// The folder that holds `assets/` and `scenarios/`, or `None` when there is none to be found.
///
/// Looked for, in this order: the working folder and its parents; the executable's folder and its parents, each also as
/// `share/cathnav`; the folder the program was compiled in.
pub fn root() -> Option<PathBuf> {
    let is_root = |dir: &Path| dir.join("assets/devices").is_dir();
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Ok(cwd) = std::env::current_dir() {
        candidates.extend(cwd.ancestors().map(Path::to_path_buf));
    }
    if let Ok(exe) = std::env::current_exe() {
        for dir in exe.ancestors().skip(1) {
            candidates.push(dir.to_path_buf());
            candidates.push(dir.join("share/cathnav"));
        }
    }
    candidates.push(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    candidates.into_iter().find(|dir| is_root(dir))
}
