//! Debian's `dockerd`, its containerd and its shim, with their own client.

use crate::checks::{self, GREEDY};
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

/// Docker tells why the kernel ended a program. The container has to outlive
/// it: of one that ends with it the news may come too late, with `runc` too.
fn out_of_memory(driver: &Driver) {
    checks::out_of_memory(driver);
    let script = format!("{GREEDY}; echo ended with $?; exec sleep 1000");
    let mut arguments = vec!["-d", "--name=full", "--network=none"];
    arguments.extend(["--memory=16m", "--memory-swap=16m"]);
    arguments.extend(["busybox", "sh", "-c", &script]);
    driver.run("tare", &arguments).expect(0);
    eventually("the kernel has ended it", || {
        let logs = driver.client(&["logs", "full"]).expect(0).stdout;
        logs.contains("ended with 137").then_some(())
    });
    eventually("Docker has heard of it", || {
        let past = ["events", "--filter=event=oom", "--since=0", "--until=0s"];
        let events = driver.client(&past).expect(0).stdout;
        events.contains("name=full").then_some(())
    });
    driver.client(&["kill", "full"]).expect(0);
    driver.client(&["wait", "full"]).expect(0);
    assert_eq!(driver.inspect("full", "State.OOMKilled"), "true");
    driver.client(&["rm", "full"]).expect(0);
}

#[test]
fn programs_end_with_their_codes() {
    start().check(&[checks::exit_codes, out_of_memory]);
}

#[test]
fn containers_are_confined_as_by_runc() {
    start().check(&[checks::confinement]);
}

/// The network is put into the container by a hook, which `dockerd` has the
/// runtime run.
fn connected(driver: &Driver) {
    let ours = driver.run("tare", &["--rm", "busybox", "ls", "/sys/class/net"]);
    assert_eq!(ours.expect(0).stdout, "eth0\nlo\n");
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
    driver.check(&[connected, checks::life, checks::terminals]);
}
