//! Threads: the session on one, the picture on another. Both hand over their latest result; nothing here waits for them.

mod replay;

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use replay::ReplayState;

use super::engine::{self, Engine, Opening};
use super::player::Player;
use super::review::{self, ReviewAsk};
use super::view::{CurveSample, TraceSample};
use crate::imaging::Frame;
use crate::imaging::archive::Archive;
use crate::imaging::review::Reviewed;
use crate::sim::command::Pedal;
use crate::sim::session::StepOutput;
use crate::sim::{Command, Event, Model, Snapshot};
use crate::training::Assessment;
use crate::units::{TICK_S, TICKS_PER_S};

/// Ticks that are caught up at once; beyond them time slows down.
const MOST_CATCH_UP: u32 = 4;
/// Pulses that wait for the picture; older ones of fluoroscopy are dropped.
const MOST_WAITING: usize = 6;

/// What the session's thread is told.
#[derive(Debug)]
enum Order {
    Commands(Vec<Command>),
    Pause(bool),
    /// Times as fast as it was (replay).
    Speed(f64),
    /// To this tick (replay).
    Jump(u64),
    Stop,
}

/// A picture and the state that it shows.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Picture.
    pub frame: Frame,
    /// State of its pulse.
    pub snapshot: Arc<Snapshot>,
}

/// What has arrived since the last look.
#[derive(Default)]
pub struct Mail {
    /// The case is ready, or why not.
    pub opened: Option<Result<Arc<Model>, String>>,
    /// Latest state.
    pub snapshot: Option<Snapshot>,
    /// Curves.
    pub trace: Vec<TraceSample>,
    /// Events, all of them.
    pub events: Vec<Event>,
    /// Objectives and errors, twice a second.
    pub assessment: Option<Assessment>,
    /// Simulated seconds per real second.
    pub time_factor: Option<f64>,
    /// Pictures, in order.
    pub frames: Vec<Shot>,
    /// The picture of a review.
    pub reviewed: Option<Arc<Reviewed>>,
    /// The run has ended: files written, or why not.
    pub ended: Option<Result<Vec<String>, String>>,
    /// Curves of the run that has ended.
    pub curves: Vec<CurveSample>,
    /// Something else went wrong.
    pub problem: Option<String>,
    /// A script is at work.
    pub scripted: bool,
    /// Where a replay is.
    pub replay: Option<ReplayState>,
}

#[derive(Default)]
struct Pulses {
    waiting: VecDeque<Picture>,
    closed: bool,
}

enum Picture {
    Pulse(Arc<Snapshot>),
    Hold,
    /// Loops were stored.
    Store(Arc<Snapshot>),
    Review(Box<ReviewAsk>),
}

#[derive(Default)]
struct Shared {
    mail: Mutex<Mail>,
    pulses: Mutex<Pulses>,
    pulse_came: Condvar,
}

/// The clock: it decides when a tick is made, never what is in it.
#[expect(clippy::disallowed_methods, reason = "the window keeps real time")]
fn now() -> Instant {
    Instant::now()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The two threads of a case.
pub struct Bridge {
    orders: Sender<Order>,
    shared: Arc<Shared>,
    session: Option<JoinHandle<()>>,
}

/// What a bridge needs besides the case.
#[derive(Clone, Debug, Default)]
pub struct BridgeConfig {
    /// Columns and rows of the picture.
    pub pixels: usize,
    /// Folder for the results of the run.
    pub results: std::path::PathBuf,
    /// Who works.
    pub operator: String,
}

impl Bridge {
    /// Starts the threads; the case is read and built on them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(opening: Opening, config: BridgeConfig) -> Result<Self, String> {
        let (orders, inbox) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let session = std::thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || session_thread(&opening, &config, &theirs, &inbox))
            .map_err(|e| e.to_string())?;
        Ok(Self { orders, shared, session: Some(session) })
    }

    /// Sends commands.
    pub fn send(&self, commands: Vec<Command>) {
        if !commands.is_empty() {
            self.order(Order::Commands(commands));
        }
    }

    /// Halts or goes on.
    pub fn pause(&self, on: bool) {
        self.order(Order::Pause(on));
    }

    /// Replays so many times as fast as it was.
    pub fn speed(&self, speed: f64) {
        self.order(Order::Speed(speed));
    }

    /// Asks for a picture of the review; an older wish that waits is dropped.
    pub fn review(&self, ask: ReviewAsk) {
        lock(&self.shared.pulses).waiting.retain(|p| !matches!(p, Picture::Review(_)));
        queue_picture(&self.shared, Picture::Review(Box::new(ask)));
    }

    /// Goes to a tick of the recording.
    pub fn jump(&self, tick: u64) {
        self.order(Order::Jump(tick));
    }

    /// A thread that has ended reads no orders; its last mail says why it ended.
    fn order(&self, order: Order) {
        self.orders.send(order).ok();
    }

    /// What has arrived; nothing if a thread is just writing.
    pub fn take(&self) -> Mail {
        match self.shared.mail.try_lock() {
            Ok(mut mail) => std::mem::take(&mut *mail),
            Err(_) => Mail::default(),
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.session.take() {
            thread.join().ok();
        }
    }
}

