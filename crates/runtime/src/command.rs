//! The command line's verbs.

pub mod events;
pub mod update;
