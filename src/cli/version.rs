//! `cathnav --version`: version and hash of the assets.

use super::CliError;

/// Prints the version and the hash of everything below `assets/`.
pub fn run() -> Result<(), CliError> {
    let root = super::root()?;
    let hash = crate::assets::hash(&root)
        .map_err(|e| CliError::bad_input(format!("the assets in {} cannot be read: {e}", root.display())))?;
    super::say(&format!("cathnav {} (assets {hash})", env!("CARGO_PKG_VERSION")))
}
