//! Containers of somebody who is not root, by the command line, and containers
//! in user namespaces.
//!
//! The program is root and each test's commands are those of a user that the
//! host has not heard of, in a mount namespace of the program's own: what is
//! mounted over the host's files (/etc/subuid) shows here alone.

#[macro_use]
#[path = "../conformance/registration.rs"]
mod registration;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../conformance/outcome.rs"]
mod outcome;
#[path = "../conformance/socket.rs"]
mod socket;
#[expect(dead_code, reason = "the conformance suite uses all of it")]
#[path = "../conformance/subtree.rs"]
mod subtree;

mod caller;

mod groups;
mod life;
mod mapped;
mod nested;
mod overwriting;
mod place;

fn main() -> std::process::ExitCode {
    if !std::env::args().any(|argument| argument == "--list") {
        subtree::isolate();
    }
    harness::run(
        &[
            groups::TESTS,
            life::TESTS,
            mapped::TESTS,
            nested::TESTS,
            overwriting::TESTS,
            place::TESTS,
        ]
        .concat(),
        &[],
    )
}
