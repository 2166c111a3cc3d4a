//! Checkpoint and restore, by criu.
//!
//! `TARE_TEST_CRIU` names the program, else it is the `criu` of PATH. It works
//! on some kernels only, which `criu check` tells: where it does not, the tests
//! that need it ask for the clear error and a container that goes on.

#[macro_use]
#[path = "../conformance/registration.rs"]
mod registration;
#[path = "../harness/mod.rs"]
mod harness;

#[expect(dead_code, reason = "the conformance suite uses all of it")]
#[path = "../conformance/bundle.rs"]
mod bundle;
#[expect(dead_code, reason = "the conformance suite uses all of it")]
#[path = "../conformance/cgroups.rs"]
mod cgroups;
#[expect(dead_code, reason = "the conformance suite uses all of it")]
#[path = "../conformance/mountinfo.rs"]
mod mountinfo;
#[path = "../conformance/outcome.rs"]
mod outcome;
#[path = "../conformance/runtime.rs"]
mod runtime;
#[path = "../conformance/socket.rs"]
mod socket;
#[expect(dead_code, reason = "the conformance suite uses all of it")]
#[path = "../conformance/subtree.rs"]
mod subtree;

mod criu;

mod failures;
mod restores;

fn main() -> std::process::ExitCode {
    if !std::env::args().any(|argument| argument == "--list") {
        subtree::isolate();
    }
    harness::run(&[failures::TESTS, restores::TESTS].concat(), &[])
}
