//! Module: training.
