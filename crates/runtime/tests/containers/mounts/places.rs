//! Where mounts go, and in which order.

use std::fs;
use std::os::unix::fs::symlink;

use super::{bind, error, mount, output_in, tmpfs, with};
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::files_and_directories_are_bound", binds),
    ("mounts::missing_places_are_made", missing),
    (
        "mounts::relative_sources_begin_at_the_bundle",
        relative_sources,
    ),
    ("mounts::what_does_not_fit_is_refused_by_name", misfits),
    ("mounts::relative_destinations_begin_at_the_root", relative),
    ("mounts::mounts_are_made_in_order", order),
    ("mounts::the_root_can_be_read_only", read_only_root),
    (
        "mounts::a_read_only_tmpfs_takes_mounts_first",
        read_only_tmpfs,
    ),
    ("mounts::only_proc_is_mounted_on_proc", proc_is_proc),
];

fn volume(sandbox: &Sandbox) -> std::path::PathBuf {
    let volume = sandbox.directory.join("volume");
    fs::create_dir_all(volume.join("inner")).expect("directory");
    fs::write(volume.join("file"), "content").expect("file");
    fs::write(volume.join("inner/file"), "inner").expect("file");
    volume
}

fn binds() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    symlink("volume", sandbox.directory.join("link")).expect("link");
    fs::write(sandbox.lower("etc/hosts"), "old").expect("file");
    let text = output_in(
        &sandbox,
        [
            bind(&volume, "/data", &["rbind"]),
            bind(&volume.join("file"), "/etc/hosts", &["bind", "ro"]),
            bind(&sandbox.directory.join("link"), "/linked", &["bind"]),
        ],
        "cat /data/inner/file /etc/hosts /linked/file; echo new > /data/new
        echo x 2>/dev/null > /etc/hosts || echo refused",
    );
    assert_eq!(text, "innercontentcontentrefused");
    assert_eq!(fs::read(volume.join("new")).expect("written"), b"new\n");
}

fn missing() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    let text = output_in(
        &sandbox,
        [
            bind(&volume, "/a/b/c", &["bind"]),
            bind(&volume.join("file"), "/a/f", &["bind"]),
            tmpfs("/t/u", &[]),
        ],
        "stat -c '%a %u' /a /a/b /t; cat /a/b/c/file /a/f; umask 0; busybox id -u",
    );
    assert_eq!(text, "755 0\n755 0\n755 0\ncontentcontent0");
}

fn relative_sources() {
    let sandbox = Sandbox::new();
    volume(&sandbox);
    let spec = with(
        &sandbox,
        [
            mount("bind", "volume", "/data", &["bind"]),
            mount("bind", "./volume/inner/file", "/file", &["bind"]),
        ],
        "cat /data/file /file",
    );
    let (stdio, output) = crate::sandbox::pipes();
    let mut container = tare_runtime::Container::builder(&sandbox.id, &spec)
        .rootfs(sandbox.rootfs())
        .bundle(&sandbox.directory)
        .stdio(stdio)
        .create()
        .expect("creates");
    container.start().expect("starts");
    let text = std::io::read_to_string(fs::File::from(output)).expect("output");
    crate::sandbox::wait(&container.pidfd);
    container.destroy();
    assert_eq!(text, "contentinner");
}

fn misfits() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    fs::write(sandbox.lower("plain"), "").expect("file");
    symlink(".", sandbox.lower("self")).expect("link");
    for (mount, expected) in [
        (
            bind(&volume.join("nothing"), "/x", &["bind"]),
            "volume/nothing\" to rootfs at \"/x\": no such file or directory",
        ),
        (
            bind(&volume, "/plain", &["bind"]),
            "volume\" to rootfs at \"/plain\": not a directory",
        ),
        (
            bind(&volume.join("file"), "/tmp", &["bind"]),
            "volume/file\" to rootfs at \"/tmp\": not a directory",
        ),
        (tmpfs("/plain", &[]), "at \"/plain\": not a directory"),
        (tmpfs("/plain/x", &[]), "at \"/plain/x\": not a directory"),
        (tmpfs("/tmp/..", &[]), "is the root file system's own place"),
        (tmpfs("/self", &[]), "it would cover the root file system"),
    ] {
        let message = error(&sandbox, [mount]);
        assert!(message.contains(expected), "{message}");
    }
}

