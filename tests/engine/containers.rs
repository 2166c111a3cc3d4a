//! Containers: made, started, watched, ended, listed.

mod attach;
mod create;
mod list;
mod logs;
mod remove;
mod run;
mod stop;
mod terminal;
mod wait;
