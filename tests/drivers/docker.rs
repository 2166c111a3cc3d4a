//! Debian's `dockerd`, its containerd and its shim, with their own client.

use crate::checks;
use crate::driver::{Driver, RuntimeFlag, runtime_in};
use std::fs;
use std::process::Stdio;
use tare_tests::{Sandbox, eventually};

/// Starts `dockerd`, which ends with its sandbox, with the test image.
fn start() -> Driver {
    let sandbox = Sandbox::new();
    let directory = sandbox.directory().to_owned();
    let runtime = runtime_in(&directory);
    let path = |name: &str| directory.join(name).display().to_string();
    let log = fs::File::create(path("log")).expect("the engine's log");
    let host = format!("unix://{}", path("docker.sock"));
    let mut daemon = sandbox
        .command("/usr/sbin/dockerd")
        .args(["--host", &host, "--data-root", &path("data")])
        .args(["--exec-root", &path("exec"), "--pidfile", &path("pid")])
        .arg(format!("--add-runtime=tare={}", runtime.display()))
        .arg("--default-runtime=tare")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a descriptor"))
        .stderr(log)
        .spawn()
        .expect("bash");
    // Not the client that comes first on a machine's path: Debian's.
    let client = ["/usr/bin/docker", "--host", &host].map(str::to_owned);
    let driver = Driver::new(
        sandbox,
        client.into(),
        vec![("HOME", directory.clone())],
        |runtime| RuntimeFlag::OfRun(format!("--runtime={runtime}")),
    );
    eventually("dockerd answers", || {
        if let Some(status) = daemon.try_wait().expect("the engine") {
            let text = fs::read_to_string(path("log")).unwrap_or_default();
            panic!("dockerd (package docker.io) ended at its start: {status}\n{text}");
        }
        let socket = directory.join("docker.sock");
        let answer = std::os::unix::net::UnixStream::connect(socket).ok();
        answer.filter(|_| driver.client(&["version"]).code == 0)
    });
    let image = tare_tests::image_archive("busybox");
    let loaded = driver.client(&["load", "--input", &image.display().to_string()]);
    loaded.expect(0);
    driver
}

#[test]
fn programs_end_with_their_codes() {
    start().check(&[checks::exit_codes, checks::out_of_memory_is_told]);
}

#[test]
fn containers_are_confined_as_by_runc() {
    start().check(&[checks::confinement]);
}

#[test]
fn a_container_lives_and_ends() {
    let driver = start();
    assert_eq!(
        driver
            .client(&["info", "--format", "{{.DefaultRuntime}}"])
            .line(),
        "tare"
    );
    driver.check(&[checks::life, checks::terminals]);
}
