//! What an engine holds in the kernel and on disk, counted, so that what a test
//! left behind shows.

use crate::{Engine, against_docker, eventually};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A line for everything there is at one moment.
#[derive(Debug)]
pub struct Leaks {
    lines: BTreeSet<String>,
}

/// Counts the rows of every table.
const ROWS: &str = "
import sqlite3, sys
database = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
tables = [row[0] for row in database.execute(\"select name from sqlite_master where type = 'table'\")]
for table in sorted(tables):
    print(table, database.execute('select count(*) from \"' + table + '\"').fetchone()[0])
";

impl Leaks {
    /// Counts what is there once it no longer changes: what came before may
    /// still be on its way out.
    #[track_caller]
    pub fn count(engine: &Engine) -> Self {
        let mut last = Self::now(engine);
        eventually("nothing changes any more", || {
            std::thread::sleep(Duration::from_millis(150));
            let now = Self::now(engine);
            let same = now.lines == last.lines;
            last = now;
            same.then_some(())
        });
        last
    }

    fn now(engine: &Engine) -> Self {
        let sandbox = engine.sandbox();
        let mut lines = BTreeSet::new();
        let mut add = |kind: &str, found: Vec<String>| {
            // The same line may be there twice.
            for (index, line) in found.iter().enumerate() {
                let before = found[..index].iter().filter(|other| *other == line).count();
                lines.insert(format!("{kind}: {line} #{before}"));
            }
        };
        let commands = sandbox.processes().into_iter().map(|(_, line)| line);
        // The line of a shim or of docker's helpers holds an ID; one is one.
        add("process", commands.collect());
        let mounts = sandbox.mounts();
        add(
            "mount",
            mounts
                .iter()
                .filter_map(|line| line.split(' ').nth(4))
                .map(str::to_owned)
                .collect(),
        );
        add("cgroup", sandbox.cgroups());
        add("link", sandbox.links());
        add("rule", sandbox.rules());
        add("descriptor", descriptors(engine.pid()));
        for root in [engine.exec_root(), engine.data_root()] {
            let mut found = Vec::new();
            walk(&root, &root, 4, &mut found);
            add(
                &root.file_name().unwrap_or_default().to_string_lossy(),
                found,
            );
        }
        let database = engine.data_root().join("tare.db");
        if !against_docker() {
            let text = sandbox.output(
                "/usr/bin/python3",
                &["-c", ROWS, &database.to_string_lossy()],
            );
            add("rows", text.lines().map(str::to_owned).collect());
        }
        Self { lines }
    }

    /// Waits until there is what there was, no more and no less: teardown goes
    /// on after the answer, but it ends.
    #[track_caller]
    pub fn assert_same(self, engine: &Engine) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let now = Self::now(engine);
            if now.lines == self.lines {
                return;
            }
            if Instant::now() > deadline {
                let more: Vec<_> = now.lines.difference(&self.lines).collect();
                let less: Vec<_> = self.lines.difference(&now.lines).collect();
                panic!("left behind: {more:#?}\nno longer there: {less:#?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What the engine has open, by kind: `socket`, `anon_inode:[eventpoll]`, paths.
fn descriptors(pid: u32) -> Vec<String> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("the engine's descriptors")
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        // Connections to the database, and its source of random numbers, are
        // opened when they are first needed; their number has a limit.
        .filter(|target| !target.contains("/tare.db") && target != "/dev/urandom")
        .map(|target| match target.split_once(":[") {
            Some((kind @ ("socket" | "pipe"), _)) => kind.to_owned(),
            _ => target,
        })
        .collect()
}

/// Paths to a depth that shows every object of the engine, not the content of
/// layers and volumes.
fn walk(root: &Path, directory: &Path, depth: u32, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap_or(&path);
        // SQLite makes and removes these as it likes.
        let text = name.display().to_string();
        if text.ends_with("-wal") || text.ends_with("-shm") {
            continue;
        }
        found.push(text);
        if depth > 1 && path.is_dir() && !path.is_symlink() {
            walk(root, &path, depth - 1, found);
        }
    }
}
