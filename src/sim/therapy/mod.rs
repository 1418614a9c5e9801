//! Stage: therapy.
