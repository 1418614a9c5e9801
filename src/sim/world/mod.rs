//! Stage: world.
