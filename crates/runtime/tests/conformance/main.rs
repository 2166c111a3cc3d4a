//! The conformance suite: what version 1.2 of the OCI runtime specification
//! says a runtime MUST do on Linux, and what its command line does with bad
//! input.
//!
//! A test is named after its requirement, and its comment says where that
//! stands. The runtime is driven by its command line only, so any runtime with
//! runc's command line can be tested: `TARE_RUNTIME` names its executable.
//! Against runc, which proves the suite, the tests in [`exceptions`] are left
//! out; against this project's runtime none is.
//!
//! Everything happens in a mount namespace of the program's own, and every
//! process that a runtime leaves behind becomes the program's child, so that
//! what a test left is found and ends with it.

#[macro_use]
mod registration;
#[path = "../harness/mod.rs"]
mod harness;

mod bundle;
mod cgroups;
mod exceptions;
mod mountinfo;
mod outcome;
mod runtime;
mod socket;
mod subtree;

mod capabilities;
mod default_files;
mod delete;
mod devices;
mod hook_failures;
mod hooks;
mod lifecycle;
mod mappings;
mod mount_options;
mod mounts;
mod names;
mod namespaces;
mod process;
mod propagation;
mod rlimits;
mod root;
mod scheduling;
mod security;
mod signals;
mod state;
mod terminal;
mod user;

fn main() -> std::process::ExitCode {
    if !std::env::args().any(|argument| argument == "--list") {
        subtree::isolate();
    }
    harness::run(
        &[
            capabilities::TESTS,
            default_files::TESTS,
            delete::TESTS,
            devices::TESTS,
            hook_failures::TESTS,
            hooks::TESTS,
            lifecycle::TESTS,
            mappings::TESTS,
            mount_options::TESTS,
            mounts::TESTS,
            names::TESTS,
            namespaces::TESTS,
            process::TESTS,
            propagation::TESTS,
            rlimits::TESTS,
            root::TESTS,
            scheduling::TESTS,
            security::TESTS,
            signals::TESTS,
            state::TESTS,
            terminal::TESTS,
            user::TESTS,
        ]
        .concat(),
        exceptions::of(&runtime::program()),
    )
}
