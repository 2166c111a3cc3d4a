//! What an engine holds, counted, so that what a container left behind shows.

use super::engine::{Engine, eventually};
use super::program::Program;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How often each thing was there at one moment.
#[derive(Debug, PartialEq)]
pub(super) struct Held {
    things: BTreeMap<String, u32>,
}

impl Held {
    /// Counts once what came before has gone.
    pub(super) fn count(engine: &Engine) -> Result<Self> {
        let mut last = Self::now(engine)?;
        eventually("nothing changes any more", || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            let now = Self::now(engine)?;
            let same = now == last;
            let result = last.compare(&now);
            last = now;
            ensure!(same, "{result:?}");
            Ok(())
        })?;
        Ok(last)
    }

    /// Waits until there is what there was, no more and no less.
    pub(super) fn expect_same(&self, engine: &Engine) -> Result<()> {
        eventually("what there was before", || {
            self.compare(&Self::now(engine)?)
        })
    }

    fn compare(&self, now: &Self) -> Result<()> {
        let mut differences = Vec::new();
        for thing in self.things.keys().chain(now.things.keys()) {
            let count = |held: &Self| held.things.get(thing).copied().unwrap_or_default();
            let line = format!("{thing}: {} before, {} now", count(self), count(now));
            if count(self) != count(now) && !differences.contains(&line) {
                differences.push(line);
            }
        }
        ensure!(differences.is_empty(), "{}", differences.join("\n"));
        Ok(())
    }

    fn now(engine: &Engine) -> Result<Self> {
        let mut things = BTreeMap::new();
        let mut add = |kind: &str, name: &str| {
            *things.entry(format!("{kind} {name}")).or_default() += 1;
        };
        let pid = engine.pid()?;
        for place in [
            "/proc/self/mountinfo".to_owned(),
            format!("/proc/{pid}/mountinfo"),
        ] {
            let text = fs::read_to_string(&place).context(place)?;
            for line in text.lines() {
                add("mount", line.split(' ').nth(4).unwrap_or(line));
            }
        }
        for name in names("/sys/class/net") {
            add("link", &name);
        }
        walk(
            Path::new("/sys/fs/cgroup"),
            u32::MAX,
            &mut |path, directory| {
                if directory {
                    add("control group", path);
                }
            },
        );
        for root in ["/run/tare", "/var/lib/tare"] {
            walk(Path::new(root), 3, &mut |path, _| {
                // SQLite makes and removes these as it likes.
                if !path.ends_with("-wal") && !path.ends_with("-shm") {
                    add("file", path);
                }
            });
        }
        for name in processes() {
            add("process", &name);
        }
        for target in descriptors(pid) {
            add("descriptor", &target);
        }
        // Without the counters, which count.
        let rules = Program::new("nft", &["--stateless", "list", "ruleset"]).run()?;
        for line in rules.expect(0)?.stdout.lines() {
            add("rule", line.trim());
        }
        Ok(Self { things })
    }
}

fn names(directory: &str) -> Vec<String> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn walk(directory: &Path, depth: u32, found: &mut impl FnMut(&str, bool)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        found(&path.to_string_lossy(), is_directory);
        if is_directory && depth > 1 {
            walk(&path, depth - 1, found);
        }
    }
}

/// Names and states of all processes but the kernel's own; a state other than
/// that of a zombie changes all the time and says nothing.
fn processes() -> Vec<String> {
    names("/proc")
        .iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok())
        .filter_map(|stat| {
            // The name is in parentheses and may hold any of its own.
            let (name, rest) = stat.rsplit_once(") ")?;
            let mut fields = rest.split(' ');
            let zombie = fields.next()? == "Z";
            let parent = fields.next()?;
            let pid = name.split(' ').next()?;
            let name = name.split_once('(')?.1;
            let kernel = parent == "2" || pid == "2";
            (!kernel).then(|| format!("{name}{}", if zombie { " (zombie)" } else { "" }))
        })
        .collect()
}

/// What the engine has open, by kind.
fn descriptors(pid: u32) -> Vec<String> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        // Connections to the database are opened when they are first needed.
        .filter(|target| !target.contains("/tare.db"))
        .map(|target| match target.split_once(":[") {
            Some((kind @ ("socket" | "pipe"), _)) => kind.to_owned(),
            _ => target,
        })
        .collect()
}
