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

/// Folder for what can be made again: `CATHNAV_CACHE`, or `cathnav` in the user's cache folder, or in the temporary one.
pub fn cache() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    from("CATHNAV_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|dir| dir.join("cathnav")))
        .or_else(|| from("LOCALAPPDATA").map(|dir| dir.join("cathnav")))
        .or_else(|| from("HOME").map(|dir| dir.join(".cache/cathnav")))
        .unwrap_or_else(|| std::env::temp_dir().join("cathnav"))
}

/// Hash of all files below `assets/` of a root: 16 hex digits over paths and contents, in order of path.
pub fn hash(root: &Path) -> std::io::Result<String> {
    let mut paths = Vec::new();
    collect(&root.join("assets"), &mut paths)?;
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let name: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        named.push((name.join("/"), path));
    }
    named.sort();
    let mut hasher = blake3::Hasher::new();
    for (name, path) in named {
        let bytes = std::fs::read(path)?;
        hasher.update(name.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Names with a leading dot are temporary or of the version control.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), paths)?;
        } else {
            paths.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_sees_names_and_contents() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("assets/devices")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("assets/a.ron", "1");
        let first = hash(folder.path()).unwrap();
        assert_eq!(first, hash(folder.path()).unwrap());
        write("assets/devices/b.ron", "2");
        let second = hash(folder.path()).unwrap();
        write("assets/devices/b.ron", "3");
        let third = hash(folder.path()).unwrap();
        assert!(first != second && second != third && first != third);
    }
}
