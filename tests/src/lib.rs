//! Harness of the end-to-end tests: real engines in sandboxes, driven as people
//! drive them, and looked at from outside.
//!
//! Every test has a [`Sandbox`]: its own processes, network, mounts and control
//! groups, in which an [`Engine`] and whatever else the test needs are started.
//! Nothing in it can disturb another test or the machine, what is in it can be
//! counted exactly ([`Leaks`]), and when the test ends, however it ends, the
//! kernel ends everything in it.
//!
//! `TARE_TEST_AGAINST=docker` starts `dockerd` in place of our engine and the
//! `docker` client in place of ours: what a test of the API asserts is true of
//! the real thing first.
//!
//! The harness panics: a test that cannot be set up has failed.

mod client;
mod engine;
mod http;
mod image;
mod leaks;
mod registry;
mod sandbox;
mod served;
mod terminal;

pub use client::Output;
pub use engine::{Engine, Options, executable};
pub use http::{Connection, Frame, Response, StreamKind};
pub use image::{ImageBuilder, digest, image_archive, image_layout};
pub use leaks::Leaks;
pub use registry::Registry;
pub use sandbox::Sandbox;
pub use served::{Answer, Cut, ServedRegistry};
pub use terminal::Terminal;

use std::time::{Duration, Instant};

/// Whether the tests run against `dockerd` (`TARE_TEST_AGAINST=docker`).
pub fn against_docker() -> bool {
    match std::env::var("TARE_TEST_AGAINST").as_deref() {
        Ok("docker") => true,
        Ok("tare") | Err(_) => false,
        Ok(other) => panic!("TARE_TEST_AGAINST is tare or docker, not {other}"),
    }
}

/// Asks again until the answer is something, for at most ten seconds.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
