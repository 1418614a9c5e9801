//! `cathnav anatomy`: builds, lists and shows anatomies.

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Build the meshes of an anatomy from its description
    Build {
        /// Name of the anatomy
        name: String,
    },
    /// List the anatomies
    List,
    /// Show the vessels of an anatomy
    Show {
        /// Name of the anatomy
        name: String,
    },
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    match &args.command {
        Action::Build { name } | Action::Show { name } => super::not_built_yet(&format!("anatomy {name}")),
        Action::List => super::not_built_yet("anatomy list"),
    }
}
