//! Real containers on this kernel.
//!
//! The runtime wants a caller with one thread, which the standard harness is
//! not: this one runs each test on the main thread of the process. It speaks
//! as much of the harness's command line as nextest and `cargo test` use.

mod background;
#[path = "../harness/mod.rs"]
mod harness;
mod sandbox;

mod basics;
mod beside_runc;
mod cve_mounts;
mod cve_process;
mod errors;
mod exec;
mod groups;
mod host_features;
mod hostile;
mod identity;
mod isolation;
mod limits;
mod mounts;
mod net_devices;
mod release_agent;
mod scheduling;
mod systemd;
mod terminal;

fn main() -> std::process::ExitCode {
    harness::run(
        &[
            basics::TESTS,
            beside_runc::TESTS,
            &cve_mounts::tests(),
            &cve_process::tests(),
            errors::TESTS,
            exec::TESTS,
            host_features::TESTS,
            groups::TESTS,
            hostile::TESTS,
            identity::TESTS,
            isolation::TESTS,
            limits::TESTS,
            release_agent::TESTS,
            systemd::TESTS,
            &mounts::tests(),
            net_devices::TESTS,
            scheduling::TESTS,
            terminal::TESTS,
        ]
        .concat(),
        &[],
    )
}