/// What the session's thread does.
enum Work {
    Run(Box<Engine>),
    Replay(Box<Player>),
}

impl Work {
    fn open(opening: &Opening) -> Result<Self, String> {
        match &opening.replay {
            Some(path) => Ok(Self::Replay(Box::new(Player::open(&opening.root, path)?))),
            None => Ok(Self::Run(Box::new(Engine::open(opening)?))),
        }
    }

    fn model(&self) -> &Arc<Model> {
        match self {
            Self::Run(engine) => engine.model(),
            Self::Replay(player) => player.model(),
        }
    }

    fn snapshot(&self) -> &Snapshot {
        match self {
            Self::Run(engine) => &engine.last().snapshot,
            Self::Replay(player) => &player.last().snapshot,
        }
    }
}

fn session_thread(opening: &Opening, config: &BridgeConfig, shared: &Arc<Shared>, inbox: &Receiver<Order>) {
    let work = match Work::open(opening) {
        Ok(work) => work,
        Err(why) => {
            lock(&shared.mail).opened = Some(Err(why));
            return;
        }
    };
    let model = Arc::clone(work.model());
    let pixels = config.pixels;
    let seed = opening.seed;
    let theirs = Arc::clone(shared);
    let picture_model = Arc::clone(&model);
    let picture = std::thread::Builder::new()
        .name("picture".to_owned())
        .spawn(move || picture_thread(&picture_model, pixels, seed, &theirs));
    {
        let mut mail = lock(&shared.mail);
        mail.snapshot = Some(work.snapshot().clone());
        if let Work::Run(engine) = &work {
            mail.assessment = Some(engine.assessment());
        }
        mail.opened = Some(Ok(model));
    }
    if let Err(e) = &picture {
        lock(&shared.mail).problem = Some(format!("No thread for the picture: {e}"));
    }
    match work {
        Work::Run(engine) => run(*engine, config, shared, inbox),
        Work::Replay(player) => replay::replay(*player, shared, inbox),
    }
    {
        let mut pulses = lock(&shared.pulses);
        pulses.closed = true;
        pulses.waiting.clear();
    }
    shared.pulse_came.notify_all();
    if let Ok(thread) = picture {
        thread.join().ok();
    }
}

/// Keeps simulated time with the clock: how many ticks are due, and how fast time really runs.
#[derive(Debug)]
pub struct Pace {
    next: Instant,
    since: Instant,
    ticks: u32,
    /// Real time of one tick.
    tick: Duration,
}

impl Pace {
    /// Starts now.
    pub fn new(now: Instant) -> Self {
        Self::at_speed(now, 1.0)
    }

    /// Starts now, so many times as fast as real time.
    pub fn at_speed(now: Instant, speed: f64) -> Self {
        Self { next: now, since: now, ticks: 0, tick: Duration::from_secs_f64(TICK_S / speed.max(0.01)) }
    }

    /// How long to wait for the next tick; zero when it is due. What lies more than four ticks back is let go.
    pub fn wait(&mut self, now: Instant) -> Duration {
        let oldest = now.checked_sub(self.tick * MOST_CATCH_UP).unwrap_or(now);
        if self.next < oldest {
            self.next = oldest;
        }
        self.next.saturating_duration_since(now)
    }

    /// A tick was done. Once a second: simulated seconds per real second.
    pub fn done(&mut self, now: Instant) -> Option<f64> {
        self.next += self.tick;
        self.ticks += 1;
        let real_s = now.duration_since(self.since).as_secs_f64();
        if real_s < 1.0 {
            return None;
        }
        let factor = f64::from(self.ticks) * TICK_S / real_s;
        self.since = now;
        self.ticks = 0;
        Some(factor)
    }
}

