//! The simulation: an immutable [`Model`], a [`State`] that holds everything needed to go on bit-exactly, and one
//! function, [`step()`], that advances it. Everything outside sends [`Command`]s and reads [`Snapshot`]s and [`Event`]s.

pub mod command;
pub mod event;
pub mod model;
pub mod record;
pub mod session;
pub mod snapshot;
pub mod state;
pub mod step;

pub mod contact;
pub mod contrast;
pub mod dilation;
pub mod exposure;
pub mod flow;
pub mod harm;
pub mod implant;
mod opening;
pub mod physiology;
mod placing;
pub mod protection;
pub mod rod;
pub mod therapy;
mod walls;
mod wiring;
pub mod world;

pub use command::{Command, ToolId};
pub use event::{Event, EventKind};
pub use model::{Model, ModelError};
pub use session::{Session, StepOutput};
pub use snapshot::Snapshot;
pub use state::State;
pub use step::step;
