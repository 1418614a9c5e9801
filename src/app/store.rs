//! The user's own files: keys, best results, the recording of the present run. Never a half-written one.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::keys::KeyTable;

/// Where the user's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    config: PathBuf,
    data: PathBuf,
}

/// Best results by case id: points, most points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BestResults(pub BTreeMap<String, (f64, f64)>);

impl Store {
    /// The usual folders of the system: `$XDG_CONFIG_HOME/cathnav` and `$XDG_DATA_HOME/cathnav`, `%APPDATA%\cathnav`.
    pub fn of_user() -> Self {
        let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = var("HOME").or_else(|| var("USERPROFILE")).unwrap_or_else(std::env::temp_dir);
        let folder = |xdg: &str, fallback: &str| {
            var(xdg).or_else(|| var("APPDATA")).unwrap_or_else(|| home.join(fallback)).join("cathnav")
        };
        Self { config: folder("XDG_CONFIG_HOME", ".config"), data: folder("XDG_DATA_HOME", ".local/share") }
    }

    /// All files in one folder (tests, portable use).
    pub fn in_folder(folder: &Path) -> Self {
        Self { config: folder.to_path_buf(), data: folder.to_path_buf() }
    }

    /// The recording that is written while a run goes on; what is there at the start was left by a crash.
    pub fn running(&self) -> PathBuf {
        self.data.join("running.cnr")
    }

    /// The folder of all finished runs.
    pub fn runs(&self) -> PathBuf {
        self.data.join("runs")
    }

    /// The folder of a finished run, a new one each time.
    pub fn new_run_folder(&self, case_id: &str) -> PathBuf {
        let clean: String =
            case_id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
        let runs = self.runs();
        (1_u32..).map(|n| runs.join(format!("{clean}-{n:03}"))).find(|p| !p.exists()).unwrap_or(runs)
    }

    /// The file of keys.
    pub fn keys_file(&self) -> PathBuf {
        self.config.join("keys.ron")
    }

    /// The user's keys; a fault in the file is said, and the keys as delivered hold.
    pub fn keys(&self) -> (KeyTable, Option<String>) {
        match KeyTable::load(&self.keys_file()) {
            Ok(table) => (table, None),
            Err(fault) => (KeyTable::default(), Some(fault)),
        }
    }

    /// Keeps the keys.
    pub fn save_keys(&self, keys: &KeyTable) -> Result<(), String> {
        write_whole(&self.keys_file(), keys.to_ron()?.as_bytes())
    }

    /// Best results; none if the file is missing or unreadable.
    pub fn best(&self) -> BestResults {
        let text = std::fs::read_to_string(self.data.join("best.ron")).unwrap_or_default();
        ron::from_str(&text).unwrap_or_default()
    }

    /// Keeps a result if it is the best.
    pub fn note_result(&self, case_id: &str, score: f64, max: f64) -> Result<(), String> {
        let mut best = self.best();
        if best.0.get(case_id).is_some_and(|(s, _)| *s >= score) {
            return Ok(());
        }
        best.0.insert(case_id.to_owned(), (score, max));
        let text = ron::ser::to_string_pretty(&best, ron::ser::PrettyConfig::default())
            .map_err(|e| e.to_string())?;
        write_whole(&self.data.join("best.ron"), text.as_bytes())
    }
}

/// Writes a file whole or not at all: to a temporary file beside it, then renamed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let fault = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| fault(&e))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| fault(&e))?;
    file.write_all(bytes).map_err(|e| fault(&e))?;
    file.persist(path).map_err(|e| fault(&e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keys::KeyAction;

    #[test]
    fn keys_and_results_come_back_and_only_the_best_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_folder(folder.path());
        assert_eq!(store.keys(), (KeyTable::default(), None));
        let mut keys = KeyTable::default();
        keys.rebind(KeyAction::Fluoro, "F5".parse().unwrap());
        store.save_keys(&keys).unwrap();
        assert_eq!(store.keys(), (keys, None));
        std::fs::write(store.keys_file(), "{Fluor: []}").unwrap();
        let (table, fault) = store.keys();
        assert_eq!(table, KeyTable::default());
        assert!(fault.unwrap().contains("keys.ron"));
        store.note_result("a", 60.0, 100.0).unwrap();
        store.note_result("a", 40.0, 100.0).unwrap();
        assert_eq!(store.best().0["a"], (60.0, 100.0));
        let first = store.new_run_folder("a/b c");
        assert!(first.ends_with("runs/a-b-c-001"));
        std::fs::create_dir_all(&first).unwrap();
        assert!(store.new_run_folder("a/b c").ends_with("runs/a-b-c-002"));
    }
}
