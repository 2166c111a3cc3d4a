//! config.md, "Linux mount options".

use std::fs;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::json;

use crate::bundle::Bundle;
use crate::mountinfo;
use crate::mountinfo::Mount;

tests!(mount_options:
    of_mount_are_seen_on_the_mount,
    that_negate_others_take_them_back,
    that_change_nothing_are_accepted,
    of_a_bind_mount_are_seen_on_it,
    ro_makes_a_bind_mount_read_only,
    ro_of_a_recursive_bind_mount_is_not_recursive,
    recursive_ones_reach_the_mounts_below,
    of_the_file_system_are_passed_on,
    that_no_file_system_knows_are_an_error,
    of_propagation_are_seen_on_the_mount,
    rslave_receives_what_the_host_mounts_and_rprivate_does_not,
    tmpcopyup_copies_what_was_there,
    remount_changes_what_is_mounted,
);

/// A file system mounted with options, as the container sees it.
#[track_caller]
fn tmpfs(options: &[&str]) -> Mount {
    let mut bundle = Bundle::new("cat /proc/self/mountinfo");
    bundle.mount("tmpfs", "tmpfs", "/m", options);
    mountinfo::at(&bundle.output(), "/m")
}

/// Linux mount options: those that MUST be implemented and can be seen.
fn of_mount_are_seen_on_the_mount() {
    for option in [
        "ro",
        "nosuid",
        "nodev",
        "noexec",
        "noatime",
        "nodiratime",
        "relatime",
        "sync",
        "dirsync",
        "lazytime",
    ] {
        let mount = tmpfs(&[option]);
        assert!(mount.has(option), "{option}: {mount:?}");
    }
    let mount = tmpfs(&["strictatime"]);
    assert!(!mount.has("relatime") && !mount.has("noatime"), "{mount:?}");
}

/// Linux mount options: the opposites MUST be implemented as well.
fn that_negate_others_take_them_back() {
    for (option, opposite) in [
        ("ro", "rw"),
        ("nosuid", "suid"),
        ("nodev", "dev"),
        ("noexec", "exec"),
        ("noatime", "atime"),
        ("nodiratime", "diratime"),
        ("sync", "async"),
        ("lazytime", "nolazytime"),
    ] {
        let mount = tmpfs(&[option, opposite]);
        assert!(!mount.has(option), "{option} {opposite}: {mount:?}");
    }
}

/// Linux mount options: the rest of those that MUST be implemented.
fn that_change_nothing_are_accepted() {
    for option in [
        "defaults",
        "async",
        "atime",
        "dev",
        "diratime",
        "exec",
        "iversion",
        "loud",
        "noiversion",
        "nolazytime",
        "norelatime",
        "nostrictatime",
        "rw",
        "silent",
        "suid",
    ] {
        let mount = tmpfs(&[option]);
        for unwanted in ["ro", "nosuid", "nodev", "noexec", "noatime"] {
            assert!(!mount.has(unwanted), "{option}: {mount:?}");
        }
    }
}

/// A directory with another file system mounted in it, on the host.
struct Tree {
    bundle: Bundle,
    below: String,
}

impl Tree {
    fn new(script: &str) -> Tree {
        let bundle = Bundle::new(script);
        fs::create_dir_all(bundle.path("data/sub")).expect("directories");
        let below = bundle.text("data/sub");
        mount("tmpfs", &below, "tmpfs", MountFlags::empty(), None).expect("mounts");
        Tree { bundle, below }
    }

    /// Binds it and reads what the container says.
    fn output(mut self, options: &[&str]) -> String {
        let data = self.bundle.text("data");
        self.bundle.mount("none", &data, "/m", options);
        let outcome = self.bundle.run();
        unmount(self.below.as_str(), UnmountFlags::DETACH).expect("unmounts");
        outcome.succeeds()
    }
}

/// Linux mount options: they are those of the bind mount, not of its source.
fn of_a_bind_mount_are_seen_on_it() {
    let text = Tree::new("cat /proc/self/mountinfo")
        .output(&["bind", "nosuid", "nodev", "noexec", "noatime"]);
    let mount = mountinfo::at(&text, "/m");
    for option in ["nosuid", "nodev", "noexec", "noatime"] {
        assert!(mount.options.iter().any(|have| have == option), "{mount:?}");
    }
}

/// Linux mount options: `ro`, of a directory that the host can write.
fn ro_makes_a_bind_mount_read_only() {
    let text = Tree::new("touch /m/file || echo no").output(&["bind", "ro"]);
    assert_eq!(text, "no");
}

/// Linux mount options: `ro` is that of mount(8), for one mount.
fn ro_of_a_recursive_bind_mount_is_not_recursive() {
    let text =
        Tree::new("touch /m/file || touch /m/sub/file && echo below").output(&["rbind", "ro"]);
    assert_eq!(text, "below");
}

