//! `cathnav record`: a recording from a script.

use std::path::PathBuf;

use super::CliError;
use super::attempt::{self, Pictures, Watcher};
use crate::sim::Session;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    pub case: PathBuf,
    /// Script of timed or closed-loop steps
    #[arg(long)]
    pub script: PathBuf,
    /// Recording to write (.cnr)
    #[arg(long)]
    pub out: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let model = attempt::load_model(&attempt::resolve(&args.case, "scenarios")?)?;
    let mut driver = attempt::load_driver(&attempt::resolve(&args.script, "assets/scripts")?, &model)?;
    let mut session = Session::new(model.clone(), args.seed);
    let mut watcher = Watcher::new(&model, &session.snapshot(), &Pictures::default())?;
    let outcome = attempt::drive(&mut session, &mut driver, &mut watcher, attempt::MAX_SECONDS)?;
    super::write_file(&args.out, &session.recording_bytes())?;
    super::say(&format!(
        "wrote {}: {} ticks, state hash {}",
        args.out.display(),
        outcome.ticks,
        session.hash()
    ))?;
    match outcome.failure {
        Some(reason) => Err(CliError::failed_check(format!("the script could not go on: {reason}"))),
        None => Ok(()),
    }
}
