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

mod bad_input;
mod capabilities;
mod cgroup_path;
mod commands;
mod default_files;
mod delete;
mod device_rules;
mod devices;
mod extensibility;
mod hook_failures;
mod hooks;
mod killed;
mod lifecycle;
mod mappings;
mod mount_options;
mod mounts;
mod names;
mod namespaces;
mod paths;
mod personality;
mod process;
mod propagation;
mod races;
mod resources;
mod rlimits;
mod root;
mod scheduling;
mod seccomp;
mod seccomp_notify;
mod security;
mod signals;
mod state;
mod sysctl;
mod terminal;
mod time;
mod user;
mod user_namespaces;
mod version;

fn main() -> std::process::ExitCode {
    if !std::env::args().any(|argument| argument == "--list") {
        subtree::isolate();
    }
    harness::run(
        &[
            bad_input::TESTS,
            capabilities::TESTS,
            cgroup_path::TESTS,
            commands::TESTS,
            default_files::TESTS,
            delete::TESTS,
            device_rules::TESTS,
            devices::TESTS,
            extensibility::TESTS,
            hook_failures::TESTS,
            hooks::TESTS,
            killed::TESTS,
            lifecycle::TESTS,
            mappings::TESTS,
            mount_options::TESTS,
            mounts::TESTS,
            names::TESTS,
            namespaces::TESTS,
            paths::TESTS,
            personality::TESTS,
            process::TESTS,
            propagation::TESTS,
            races::TESTS,
            resources::TESTS,
            rlimits::TESTS,
            root::TESTS,
            scheduling::TESTS,
            seccomp::TESTS,
            seccomp_notify::TESTS,
            security::TESTS,
            signals::TESTS,
            state::TESTS,
            sysctl::TESTS,
            terminal::TESTS,
            time::TESTS,
            user::TESTS,
            user_namespaces::TESTS,
            version::TESTS,
        ]
        .concat(),
        exceptions::of(&runtime::program()),
    )
}
