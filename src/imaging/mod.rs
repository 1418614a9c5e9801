//! Module: imaging.
