//! The commands about the engine as a whole.

pub(crate) mod info;
pub(crate) mod version;
