//! Real shims, executed as the engine executes them, with real containers.
//!
//! Run as root. Each test has a directory, control groups and namespaces of
//! its own and looks afterwards that nothing of them is left.

mod engine_away;
mod exec;
mod fixture;
mod i386;
mod init;
mod input;
mod life;
mod output;
mod socketcall;
mod terminal;