/// Linux mount options: those with an additional `r` SHOULD be recursive.
fn recursive_ones_reach_the_mounts_below() {
    let text =
        Tree::new("touch /m/file || touch /m/sub/file || echo neither").output(&["rbind", "rro"]);
    assert_eq!(text, "neither");
    let text = Tree::new("cat /proc/self/mountinfo")
        .output(&["rbind", "rnosuid", "rnodev", "rnoexec", "rnoatime"]);
    for path in ["/m", "/m/sub"] {
        let mount = mountinfo::at(&text, path);
        for option in ["nosuid", "nodev", "noexec", "noatime"] {
            assert!(mount.has(option), "{mount:?}");
        }
    }
}

/// Linux mount options: others are those of the file system.
fn of_the_file_system_are_passed_on() {
    let mut bundle =
        Bundle::new("stat -c %a:%u /m; df -k /m | grep -c '  *64 '; grep /m /proc/self/mounts");
    bundle.mount(
        "tmpfs",
        "tmpfs",
        "/m",
        &["size=64k", "mode=1750", "uid=12", "nr_inodes=99"],
    );
    let text = bundle.output();
    assert!(
        text.starts_with("1750:12\n1\n") && text.contains("nr_inodes=99"),
        "{text}"
    );
}

/// Linux mount options: what it does not know either is an error.
fn that_no_file_system_knows_are_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.mount("tmpfs", "tmpfs", "/m", &["nonsense=1"]);
    bundle.refused();
}

/// Linux mount options: the propagation of a bind mount.
fn of_propagation_are_seen_on_the_mount() {
    for prefix in ["", "r"] {
        for (option, field) in [
            ("private", None),
            ("shared", Some("shared:")),
            ("unbindable", Some("unbindable")),
        ] {
            let mut bundle = Bundle::new("cat /proc/self/mountinfo");
            fs::create_dir(bundle.path("data")).expect("a directory");
            let data = bundle.text("data");
            let option = format!("{prefix}{option}");
            bundle.mount("none", &data, "/m", &["rbind", &option]);
            let mount = mountinfo::at(&bundle.output(), "/m");
            match field {
                Some(field) => assert!(mount.propagates(field), "{option}: {mount:?}"),
                None => assert!(mount.propagation.is_empty(), "{option}: {mount:?}"),
            }
        }
    }
}

/// Linux mount options: `rslave` and `rprivate`, by what they do.
fn rslave_receives_what_the_host_mounts_and_rprivate_does_not() {
    for (option, count) in [("rslave", "1"), ("rprivate", "0")] {
        let mut bundle = Bundle::sleeping();
        let data = bundle.text("data");
        fs::create_dir(&data).expect("a directory");
        rustix::mount::mount_bind(&data, &data).expect("mounts");
        rustix::mount::mount_change(data.as_str(), rustix::mount::MountPropagationFlags::SHARED)
            .expect("shares");
        // The root must not cut the mount off.
        bundle.set("/linux/rootfsPropagation", json!("slave"));
        bundle.mount("none", &data, "/m", &["rbind", option]);
        bundle.started();
        let late = bundle.text("data/late");
        fs::create_dir(&late).expect("a directory");
        mount("tmpfs", &late, "tmpfs", MountFlags::empty(), None).expect("mounts");
        let found = bundle.exec("grep -c ' /m/late ' /proc/self/mountinfo");
        unmount(data.as_str(), UnmountFlags::DETACH).expect("unmounts");
        assert_eq!(found.stdout.trim_end(), count, "{option}");
    }
}

/// Linux mount options: `tmpcopyup` copies up the contents to a tmpfs.
fn tmpcopyup_copies_what_was_there() {
    let mut bundle =
        Bundle::new("cat /m/file; stat -c %a /m /m/file; echo x > /m/file; stat -f -c %T /m");
    fs::create_dir(bundle.rootfs("m")).expect("a directory");
    fs::write(bundle.rootfs("m/file"), "copied\n").expect("a file");
    bundle.mount("tmpfs", "tmpfs", "/m", &["tmpcopyup"]);
    let text = bundle.output();
    assert!(text.starts_with("copied\n755\n644\n"), "{text}");
    assert!(text.ends_with("tmpfs"), "{text}");
    let kept = fs::read_to_string(bundle.rootfs("m/file")).expect("the file");
    assert_eq!(kept, "copied\n");
}

/// Linux mount options: `remount` changes the mount that is there.
fn remount_changes_what_is_mounted() {
    let mut bundle = Bundle::new("cat /proc/self/mountinfo");
    bundle.mount("tmpfs", "tmpfs", "/m", &["size=64k"]);
    bundle.mount("tmpfs", "tmpfs", "/m", &["remount", "ro", "size=128k"]);
    let text = bundle.output();
    let mount = mountinfo::at(&text, "/m");
    assert!(mount.has("ro") && mount.has("size=128k"), "{mount:?}");
    assert_eq!(text.matches(" /m ").count(), 1);
}
