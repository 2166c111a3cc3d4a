//! The commands about images.

pub(crate) mod list;
pub(crate) mod load;
mod progress;
pub(crate) mod pull;
pub(crate) mod remove;
mod spinner;
