//! Every option of the specification, and what it does.

use std::fs;

use tare_runtime::MOUNT_OPTIONS;
use tare_sys::namespace::Kinds;

use super::{bind, error, mount, options_at, output, output_in, tmpfs};
use crate::background::{as_lone_root, isolated};
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::options_have_their_effect", effects),
    ("mounts::every_listed_option_is_taken", all_taken),
    (
        "mounts::bind_mounts_keep_what_is_not_spoken_of",
        bind_options,
    ),
    (
        "mounts::options_of_whole_trees_reach_the_mounts_below",
        recursive,
    ),
    ("mounts::remount_changes_what_is_there", remount),
    (
        "mounts::options_that_mean_nothing_there_are_refused",
        refused,
    ),
    ("mounts::locked_options_stay_in_a_user_namespace", locked),
];

fn effects() {
    // Option, and what the mount or its file system has then, or has not ("!").
    let cases: [(&[&str], &str); 24] = [
        (&["ro"], "ro"),
        (&["ro", "rw"], "rw"),
        (&["nosuid"], "nosuid"),
        (&["nosuid", "suid"], "!nosuid"),
        (&["nodev"], "nodev"),
        (&["nodev", "dev"], "!nodev"),
        (&["noexec"], "noexec"),
        (&["noexec", "exec"], "!noexec"),
        (&["noatime"], "noatime"),
        (&["noatime", "atime"], "!noatime"),
        (&["strictatime"], "!relatime"),
        (&["strictatime", "nostrictatime"], "relatime"),
        (&["strictatime", "relatime"], "relatime"),
        (&["nodiratime"], "nodiratime"),
        (&["nodiratime", "diratime"], "!nodiratime"),
        (&["nosymfollow"], "nosymfollow"),
        (&["nosymfollow", "symfollow"], "!nosymfollow"),
        (&["sync"], "sync"),
        (&["sync", "async"], "!sync"),
        (&["dirsync"], "dirsync"),
        (&["lazytime"], "lazytime"),
        (&["lazytime", "nolazytime"], "!lazytime"),
        (&["rro"], "ro"),
        (&["rnosuid", "rnoexec"], "noexec"),
    ];
    let mounts = cases
        .iter()
        .enumerate()
        .map(|(index, (options, _))| tmpfs(&format!("/m{index}"), options));
    let text = output(mounts, "cat /proc/self/mountinfo");
    for (index, (options, expected)) in cases.iter().enumerate() {
        let (mount, file_system) = options_at(&text, &format!("/m{index}"));
        let all = [mount, file_system].concat();
        let (name, there) = match expected.strip_prefix('!') {
            Some(name) => (name, false),
            None => (*expected, true),
        };
        assert_eq!(
            all.iter().any(|option| option == name),
            there,
            "{options:?}: {all:?}"
        );
    }
}

fn all_taken() {
    let special = ["bind", "rbind", "remount", "idmap", "ridmap"];
    let names = || MOUNT_OPTIONS.iter().filter(|name| !special.contains(name));
    let mounts = names()
        .enumerate()
        .map(|(index, &name)| tmpfs(&format!("/m{index}"), &[name]));
    let text = output(mounts, "grep -c ' /m[0-9]* ' /proc/self/mountinfo");
    assert_eq!(text, names().count().to_string());
}

fn bind_options() {
    isolated(Kinds::MOUNT, || {
        let sandbox = Sandbox::new();
        make_private();
        let source = sandbox.directory.join("source");
        mount_tmpfs(&source, rustix::mount::MountFlags::NOSUID);
        let text = output_in(
            &sandbox,
            [
                bind(&source, "/kept", &["bind", "ro"]),
                bind(&source, "/cleared", &["bind", "suid", "noexec", "noatime"]),
            ],
            "cat /proc/self/mountinfo",
        );
        let (kept, _) = options_at(&text, "/kept");
        assert_eq!(kept, ["ro", "nosuid", "relatime"]);
        let (cleared, _) = options_at(&text, "/cleared");
        assert_eq!(cleared, ["rw", "noexec", "noatime"]);
        unmount(&source);
    });
}

fn recursive() {
    isolated(Kinds::MOUNT, || {
        let sandbox = Sandbox::new();
        make_private();
        let source = sandbox.directory.join("source");
        mount_tmpfs(&source, rustix::mount::MountFlags::empty());
        mount_tmpfs(&source.join("below"), rustix::mount::MountFlags::empty());
        let text = output_in(
            &sandbox,
            [
                bind(&source, "/ro", &["rbind", "ro"]),
                bind(&source, "/rro", &["rbind", "rro", "rnosuid", "rnoatime"]),
                bind(&source, "/alone", &["bind"]),
                mount(
                    "bind",
                    &source.display().to_string(),
                    "/by-type",
                    &["private"],
                ),
            ],
            "cat /proc/self/mountinfo",
        );
        let mount = |place: &str| options_at(&text, place).0;
        assert_eq!(mount("/ro")[0], "ro");
        assert_eq!(mount("/ro/below")[0], "rw", "ro is for the mount alone");
        for place in ["/rro", "/rro/below"] {
            assert_eq!(mount(place), ["ro", "nosuid", "noatime"], "{place}");
        }
        assert!(!text.contains("/alone/below"), "bind takes one mount");
        assert!(!text.contains("/by-type/below"), "as runc has it");
        unmount(&source.join("below"));
        unmount(&source);
    });
}

