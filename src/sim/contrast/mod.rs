//! Stage: contrast.
