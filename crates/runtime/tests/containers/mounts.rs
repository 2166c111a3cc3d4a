//! The configured mounts, as they look from inside.

mod devices;
mod host;
mod kinds;
mod options;
mod owners;
mod places;
mod propagation;

use tare_oci::runtime::{Mount, Spec};

use crate::harness::Test;
use crate::sandbox::Sandbox;

/// All tests of mounts.
pub(crate) fn tests() -> Vec<Test> {
    [
        devices::TESTS,
        host::TESTS,
        kinds::TESTS,
        options::TESTS,
        owners::TESTS,
        places::TESTS,
        propagation::TESTS,
    ]
    .concat()
}

fn mount(kind: &str, source: &str, destination: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    }
}

fn tmpfs(destination: &str, options: &[&str]) -> Mount {
    mount("tmpfs", "tmpfs", destination, options)
}

fn bind(source: &std::path::Path, destination: &str, options: &[&str]) -> Mount {
    mount("bind", &source.display().to_string(), destination, options)
}

/// A default container with mounts and a script.
fn with(sandbox: &Sandbox, mounts: impl IntoIterator<Item = Mount>, script: &str) -> Spec {
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    spec.mounts.extend(mounts);
    spec
}

/// What a script prints in a container with mounts.
#[track_caller]
fn output(mounts: impl IntoIterator<Item = Mount>, script: &str) -> String {
    let sandbox = Sandbox::new();
    output_in(&sandbox, mounts, script)
}

#[track_caller]
fn output_in(sandbox: &Sandbox, mounts: impl IntoIterator<Item = Mount>, script: &str) -> String {
    sandbox
        .run(&with(sandbox, mounts, script))
        .expect("runs")
        .output
}

/// Why a container with mounts cannot be made.
#[track_caller]
fn error(sandbox: &Sandbox, mounts: impl IntoIterator<Item = Mount>) -> String {
    let error = match sandbox.run(&with(sandbox, mounts, "true")) {
        Ok(outcome) => panic!("runs: {outcome:?}"),
        Err(error) => error.to_string(),
    };
    assert!(!sandbox.has_cgroups(), "control groups are left");
    error
}

/// The options of the mount and of its file system at a place, from mountinfo.
#[track_caller]
fn options_at(mountinfo: &str, place: &str) -> (Vec<String>, Vec<String>) {
    let line = mountinfo
        .lines()
        .rev()
        .find(|line| line.split(' ').nth(4) == Some(place))
        .unwrap_or_else(|| panic!("{place} in {mountinfo}"));
    let words = |text: Option<&str>| -> Vec<String> {
        text.into_iter()
            .flat_map(|text| text.split(','))
            .map(str::to_owned)
            .collect()
    };
    (
        words(line.split(' ').nth(5)),
        words(line.split(' ').next_back()),
    )
}
