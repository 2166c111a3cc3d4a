//! The commands about containers, one file each.

pub(crate) mod attach;
pub(crate) mod create;
pub(crate) mod exec;
mod flags;
pub(crate) mod kill;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod options;
pub(crate) mod remove;
pub(crate) mod run;
mod session;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod wait;
