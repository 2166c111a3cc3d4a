//! Device files.

use std::fs;

use tare_oci::runtime::{Device, DeviceType};

use super::{bind, error, output, with};
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::devices_of_every_type_are_made", every_type),
    ("mounts::device_numbers_are_checked", numbers),
    ("mounts::a_bound_dev_is_taken_as_it_is", bound_dev),
    ("mounts::dev_has_its_links", links),
    ("mounts::ptmx_is_the_containers_own", own_ptmx),
];

fn device(path: &str, kind: DeviceType, major: i64, minor: i64) -> Device {
    Device {
        path: path.to_owned(),
        kind,
        major,
        minor,
        file_mode: None,
        uid: None,
        gid: None,
    }
}

fn every_type() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&[
        "stat",
        "-c",
        "%F %t:%T %a %u %g",
        "/dev/c",
        "/dev/sub/u",
        "/dev/b",
        "/run/p",
        "/dev/null",
    ]);
    // "u" is another word for "c".
    let unbuffered: Device =
        serde_json::from_str(r#"{"path":"/dev/sub/u","type":"u","major":1,"minor":5}"#)
            .expect("parses");
    let linux = spec.linux.as_mut().expect("linux");
    linux.devices = vec![
        Device {
            file_mode: Some(0o20_640),
            uid: Some(1000),
            gid: Some(5),
            ..device("/dev/c", DeviceType::Character, 10, 229)
        },
        unbuffered,
        Device {
            file_mode: Some(0o600),
            ..device("/dev/b", DeviceType::Block, 7, 3)
        },
        Device {
            uid: Some(7),
            ..device("/run/p", DeviceType::Fifo, 0, 0)
        },
        // Again what is there anyway.
        device("/dev/null", DeviceType::Character, 1, 3),
    ];
    assert_eq!(
        sandbox.run(&spec).expect("runs").output,
        "character special file a:e5 640 1000 5
character special file 1:5 666 0 0
block special file 7:3 600 0 0
fifo 0:0 666 7 0
character special file 1:3 666 0 0"
    );
}

fn numbers() {
    let sandbox = Sandbox::new();
    for (path, major, expected) in [
        ("/dev/x", -2, "-2 is not between 0 and 4095"),
        ("/dev/x", 1 << 40, "1099511627776 is not between 0 and 4095"),
        ("/dev/", 1, "\"/dev/\" is no path of a file"),
        ("x", 1, "linux.devices[0].path"),
    ] {
        let mut spec = sandbox.spec(&["true"]);
        spec.linux.as_mut().expect("linux").devices =
            vec![device(path, DeviceType::Character, major, 3)];
        let message = sandbox.run(&spec).expect_err("refused").to_string();
        assert!(message.contains(expected), "{message}");
    }
}

fn bound_dev() {
    let sandbox = Sandbox::new();
    let dev = sandbox.directory.join("dev");
    fs::create_dir_all(dev.join("pts")).expect("directory");
    fs::create_dir_all(dev.join("mqueue")).expect("directory");
    fs::create_dir_all(dev.join("shm")).expect("directory");
    let mut spec = with(&sandbox, [], "ls /dev | tr '\\n' ' '");
    let at = spec
        .mounts
        .iter()
        .position(|mount| mount.destination == "/dev")
        .expect("dev");
    spec.mounts[at] = bind(&dev, "/dev", &["rbind"]);
    assert_eq!(sandbox.run(&spec).expect("runs").output, "mqueue pts shm");
    assert_eq!(
        fs::read_dir(&dev).expect("directory").count(),
        3,
        "something was made on the host"
    );
    // A single device, too.
    let text = output(
        [bind(
            std::path::Path::new("/dev/zero"),
            "/dev/bound",
            &["bind", "nosuid", "noexec"],
        )],
        "stat -c %t:%T /dev/bound; head -c 2 /dev/bound | wc -c",
    );
    assert_eq!(text, "1:5\n2");
    let message = error(
        &sandbox,
        [bind(
            std::path::Path::new("/dev/nothing"),
            "/dev/bound",
            &["bind"],
        )],
    );
    assert!(message.contains("/dev/nothing"), "{message}");
}

fn links() {
    let text = output(
        [],
        "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done",
    );
    assert_eq!(
        text,
        "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx"
    );
}

/// Docker's `--privileged` lists every device of the host, `ptmx` too.
fn own_ptmx() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["readlink", "/dev/ptmx"]);
    spec.linux.as_mut().expect("linux").devices = vec![
        device("/dev/ptmx", DeviceType::Character, 5, 2),
        device("//dev/./ptmx", DeviceType::Character, 5, 2),
    ];
    assert_eq!(sandbox.run(&spec).expect("runs").output, "pts/ptmx");
}
