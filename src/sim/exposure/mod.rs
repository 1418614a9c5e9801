//! Stage: exposure.
