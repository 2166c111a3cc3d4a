//! Debian's `podman` with its `conmon`.

use crate::checks;
use crate::driver::{Driver, RuntimeFlag, runtime_in};
use std::fs;
use tare_tests::Sandbox;

/// Podman with directories of its own, and the test image.
fn start() -> Driver {
    let sandbox = Sandbox::new();
    let directory = sandbox.directory().to_owned();
    // Its locks are there, and the sandbox has the machine's.
    sandbox.output("mount", &["-t", "tmpfs", "tmpfs", "/dev/shm"]);
    let runtime = runtime_in(&directory);
    // Podman raises these two limits as far as the kernel has them, which takes
    // CAP_SYS_RESOURCE.
    let configuration = format!(
        r#"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
image_default_transport = "docker://"
runtime = "tare"
[engine.runtimes]
tare = ["{}"]
runc = ["/usr/sbin/runc"]
"#,
        runtime.display()
    );
    let file = directory.join("containers.conf");
    fs::write(&file, configuration).expect("podman's configuration");
    let path = |name: &str| directory.join(name).display().to_string();
    let client = [
        "/usr/bin/podman",
        "--root",
        &path("root"),
        "--runroot",
        &path("run"),
        "--tmpdir",
        &path("tmp"),
        "--storage-driver",
        "vfs",
    ]
    .map(str::to_owned);
    let driver = Driver::new(
        sandbox,
        client.into(),
        vec![("HOME", directory.clone()), ("CONTAINERS_CONF", file)],
        |runtime| RuntimeFlag::Global(format!("--runtime={runtime}")),
    );
    let image = tare_tests::image_archive("busybox");
    let loaded = driver.client(&["load", "--input", &image.display().to_string()]);
    loaded.expect(0);
    driver
}

#[test]
fn programs_end_with_their_codes() {
    start().check(&[checks::exit_codes, checks::out_of_memory]);
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
            .client(&["info", "--format", "{{.Host.OCIRuntime.Name}}"])
            .line(),
        "tare"
    );
    driver.check(&[checks::life, checks::terminals]);
}
