//! Attacks, each named after the hole that it would go through.

use std::fs;
use std::os::unix::fs::symlink;

use tare_oci::runtime::{Device, DeviceType, Mount};
use tare_runtime::Identity;

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    (
        "hostile::mounts_do_not_follow_links_out_cve_2021_30465",
        mount_links,
    ),
    (
        "hostile::masks_do_not_trust_the_containers_null_cve_2025_31133",
        null_link,
    ),
    (
        "hostile::a_linked_proc_is_refused_cve_2019_19921",
        linked_proc,
    ),
    (
        "hostile::a_linked_dev_stays_inside_cve_2026_41579",
        linked_dev,
    ),
    (
        "hostile::the_working_directory_cannot_be_a_leaked_descriptor_cve_2024_21626",
        leaked_directory,
    ),
    ("hostile::devices_do_not_follow_links_out", device_links),
    (
        "hostile::the_executable_cannot_be_overwritten_cve_2019_5736",
        overwritten_executable,
    ),
];

fn bind(source: String, destination: &str) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some("bind".to_owned()),
        source: Some(source),
        options: vec!["rbind".to_owned()],
        ..Mount::default()
    }
}

fn mount_links() {
    let sandbox = Sandbox::new();
    let outside = sandbox.directory.join("outside");
    fs::create_dir_all(&outside).expect("directory");
    let volume = sandbox.directory.join("volume");
    fs::create_dir_all(&volume).expect("directory");
    fs::write(volume.join("file"), "content").expect("file");
    // Absolute, upwards, and dangling: each would lead to the host's.
    symlink(&outside, sandbox.lower("absolute")).expect("link");
    symlink("../../../../../../../tmp", sandbox.lower("upwards")).expect("link");
    symlink("/not/there", sandbox.lower("dangling")).expect("link");
    symlink("loop", sandbox.lower("loop")).expect("link");
    let run = |destination: &str, script: &str| {
        let mut spec = sandbox.spec(&["sh", "-c", script]);
        spec.mounts
            .push(bind(volume.display().to_string(), destination));
        sandbox.run(&spec)
    };
    for (destination, script) in [
        (
            "/absolute/x".to_owned(),
            format!("cat {}/x/file", outside.display()),
        ),
        ("/upwards/x".to_owned(), "cat /tmp/x/file".to_owned()),
        ("/dangling/x".to_owned(), "cat /not/there/x/file".to_owned()),
        ("/dangling".to_owned(), "cat /not/there/file".to_owned()),
        ("/../../../tmp/y".to_owned(), "cat /tmp/y/file".to_owned()),
    ] {
        let outcome = run(&destination, &script).expect("mounts inside");
        assert_eq!(outcome.output, "content", "{destination}");
    }
    assert!(run("/loop/x", "true").is_err());
    assert!(
        fs::read_dir(&outside).expect("directory").next().is_none(),
        "something was made outside"
    );
    assert!(!std::path::Path::new("/not").exists());
}

fn null_link() {
    let sandbox = Sandbox::new();
    // Were /dev/null of the container the mask, a link there would make the
    // kernel's core pattern appear in place of a masked file, writable.
    let mut spec = sandbox.spec(&[
        "sh",
        "-c",
        "cat /secret; stat -c %t:%T /secret; echo x > /secret",
    ]);
    fs::write(sandbox.lower("secret"), "secret").expect("file");
    fs::create_dir_all(sandbox.directory.join("dev")).expect("directory");
    symlink(
        "/proc/sys/kernel/core_pattern",
        sandbox.directory.join("dev/null"),
    )
    .expect("link");
    spec.mounts.push(bind(
        sandbox.directory.join("dev").display().to_string(),
        "/dev",
    ));
    spec.linux
        .as_mut()
        .expect("linux")
        .masked_paths
        .push("/secret".to_owned());
    let before = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("pattern");
    let outcome = sandbox.run(&spec).expect("runs");
    assert_eq!(outcome.output, "1:3");
    assert_eq!(
        fs::read_to_string("/proc/sys/kernel/core_pattern").expect("pattern"),
        before
    );
}

