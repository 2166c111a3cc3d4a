//! Control groups of both versions, from outside.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = "/sys/fs/cgroup";

/// Whether the controllers are those of version 2.
pub(crate) fn unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// Whether a controller can be used.
pub(crate) fn has(controller: &str) -> bool {
    if unified() {
        fs::read_to_string(Path::new(ROOT).join("cgroup.controllers"))
            .is_ok_and(|text| text.split_whitespace().any(|name| name == controller))
    } else {
        Path::new(ROOT).join(controller).is_dir()
    }
}

/// The mount point of version 2 beside version 1, when a controller is there.
pub(crate) fn beside(controller: &str) -> Option<PathBuf> {
    let mount = Path::new(ROOT).join("unified");
    let text = fs::read_to_string(mount.join("cgroup.controllers")).ok()?;
    text.split_whitespace()
        .any(|name| name == controller)
        .then_some(mount)
}

/// The mount points of all hierarchies.
pub(crate) fn hierarchies() -> Vec<PathBuf> {
    if unified() {
        return vec![PathBuf::from(ROOT)];
    }
    fs::read_dir(ROOT)
        .expect("control groups")
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// A process's group in a controller's hierarchy, as /proc shows it.
#[track_caller]
pub(crate) fn path_of(pid: i32, controller: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("the groups");
    text.lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .find(|(controllers, _)| {
            (unified() && controllers.is_empty())
                || controllers.split(',').any(|name| name == controller)
        })
        .map(|(_, path)| path.to_owned())
        .unwrap_or_else(|| panic!("no {controller} in {text}"))
}

/// The directory of that group.
#[track_caller]
pub(crate) fn directory_of(pid: i32, controller: &str) -> PathBuf {
    let mount = if unified() {
        PathBuf::from(ROOT)
    } else {
        Path::new(ROOT).join(controller)
    };
    mount.join(path_of(pid, controller).trim_start_matches('/'))
}

/// What a controller's file says for a process; its name in both versions.
#[track_caller]
pub(crate) fn read(pid: i32, controller: &str, version1: &str, version2: &str) -> String {
    let name = if unified() { version2 } else { version1 };
    let path = directory_of(pid, controller).join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .trim_end()
        .to_owned()
}

/// All groups anywhere whose name contains a text.
pub(crate) fn named(text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = hierarchies();
    while let Some(directory) = todo.pop() {
        // A group of somebody else may vanish meanwhile.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().contains(text) {
                    found.push(entry.path());
                }
                todo.push(entry.path());
            }
        }
    }
    found
}

/// Removes such groups, the deepest first.
pub(crate) fn remove(text: &str) {
    let mut groups = named(text);
    groups.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    for group in groups {
        for below in named_below(&group) {
            let _ = fs::remove_dir(below);
        }
        let _ = fs::remove_dir(group);
    }
}

/// All groups below one, the deepest first.
fn named_below(group: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(named_below(&entry.path()));
            found.push(entry.path());
        }
    }
    found
}
