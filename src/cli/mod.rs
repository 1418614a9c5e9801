//! Subcommands; one file each.

/// Parses the arguments and runs the subcommand.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
