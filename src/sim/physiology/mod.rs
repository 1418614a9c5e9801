//! Stage: physiology.
