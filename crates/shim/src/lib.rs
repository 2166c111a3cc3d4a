//! One container's parent: stdio, log, exit status; outlives the engine.
//!
//! The engine uses [`client`] to start a shim and to find it again, and
//! [`log`] to read what the container wrote.
//!
//! A shim owns, in the kernel, its container's processes, pipes or terminal
//! and control group; on disk its directory:
//!
//! ```text
//! <directory>/shim.sock   answers the engine after a restart of the engine
//! <directory>/shim.log    what the shim says on its standard error
//! <directory>/exit.json   how the container ended, once it has
//! ```
//!
//! All of it is gone when the engine has released the shim. If a shim is
//! killed, its directory stays for the engine to find and remove.

pub mod client;
mod clock;
mod container;
mod directory;
mod init;
pub mod log;
mod packet;
mod process;
pub mod protocol;
mod readiness;
mod socketcall;
mod streams;
mod supervisor;

pub use packet::PacketError;
pub use process::main;
