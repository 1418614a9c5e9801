//! The window: Bevy plugins, thin.
