//! Inline drawings.
