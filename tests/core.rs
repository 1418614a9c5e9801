//! Headless tests of the core: analytic, property, golden, determinism, regressions.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests print residuals and may unwrap")]

// One line per part, alphabetical:
// #[path = "core/rods.rs"] mod rods;
#[path = "core/anatomy.rs"]
mod anatomy;
#[path = "core/angioplasty.rs"]
mod angioplasty;
#[path = "core/arch.rs"]
mod arch;
#[path = "core/blood.rs"]
mod blood;
#[path = "core/breathing.rs"]
mod breathing;
#[path = "core/case_schema.rs"]
mod case_schema;
#[path = "core/cases.rs"]
mod cases;
#[path = "core/catalog.rs"]
mod catalog;
#[path = "core/coils.rs"]
mod coils;
#[path = "core/dilation.rs"]
mod dilation;
#[path = "core/exchange.rs"]
mod exchange;
#[path = "core/import.rs"]
mod import;
#[path = "core/landmarks.rs"]
mod landmarks;
#[path = "core/meshes.rs"]
mod meshes;
#[path = "core/occlusions.rs"]
mod occlusions;
#[path = "core/operator.rs"]
mod operator;
#[path = "core/plugs.rs"]
mod plugs;
#[path = "core/protection.rs"]
mod protection;
#[path = "core/reach.rs"]
mod reach;
#[path = "core/real_anatomy.rs"]
mod real_anatomy;
#[path = "core/regions.rs"]
mod regions;
#[path = "core/retrieval.rs"]
mod retrieval;
#[path = "core/rods.rs"]
mod rods;
#[path = "core/rods_buckling.rs"]
mod rods_buckling;
#[path = "core/rods_friction.rs"]
mod rods_friction;
#[path = "core/rods_shapes.rs"]
mod rods_shapes;
#[path = "core/rods_steps.rs"]
mod rods_steps;
#[path = "core/rods_torque.rs"]
mod rods_torque;
#[path = "core/room.rs"]
mod room;
#[path = "core/script.rs"]
mod script;
#[path = "core/session.rs"]
mod session;
#[path = "core/shift.rs"]
mod shift;
#[path = "core/stents.rs"]
mod stents;
#[path = "core/table.rs"]
mod table;
#[path = "core/training.rs"]
mod training;
#[path = "core/training_dilation.rs"]
mod training_dilation;
#[path = "core/training_implants.rs"]
mod training_implants;
#[path = "core/tubes.rs"]
mod tubes;
#[path = "core/wall.rs"]
mod wall;
#[path = "core/world.rs"]
mod world;
#[path = "core/xray.rs"]
mod xray;
