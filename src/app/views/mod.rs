//! Monitors: live, reference, curves, see-through patient; and how they share the window.

mod live;
mod reference;
mod screen;
mod vitals;

pub use live::{angles, live_ui};
pub use reference::{reference_ui, truth_ui};
pub use screen::screen_ui;
pub use vitals::vitals_ui;
