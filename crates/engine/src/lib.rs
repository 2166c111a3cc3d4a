//! The engine: containers, exec, images, networks and logs, without
//! HTTP.
//!
//! # What it owns
//!
//! * Rows of `containers` in the store's database (one JSON record each, see
//!   [`containers`]); they are committed before a caller is told of them.
//! * `<data root>/containers/<id>/`: `hosts`, `hostname`, `resolv.conf` and the
//!   container's log. Upper and work directory belong to `tare-storage`.
//! * `<exec root>/shims/<id>/`: a shim's socket and exit record, written by the
//!   shim, removed when its exit has been stored.
//!
//! # Who may touch it
//!
//! Every public operation is a method of [`Engine`], safe to call from any task.
//! Operations on one container are serialised by that container's lock;
//! operations on different containers never wait for each other.
//!
//! # What a crash leaves behind
//!
//! Nothing that [`Engine::open`] does not mend: it compares the database, the
//! live shims and the kernel, finishes what was under way and removes what no
//! record names.

mod config;
pub mod containers;
mod descriptors;
mod engine;
mod error;
pub mod exec;
mod executable;
pub mod images;
mod meeting;
pub mod networks;
mod readable;
mod remains;
mod restore;
mod settings;
mod shim;
mod signal;
pub mod system;

pub use config::Config;
pub use engine::Engine;
pub use error::{Error, Kind, Result};
