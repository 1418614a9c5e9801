//! Subcommands; one file each.

pub mod anatomy;

/// Parses the arguments and runs the subcommand.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