fn linked_proc() {
    let sandbox = Sandbox::new();
    fs::remove_dir(sandbox.lower("proc")).expect("removes");
    fs::create_dir(sandbox.lower("other")).expect("directory");
    symlink("/other", sandbox.lower("proc")).expect("link");
    let error = match sandbox.start(&sandbox.spec(&["true"]), Identity::Configured) {
        Ok(_) => panic!("runs"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("/proc"), "{error}");
    assert!(!sandbox.has_cgroups());
}

fn linked_dev() {
    let sandbox = Sandbox::new();
    fs::remove_dir(sandbox.lower("dev")).expect("removes");
    symlink("/tmp/elsewhere", sandbox.lower("dev")).expect("link");
    let outcome = sandbox.shell("stat -c %t:%T /tmp/elsewhere/null; ls /dev/pts/ptmx");
    assert_eq!(outcome.output, "1:3\n/dev/pts/ptmx");
    assert!(!std::path::Path::new("/tmp/elsewhere").exists());
}

fn leaked_directory() {
    let sandbox = Sandbox::new();
    // A descriptor of the host's root, without close-on-exec, low and known.
    let root =
        rustix::fs::open("/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).expect("root");
    let number = std::os::fd::AsRawFd::as_raw_fd(&root);
    for number in [
        number,
        number + 1,
        number + 2,
        number + 3,
        number + 4,
        number + 5,
    ] {
        let mut spec = sandbox.spec(&["sh", "-c", "cat ../../../etc/hostname ./etc/hostname"]);
        let process = spec.process.as_mut().expect("a process");
        process.cwd = format!("/proc/self/fd/{number}");
        match sandbox.run(&spec) {
            Err(_) => {}
            Ok(outcome) => assert_ne!(outcome.code, 0, "{number}: {outcome:?}"),
        }
    }
    drop(root);
}

fn device_links() {
    let sandbox = Sandbox::new();
    let outside = sandbox.directory.join("outside");
    fs::create_dir_all(&outside).expect("directory");
    symlink(&outside, sandbox.lower("devices")).expect("link");
    let mut spec = sandbox.spec(&[
        "stat",
        "-c",
        "%t:%T %a %u",
        &format!("{}/full", outside.display()),
    ]);
    spec.linux.as_mut().expect("linux").devices = vec![Device {
        path: "/devices/full".to_owned(),
        kind: DeviceType::Character,
        major: 1,
        minor: 7,
        file_mode: Some(0o640),
        uid: Some(5),
        gid: None,
    }];
    assert_eq!(sandbox.run(&spec).expect("runs").output, "1:7 640 5");
    assert!(
        fs::read_dir(&outside).expect("directory").next().is_none(),
        "made outside"
    );
}

fn overwritten_executable() {
    use std::os::fd::AsRawFd;
    use std::os::unix::process::CommandExt;
    let sandbox = Sandbox::new();
    let program = sandbox.directory.join("program");
    fs::copy("/bin/busybox", &program).expect("a program");
    // Holds on to a running program's file, and writes to it when it is not
    // running any more.
    let attack = |path: &str| {
        let mut child = std::process::Command::new(path)
            .arg0("busybox")
            .args(["sleep", "100"])
            .spawn()
            .expect("runs");
        // The parent goes on a moment before the child has left the parent's
        // memory, and with it the parent's executable.
        let executable = format!("/proc/{}/exe", child.id());
        while fs::read_link(&executable).ok() == fs::read_link("/proc/self/exe").ok() {
            std::thread::yield_now();
        }
        let held = rustix::fs::open(
            &executable,
            rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .expect("the program's file");
        child.kill().expect("kills");
        child.wait().expect("ends");
        fs::OpenOptions::new()
            .write(true)
            .open(format!("/proc/self/fd/{}", held.as_raw_fd()))
    };
    let protected = tare_sys::mount::read_only_file(&program).expect("opens");
    let error = attack(&format!("/proc/self/fd/{}", protected.as_raw_fd()))
        .expect_err("the program can be overwritten");
    assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    assert!(
        attack(&program.display().to_string()).is_ok(),
        "the attack works on an unprotected program"
    );
}
