//! A container without control groups: its first process and that one's
//! descendants stand for it.

use std::collections::HashMap;
use std::fs;

/// A process and its descendants, parents first; empty when it has ended.
/// Those whose parents have ended are found as long as the first process is
/// the first of its PID namespace, which collects them.
pub(super) fn tree(first: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut is_there = false;
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // It may have ended meanwhile.
        let Some((parent, state)) = fs::read_to_string(entry.path().join("stat"))
            .ok()
            .as_deref()
            .and_then(parent)
        else {
            continue;
        };
        is_there |= pid == first && !matches!(state, 'Z' | 'X');
        children.entry(parent).or_default().push(pid);
    }
    if !is_there {
        return Vec::new();
    }
    let mut found = vec![first];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        next += 1;
        // Each process has one parent, so none comes twice.
        found.extend(children.remove(pid).unwrap_or_default());
    }
    found
}

/// The parent and the state in a line of /proc/PID/stat, whose second field
/// may contain anything.
fn parent(line: &str) -> Option<(i32, char)> {
    let (_, rest) = line.rsplit_once(')')?;
    let mut words = rest.split_whitespace();
    let state = words.next()?.chars().next()?;
    Some((words.next()?.parse().ok()?, state))
}
