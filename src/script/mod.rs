//! Module: script.