fn relative() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    let mut spec = with(
        &sandbox,
        [
            bind(&volume, "data/in", &["bind"]),
            tmpfs("../../up", &["mode=700"]),
            tmpfs("./here//now", &["mode=711"]),
        ],
        "cat /data/in/file; echo; stat -c %a /up /here/now; stat -c %t:%T /dev/null",
    );
    // /dev, too.
    for mount in &mut spec.mounts {
        if mount.destination == "/dev" {
            mount.destination = "dev/".to_owned();
        }
    }
    let outcome = sandbox.run(&spec).expect("runs");
    assert_eq!(outcome.output, "content\n700\n711\n1:3");
}

fn order() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    let text = output_in(
        &sandbox,
        [
            tmpfs("/a", &["mode=700"]),
            bind(&volume, "/a/below", &["bind"]),
            tmpfs("/b", &[]),
            bind(&volume, "/b", &["bind"]),
            bind(&volume, "/c", &["bind"]),
            tmpfs("/c", &["mode=711"]),
        ],
        "cat /a/below/file; stat -c %a /a; cat /b/inner/file; echo; ls /c | wc -l; stat -c %a /c
        umount /b 2>/dev/null; true",
    );
    assert_eq!(text, "content700\ninner\n0\n711");
}

fn read_only_root() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    let mut spec = with(
        &sandbox,
        [
            bind(&volume, "/data", &["bind"]),
            tmpfs("/new/place", &["size=64k"]),
        ],
        "touch /x 2>/dev/null || echo refused; touch /data/new /new/place/x /dev/x && echo taken
        stat -c %t:%T /dev/null",
    );
    spec.root.as_mut().expect("a root").readonly = true;
    assert_eq!(
        sandbox.run(&spec).expect("runs").output,
        "refused\ntaken\n1:3"
    );
    assert!(volume.join("new").exists());
}

fn read_only_tmpfs() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    fs::write(sandbox.lower("etc/kept"), "kept").expect("file");
    let mut spec = with(
        &sandbox,
        [
            tmpfs("/a", &["ro"]),
            bind(&volume, "/a/below", &["bind"]),
            tmpfs("/etc", &["ro", "tmpcopyup"]),
        ],
        "touch /a/x 2>/dev/null || echo refused; cat /a/below/file /etc/kept; echo
        touch /a/below/y && echo taken; touch /dev/x 2>/dev/null || echo refused
        touch /etc/x 2>/dev/null || echo refused; echo x > /dev/null && stat -c %t:%T /dev/null",
    );
    for mount in &mut spec.mounts {
        if mount.destination == "/dev" {
            mount.options.push("ro".to_owned());
        }
    }
    assert_eq!(
        sandbox.run(&spec).expect("runs").output,
        "refused\ncontentkept\ntaken\nrefused\nrefused\n1:3"
    );
}

fn proc_is_proc() {
    let sandbox = Sandbox::new();
    let volume = volume(&sandbox);
    symlink("proc/sys", sandbox.lower("alias")).expect("link");
    for (mount, expected) in [
        (tmpfs("/proc", &[]), "not of type proc"),
        (bind(&volume, "/proc", &["bind"]), "not of type proc"),
        (
            tmpfs("/proc/sys", &[]),
            "\"/proc/sys\" cannot be mounted because it is inside /proc",
        ),
        (tmpfs("/alias", &[]), "because it is inside /proc"),
        (
            bind(&volume.join("file"), "/proc/self/attr/exec", &["bind"]),
            "because it is inside /proc",
        ),
        (mount("sysfs", "sysfs", "/proc", &[]), "not of type proc"),
    ] {
        let message = error(&sandbox, [mount]);
        assert!(message.contains(expected), "{message}");
    }
    // What lxcfs does, and the host's own procfs.
    let text = output_in(
        &sandbox,
        [bind(&volume.join("file"), "/proc/uptime", &["bind", "ro"])],
        "cat /proc/uptime",
    );
    assert_eq!(text, "content");
    let host = std::path::Path::new("/proc");
    let text = output_in(
        &sandbox,
        [bind(host, "/proc", &["rbind", "ro"])],
        &format!("test -d /proc/{} && echo host", std::process::id()),
    );
    assert_eq!(text, "host");
}
