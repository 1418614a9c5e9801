//! `cathnav run`: a headless run of a script.

use std::path::PathBuf;
use std::time::Duration;

use super::CliError;
use super::attempt::{self, Outcome, Pictures, Watcher};
use crate::sim::Session;
use crate::training::ReportMeta;
use crate::units::TICK_S;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    pub case: PathBuf,
    /// Script of timed or closed-loop steps
    #[arg(long)]
    pub script: PathBuf,
    /// Folder for report.html, report.json, telemetry.csv, recording.cnr and frames
    #[arg(long)]
    pub out: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Stop after this much simulated time, s
    #[arg(long, default_value_t = attempt::MAX_SECONDS)]
    pub seconds: f64,
    /// Fluoroscopy frames written per second, besides all frames of runs; 0 writes none
    #[arg(long, default_value_t = 1.0)]
    pub fps: f64,
}

/// Runs the subcommand: exit 1 when the script cannot go on.
pub fn run(args: &Args) -> Result<(), CliError> {
    let done = headless(args)?;
    for path in &done.written {
        super::say(&format!("wrote {}", path.display()))?;
    }
    super::say(&done.verdict)?;
    super::say(&done.last_line)?;
    match done.outcome.failure {
        Some(reason) => Err(CliError::failed_check(format!("the script could not go on: {reason}"))),
        None => Ok(()),
    }
}

/// What a headless run gave.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) written: Vec<PathBuf>,
    pub(super) verdict: String,
    pub(super) last_line: String,
}

/// Does the whole run and writes everything.
pub(super) fn headless(args: &Args) -> Result<Done, CliError> {
    let model = attempt::load_model(&attempt::resolve(&args.case, "scenarios")?)?;
    let script_path = attempt::resolve(&args.script, "assets/scripts")?;
    let mut driver = attempt::load_driver(&script_path, &model)?;
    let mut session = Session::new(model.clone(), args.seed);
    let start = session.snapshot();
    let pictures =
        Pictures { render: true, frames_dir: Some(args.out.join("frames")), fps: args.fps, seed: args.seed };
    std::fs::create_dir_all(&args.out)
        .map_err(|e| CliError::bad_input(format!("cannot make {}: {e}", args.out.display())))?;
    let mut watcher = Watcher::new(&model, &start, &pictures)?;
    let clock = Clock::start();
    let outcome = attempt::drive(&mut session, &mut driver, &mut watcher, args.seconds)?;
    let wall_time = clock.elapsed();

    let recording = args.out.join("recording.cnr");
    super::write_file(&recording, &session.recording_bytes())?;
    let meta = ReportMeta {
        version: crate::VERSION.to_owned(),
        case_hash: crate::math::hash::hex_of_bytes(model.case_text.as_bytes()),
        seed: args.seed,
        operator: format!("script {}", script_path.display()),
        state_hash: session.hash().to_string(),
        recording: "recording.cnr".to_owned(),
    };
    let mut written = watcher.write_reports(&model, &meta, &start, &args.out)?;
    written.push(recording);
    if watcher.written > 0 {
        written.push(args.out.join("frames"));
    }
    let simulated_s = outcome.ticks as f64 * TICK_S;
    let assessment = watcher.observer().assessment();
    Ok(Done {
        verdict: attempt::verdict(&assessment),
        last_line: format!(
            "{} ticks, real-time factor {:.2} with {} pictures, state hash {}",
            outcome.ticks,
            simulated_s / wall_time.as_secs_f64().max(1e-9),
            watcher.pictures,
            session.hash()
        ),
        outcome,
        written,
    })
}

/// The wall clock, for the real-time factor alone; it decides nothing.
struct Clock(std::time::Instant);

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "reports how fast the run was; nothing in it depends on this"
    )]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
