//! `cathnav demo`: the expert script of a case.

use std::path::PathBuf;

use super::{CliError, attempt, run};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    #[arg(default_value = "pelvic_bleeding")]
    pub case: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Folder for frames, reports and recording when it runs headless
    #[arg(long, default_value = "demo-out")]
    pub out: PathBuf,
    /// A picture of the window, for tests
    #[command(flatten)]
    pub picture: super::play::Picture,
}

/// Runs the subcommand: in the window where there is one, else headless.
pub fn run(args: &Args) -> Result<(), CliError> {
    let case = attempt::resolve(&args.case, "scenarios")?;
    let stem = case.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let script = attempt::resolve(&PathBuf::from(format!("{stem}_expert.ron")), "assets/scripts")?;
    #[cfg(feature = "app")]
    match crate::app::probe() {
        Ok(()) => return super::play::demo(case, script, args.seed, &args.picture),
        Err(reason) => {
            super::say(&format!("no window ({reason}); the demo runs headless into {}", args.out.display()))?;
        }
    }
    #[cfg(not(feature = "app"))]
    super::say(&format!("built without the window; the demo runs headless into {}", args.out.display()))?;
    run::run(&run::Args {
        case,
        script,
        out: args.out.clone(),
        seed: args.seed,
        seconds: attempt::MAX_SECONDS,
        fps: 1.0,
    })
}
