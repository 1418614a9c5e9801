//! Arguments to subcommand; everything else is in the library.

fn main() -> std::process::ExitCode {
    cathnav::cli::main()
}
