//! `cathnav anatomy build|list|show`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::anatomy::{self, Anatomy, AnatomyError};

/// Builds, lists and shows anatomies.
#[derive(Debug, Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Builds tree, lumen and body surfaces from `anatomy.ron` and stores them beside it.
    Build {
        /// Names below assets/anatomy, or folders; all of assets/anatomy when none is given.
        names: Vec<String>,
    },
    /// Lists the anatomies below assets/anatomy.
    List,
    /// Prints the branches of an anatomy.
    Show {
        /// Name below assets/anatomy, or a folder.
        name: String,
    },
}

/// Runs the subcommand; the table goes to standard output.
pub fn run(args: &Args) -> Result<ExitCode, AnatomyError> {
    let mut text = String::new();
    match &args.action {
        Action::Build { names } => {
            let dirs = if names.is_empty() { all()? } else { names.iter().map(|n| folder(n)).collect() };
            for dir in dirs {
                let built = anatomy::build_folder(&dir)?;
                text += &summary(&built, &dir);
            }
        }
        Action::List => {
            for dir in all()? {
                let file = anatomy::read_file(&dir)?;
                text += &format!("{:<16} {}\n", file.name(), file.title());
            }
        }
        Action::Show { name } => text = table(&anatomy::load(&folder(name))?),
    }
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(|source| AnatomyError::Io {
        path: PathBuf::from("standard output"),
        what: "cannot be written",
        source,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn assets() -> PathBuf {
    crate::assets::root().map_or_else(|| PathBuf::from("assets"), |root| root.join("assets"))
}

/// A folder by its path, or by its name below the assets.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(name);
    if path.is_dir() { path.to_path_buf() } else { assets().join("anatomy").join(name) }
}

fn all() -> Result<Vec<PathBuf>, AnatomyError> {
    let assets = assets();
    Ok(anatomy::list(&assets)?.iter().map(|n| assets.join("anatomy").join(n)).collect())
}

fn summary(a: &Anatomy, dir: &Path) -> String {
    let body: usize = a.body.iter().map(|s| s.mesh.triangles.len()).sum();
    format!(
        "{}: {} branches, lumen of {} triangles, {} body surfaces of {} triangles\n",
        dir.display(),
        a.tree.branches.len(),
        a.lumen.mesh.triangles.len(),
        a.body.len(),
        body
    )
}

/// One line per branch.
fn table(a: &Anatomy) -> String {
    let mut text = format!(
        "{}: {}\n{:<34} {:<46} {:>8} {:>15} {:>9} {:>11}\n",
        a.name, a.title, "name", "label", "length", "diameter", "take-off", "flow"
    );
    for b in &a.tree.branches {
        let ends = [b.points.first(), b.points.last()].map(|p| p.map_or(0.0, |p| 2.0 * p.radius_mm));
        let take_off = a.tree.take_off_deg(b).map_or_else(|| "root".to_owned(), |d| format!("{d:.0} deg"));
        let flow =
            b.outlet.as_ref().map_or_else(String::new, |o| format!("{:.1} mL/min", o.flow_ml_per_s * 60.0));
        text += &format!(
            "{:<34} {:<46} {:>5.1} mm {:>5.2} > {:>4.2} mm {:>9} {:>11}\n",
            b.name,
            b.label,
            b.length_mm(),
            ends[0],
            ends[1],
            take_off,
            flow
        );
    }
    text
}