fn run(mut engine: Engine, config: &BridgeConfig, shared: &Shared, inbox: &Receiver<Order>) {
    let mut pace = Pace::new(now());
    let mut paused = true;
    let mut beam = false;
    loop {
        let wait = if paused { Duration::from_millis(200) } else { pace.wait(now()) };
        match inbox.recv_timeout(wait) {
            Ok(Order::Commands(commands)) => {
                for command in commands {
                    engine.submit(command);
                }
                continue;
            }
            Ok(Order::Pause(on)) => {
                if paused && !on {
                    pace = Pace::new(now());
                }
                paused = on;
                continue;
            }
            // Only a replay has another speed or place.
            Ok(Order::Speed(_) | Order::Jump(_)) => continue,
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if paused {
            continue;
        }
        let finished = tick(&mut engine, shared, &mut beam);
        let factor = pace.done(now());
        let second = engine.last().snapshot.tick.is_multiple_of(TICKS_PER_S);
        let saved = if second || finished { engine.save() } else { Ok(()) };
        let half_second = engine.last().snapshot.tick.is_multiple_of(TICKS_PER_S / 2);
        let assessment = (half_second || finished).then(|| engine.assessment());
        let ended = finished.then(|| engine.write_results(&config.results, &config.operator));
        let mut mail = lock(&shared.mail);
        mail.time_factor = factor.or(mail.time_factor);
        mail.assessment = assessment.or(mail.assessment.take());
        mail.problem = saved.err().or_else(|| mail.problem.take());
        mail.scripted = engine.is_scripted();
        mail.problem = engine.take_script_fault().or_else(|| mail.problem.take());
        if ended.is_some() {
            mail.curves = engine.curves();
            mail.ended = ended;
            break;
        }
    }
    // What is still unsaved goes to the disk; a fault here has no one left to be told to.
    engine.save().ok();
}

/// One tick and its post; true when the operator finished.
fn tick(engine: &mut Engine, shared: &Shared, beam: &mut bool) -> bool {
    let output = engine.step().clone();
    let snapshot = &output.snapshot;
    if snapshot.xray.pulse.is_some() {
        queue_picture(shared, Picture::Pulse(Arc::new(snapshot.clone())));
    }
    let on = snapshot.xray.pedal != Pedal::Off;
    if *beam && !on {
        queue_picture(shared, Picture::Hold);
    }
    *beam = on;
    if output.events.iter().any(|e| matches!(e.kind, crate::sim::EventKind::FluoroStored { .. })) {
        queue_picture(shared, Picture::Store(Arc::new(snapshot.clone())));
    }
    let finished = output.events.iter().any(|e| e.kind == crate::sim::EventKind::Finished);
    tick_mail(&mut lock(&shared.mail), output);
    finished
}

/// What a tick tells the window.
fn tick_mail(mail: &mut Mail, output: StepOutput) {
    let patient = &output.snapshot.patient;
    mail.trace.push(TraceSample {
        time_s: output.snapshot.time_s,
        ecg_mv: patient.ecg_mv as f32,
        pressure_mmhg: patient.pressure_mmhg as f32,
        pleth: patient.pleth as f32,
        tip_mmhg: output.snapshot.connected_line().map(|l| l.pressure_mmhg as f32),
    });
    mail.events.extend(output.events);
    mail.snapshot = Some(output.snapshot);
}

/// Frames of a run are never dropped; of fluoroscopy the oldest go when the picture cannot keep up.
fn queue_picture(shared: &Shared, picture: Picture) {
    let mut pulses = lock(&shared.pulses);
    pulses.waiting.push_back(picture);
    if pulses.waiting.len() > MOST_WAITING {
        let is_fluoro =
            |p: &Picture| matches!(p, Picture::Pulse(s) if s.xray.pulse.is_some_and(|p| p.run.is_none()));
        if let Some(i) = pulses.waiting.iter().position(is_fluoro) {
            pulses.waiting.remove(i);
        }
    }
    drop(pulses);
    shared.pulse_came.notify_one();
}

fn picture_thread(model: &Model, pixels: usize, seed: u64, shared: &Shared) {
    let mut renderer = engine::renderer(model, pixels, seed);
    let mut archive = Archive::default();
    let mut last = Arc::new(Snapshot::default());
    loop {
        let picture = {
            let mut pulses = lock(&shared.pulses);
            loop {
                if pulses.closed {
                    return;
                }
                if let Some(p) = pulses.waiting.pop_front() {
                    break p;
                }
                pulses = shared.pulse_came.wait(pulses).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let frame = match picture {
            Picture::Pulse(snapshot) => {
                let frame = renderer.render(&snapshot);
                archive.add(&snapshot, &frame, renderer.signal_kev());
                last = snapshot;
                Some(frame)
            }
            Picture::Hold => renderer.held(),
            Picture::Store(snapshot) => {
                archive.follow(&snapshot);
                None
            }
            Picture::Review(ask) => {
                let reviewed = review::answer(&archive, &ask).map(Arc::new);
                let mut mail = lock(&shared.mail);
                mail.reviewed = reviewed.or(mail.reviewed.take());
                None
            }
        };
        let shot = frame.map(|frame| Shot { frame, snapshot: Arc::clone(&last) });
        lock(&shared.mail).frames.extend(shot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::print_stdout, reason = "prints its residual")]
    fn at_most_four_ticks_are_caught_up_and_the_factor_says_so() {
        let start = now();
        let mut pace = Pace::new(start);
        let late = start + Duration::from_secs(10);
        let mut caught = 0;
        while pace.wait(late).is_zero() {
            assert!(caught < 100);
            caught += 1;
            pace.done(late);
        }
        // The tick that is due now and four before it.
        assert_eq!(caught, 5);
        let mut pace = Pace::new(start);
        let mut now = start;
        let mut factor = None;
        for _ in 0..60 {
            now += Duration::from_millis(50);
            pace.wait(now);
            factor = pace.done(now).or(factor);
        }
        let factor = factor.unwrap();
        println!("50 ms per tick: factor {factor:.4}, expected {:.4}", TICK_S / 0.05);
        assert!((factor - TICK_S / 0.05).abs() < 1e-3);
    }
}
