use super::*;

#[test]
fn flags_are_replaced_as_the_attributes_say() {
    type Now = StatVfsMountFlags;
    let change = |set, clear| Attributes {
        set,
        clear,
        ..Attributes::default()
    };
    let table = [
        (
            Now::RELATIME,
            change(Attributes::RDONLY, 0),
            MountFlags::RDONLY | MountFlags::RELATIME,
        ),
        (
            Now::RDONLY | Now::NOSUID | Now::RELATIME,
            change(0, Attributes::RDONLY),
            MountFlags::NOSUID | MountFlags::RELATIME,
        ),
        (
            Now::NOATIME,
            change(Attributes::NOEXEC, 0),
            MountFlags::NOEXEC | MountFlags::NOATIME,
        ),
        (
            Now::NOATIME,
            change(Attributes::RELATIME, Attributes::ATIME),
            MountFlags::RELATIME,
        ),
        (
            Now::empty(),
            change(Attributes::NODEV, 0),
            MountFlags::NODEV | MountFlags::STRICTATIME,
        ),
    ];
    for (current, attributes, expected) in table {
        assert_eq!(flags(current, attributes), Ok(expected), "{attributes:?}");
    }
    // MOUNT_ATTR_IDMAP has nothing older that does it.
    let idmap = change(0x10_0000, 0);
    assert_eq!(flags(Now::empty(), idmap), Err(Errno::INVAL));
}

#[test]
fn mounts_below_are_found_by_their_parents() {
    let mountinfo = b"\
30 1 8:1 / / rw - ext4 /dev/a rw
44 43 0:9 / /mnt/a\\040b/deep rw - tmpfs x rw
40 30 0:5 / /mnt rw - tmpfs x rw
43 40 0:6 / /mnt/a\\040b rw - tmpfs x rw
41 30 0:7 / /mntx rw - tmpfs x rw
42 40 0:8 / /mnt rw - tmpfs x rw
";
    let paths = |top| -> Vec<String> {
        let found = below(mountinfo, top).into_iter();
        found.map(|path| path.into_string().unwrap()).collect()
    };
    assert_eq!(paths(40), ["a b", "a b/deep"]);
    assert_eq!(paths(30), ["mnt", "mntx", "mnt/a b", "mnt", "mnt/a b/deep"]);
    assert!(paths(44).is_empty());
    assert!(paths(99).is_empty());
}

/// An empty file system that is attached nowhere.
fn detached() -> OwnedFd {
    use rustix::mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen,
    };
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).unwrap();
    fsconfig_create(&context).unwrap();
    fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )
    .unwrap()
}

fn is_read_only(place: impl AsFd) -> bool {
    let status = rustix::fs::fstatvfs(place).unwrap();
    status.f_flag.contains(StatVfsMountFlags::RDONLY)
}

const READ_ONLY: Attributes = Attributes {
    set: Attributes::RDONLY,
    clear: 0,
    propagation: 0,
};

// The calls are there on newer kernels too, so that this runs anywhere, as root.
#[test]
fn a_detached_mount_is_changed_behind_its_descriptor() {
    let mount = detached();
    rustix::fs::mkdirat(&mount, "before", Mode::RWXU).unwrap();
    set_attributes(mount.as_fd(), c"", false, READ_ONLY).unwrap();
    assert!(is_read_only(&mount));
    // The same file system, and still attached nowhere.
    rustix::fs::statat(&mount, "before", AtFlags::empty()).unwrap();
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap();
    let line = format!("\n{} ", identity(mount.as_fd()).unwrap());
    assert!(!String::from_utf8_lossy(&mounts).contains(&line));
    let again = rustix::fs::mkdirat(&mount, "after", Mode::RWXU);
    assert_eq!(again, Err(Errno::ROFS));
}

#[test]
fn a_detached_mount_outlives_a_change_that_is_refused() {
    let mount = detached();
    let unknown = Attributes {
        set: 1 << 40,
        ..Attributes::default()
    };
    set_attributes(mount.as_fd(), c"", false, unknown).unwrap_err();
    set_attributes(mount.as_fd(), c"", false, READ_ONLY).unwrap();
    assert!(is_read_only(&mount));
}

#[test]
fn a_detached_file_is_changed_behind_its_descriptor() {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mount = open_tree(CWD, c"/proc/self/exe", flags);
    let mount = mount
        .or_else(|_| open_tree(CWD, c"/bin/sh", flags))
        .unwrap();
    set_attributes(mount.as_fd(), c"", false, READ_ONLY).unwrap();
    assert!(is_read_only(&mount));
}

#[test]
fn what_is_mounted_below_is_changed_when_asked() {
    let tree = run_in_new(Kinds::MOUNT, || {
        mount_change(
            c"/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )
        .unwrap();
        let top = detached();
        rustix::fs::mkdirat(&top, "a b", Mode::RWXU).unwrap();
        let attach = |mount: &OwnedFd, place: OwnedFd| {
            let flags =
                MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
            move_mount(mount, c"", place, c"", flags).unwrap();
        };
        attach(&top, open(CWD, c"/tmp").unwrap());
        attach(&detached(), open(top.as_fd(), c"a b").unwrap());
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH
            | OpenTreeFlags::AT_RECURSIVE;
        open_tree(&top, c"", flags).unwrap()
    })
    .unwrap();
    let below = || open(tree.as_fd(), c"a b").unwrap();
    set_attributes(tree.as_fd(), c"", false, READ_ONLY).unwrap();
    assert_eq!((is_read_only(&tree), is_read_only(below())), (true, false));
    set_attributes(tree.as_fd(), c"", true, READ_ONLY).unwrap();
    assert!(is_read_only(below()));
}
