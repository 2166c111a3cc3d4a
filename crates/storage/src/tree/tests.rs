use std::fs;

use super::*;
use crate::fixture::Directory;

/// Deeper than any recursion, any path and any table of descriptors.
fn make_deep(root: &Path, depth: usize) {
    let mut directory = open_directory(CWD, root).expect("open");
    for _ in 0..depth {
        rustix::fs::mkdirat(&directory, "d", Mode::RWXU).expect("mkdir");
        directory = open_directory(directory.as_fd(), c"d").expect("open");
    }
    let file = OFlags::CREATE | OFlags::WRONLY;
    let file = rustix::fs::openat(&directory, "bottom", file, Mode::RUSR).expect("create");
    rustix::io::write(&file, b"12345").expect("write");
}

#[test]
fn depth_is_no_obstacle() {
    let directory = Directory::new();
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("beside/it")).expect("made");
    fs::write(tree.join("beside/it/file"), b"123").expect("written");
    make_deep(&tree, 5_000);
    assert_eq!(size(&tree).expect("measured"), 8);
    remove(&tree).expect("removed");
    assert_eq!(
        fs::read_dir(directory.path()).expect("read").count(),
        0,
        "nothing moved aside is left"
    );
}

#[test]
fn counts_a_file_once_and_follows_no_link() {
    let directory = Directory::new();
    let tree = directory.path().join("tree");
    let outside = directory.path().join("outside");
    fs::create_dir(&tree).expect("made");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("kept"), b"1234567").expect("written");
    fs::write(tree.join("a"), b"1234").expect("written");
    fs::hard_link(tree.join("a"), tree.join("b")).expect("linked");
    std::os::unix::fs::symlink(&outside, tree.join("link")).expect("linked");
    assert_eq!(size(&tree).expect("measured"), 4);
    remove(&tree).expect("removed");
    remove(&tree).expect("removed already");
    assert!(outside.join("kept").exists());
    remove(&outside.join("kept")).expect("a file is removed as well");
}
