//! Stage: rod.