fn remount() {
    let sandbox = Sandbox::new();
    let text = output_in(
        &sandbox,
        [
            tmpfs("/small", &["size=64k", "nosuid"]),
            tmpfs("/small", &["remount", "size=1m", "noexec"]),
            tmpfs("/one", &["size=64k"]),
            mount("none", "none", "/one", &["remount", "bind", "ro"]),
            mount("proc", "proc", "/proc", &["remount", "hidepid=2", "nosuid"]),
        ],
        "cat /proc/self/mountinfo",
    );
    let (mount_options, file_system) = options_at(&text, "/small");
    assert_eq!(mount_options, ["rw", "nosuid", "noexec", "relatime"]);
    assert!(
        file_system.contains(&"size=1024k".to_owned()),
        "{file_system:?}"
    );
    let (mount_options, file_system) = options_at(&text, "/one");
    assert_eq!((&*mount_options[0], &*file_system[0]), ("ro", "rw"));
    let (_, file_system) = options_at(&text, "/proc");
    assert!(
        file_system.contains(&"hidepid=invisible".to_owned()),
        "{file_system:?}"
    );
    let message = error(&sandbox, [tmpfs("/tmp", &["remount", "ro"])]);
    assert!(message.contains("\"/tmp\""), "{message}");
}

fn refused() {
    let sandbox = Sandbox::new();
    let source = sandbox.directory.clone();
    for (mount, expected) in [
        (
            bind(&source, "/x", &["bind", "size=4k"]),
            "bind mounts cannot have any filesystem-specific options applied: size",
        ),
        (
            bind(&source, "/x", &["bind", "sync"]),
            "options applied: sync",
        ),
        (tmpfs("/x", &["nonsense"]), "nonsense"),
        (
            tmpfs("/x", &["idmap"]),
            "only a bind mount can have its IDs mapped",
        ),
        (
            mount("proc", "proc", "/x", &["tmpcopyup"]),
            "the option tmpcopyup is for tmpfs",
        ),
        (
            mount("cgroup", "cgroup", "/x", &["nsdelegate"]),
            "option nsdelegate is not supported",
        ),
        (
            mount("nofs", "nofs", "/x", &[]),
            "\"nofs\" to rootfs at \"/x\": no such device",
        ),
    ] {
        let message = error(&sandbox, [mount]);
        assert!(message.contains(expected), "{message}");
    }
}

fn locked() {
    isolated(Kinds::MOUNT, || {
        let sandbox = Sandbox::new();
        make_private();
        let source = sandbox.directory.join("source");
        let flags = rustix::mount::MountFlags::NODEV | rustix::mount::MountFlags::NOATIME;
        mount_tmpfs(&source, flags);
        fs::write(source.join("file"), "content").expect("file");
        let path = source.clone();
        as_lone_root(Kinds::MOUNT, || {
            let sandbox = Sandbox::new();
            let mut spec = super::with(
                &sandbox,
                [bind(&path, "/locked", &["rbind", "dev", "relatime", "ro"])],
                "cat /locked/file /proc/self/mountinfo",
            );
            super::kinds::without_limits(&mut spec);
            let text = sandbox
                .start_unprivileged(&spec)
                .expect("starts")
                .finish()
                .output;
            assert!(text.starts_with("content"), "{text}");
            let (mount_options, _) = options_at(&text, "/locked");
            assert_eq!(mount_options, ["ro", "nodev", "noatime"]);
        });
        unmount(&source);
    });
}

/// Cuts off the mount namespace that the calling copy is in.
pub(super) fn make_private() {
    use rustix::mount::MountPropagationFlags as Flags;
    rustix::mount::mount_change("/", Flags::PRIVATE | Flags::REC).expect("changes");
}

/// Mounts a tmpfs at a new directory.
pub(super) fn mount_tmpfs(path: &std::path::Path, flags: rustix::mount::MountFlags) {
    fs::create_dir_all(path).expect("directory");
    rustix::mount::mount("tmpfs", path, "tmpfs", flags, None).expect("mounts");
}

/// Takes it off again.
pub(super) fn unmount(path: &std::path::Path) {
    rustix::mount::unmount(path, rustix::mount::UnmountFlags::DETACH).expect("unmounts");
}
