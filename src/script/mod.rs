//! Scripted operators: one format of timed and closed-loop steps.
//!
//! A script perceives as a trainee does: a [`Percept`] holds devices projected by the present C-arm while the beam is
//! on, the last run's vessels in projection, lengths and forces at the hubs, vitals and volumes. Steps that aim also know
//! how a device lies in depth ([`Lie`]), as a second view would tell. It sends hub, injector, C-arm, tray and pedal
//! commands, nothing else.

mod dilate;
mod driver;
mod embolize;
mod hands;
mod inject;
mod load;
mod motion;
mod percept;
mod see;
mod select;
mod steer;
mod types;

pub use driver::Driver;
pub use load::{ScriptError, check_names, parse};
pub use percept::{Course, Eye, Lie, Percept, Point2, SeenTool, ToolPercept, picture_point};
pub use types::{By, Screen, Script, Step, Until};
