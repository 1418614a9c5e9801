//! Headless tests of the core: analytic, property, golden, determinism, regressions.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests print residuals and may unwrap")]

// One line per part, alphabetical:
// #[path = "core/rods.rs"] mod rods;
#[path = "core/anatomy.rs"]
mod anatomy;
#[path = "core/blood.rs"]
mod blood;
#[path = "core/case_schema.rs"]
mod case_schema;
#[path = "core/cases.rs"]
mod cases;
#[path = "core/import.rs"]
mod import;
#[path = "core/meshes.rs"]
mod meshes;
#[path = "core/real_anatomy.rs"]
mod real_anatomy;
#[path = "core/rods.rs"]
mod rods;
#[path = "core/script.rs"]
mod script;
#[path = "core/session.rs"]
mod session;
#[path = "core/training.rs"]
mod training;
#[path = "core/tubes.rs"]
mod tubes;
#[path = "core/wall.rs"]
mod wall;
#[path = "core/world.rs"]
mod world;
#[path = "core/xray.rs"]
mod xray;
