//! Which hierarchies the host has.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where the host's hierarchies are mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// v1 hierarchies; none on a host with v2 only.
    pub hierarchies: Vec<Hierarchy>,
    /// Mount point of the v2 hierarchy.
    pub unified: Option<PathBuf>,
}

/// A v1 hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Mount point.
    pub mount: PathBuf,
    /// Its controllers, or its name as `name=systemd`.
    pub controllers: Vec<String>,
}

impl Hierarchy {
    /// Whether it has a controller.
    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }

    /// Name of its directory under /sys/fs/cgroup.
    #[must_use]
    pub fn name(&self) -> String {
        match self.mount.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => self.controllers.join(","),
        }
    }
}

const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;

impl Layout {
    /// Looks at /sys/fs/cgroup, and at the mount table unless the v2 hierarchy
    /// alone is there.
    ///
    /// # Errors
    /// When neither can be read or no hierarchy is mounted.
    pub fn detect() -> io::Result<Layout> {
        let usual = Path::new("/sys/fs/cgroup");
        if let Ok(status) = rustix::fs::statfs(usual)
            && status.f_type == CGROUP2_SUPER_MAGIC
        {
            return Ok(Layout {
                hierarchies: Vec::new(),
                unified: Some(usual.to_owned()),
            });
        }
        // Large enough for most tables: growing would read it piece by piece.
        let mut table = String::with_capacity(16 << 10);
        std::fs::File::open("/proc/self/mountinfo")?.read_to_string(&mut table)?;
        let layout = Layout::parse(&table);
        if layout.hierarchies.is_empty() && layout.unified.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no control group hierarchy is mounted (mount cgroup2 at /sys/fs/cgroup)",
            ));
        }
        Ok(layout)
    }

    /// Reads a mount table in the format of /proc/PID/mountinfo. The first
    /// mount of each hierarchy counts.
    #[must_use]
    pub fn parse(table: &str) -> Layout {
        let mut layout = Layout::default();
        for line in table.lines() {
            let Some((mount, file_system)) = line.split_once(" - ") else {
                continue;
            };
            let Some(point) = mount.split(' ').nth(4) else {
                continue;
            };
            let mut words = file_system.split(' ');
            match words.next() {
                Some("cgroup2") if layout.unified.is_none() => {
                    layout.unified = Some(PathBuf::from(unescape(point)));
                }
                Some("cgroup") => {
                    let options = words.nth(1).unwrap_or_default();
                    let controllers = controllers(options);
                    let known = layout
                        .hierarchies
                        .iter()
                        .any(|hierarchy| hierarchy.controllers == controllers);
                    if !controllers.is_empty() && !known {
                        layout.hierarchies.push(Hierarchy {
                            mount: PathBuf::from(unescape(point)),
                            controllers,
                        });
                    }
                }
                _ => {}
            }
        }
        layout
    }

    /// The v1 hierarchy of a controller.
    #[must_use]
    pub fn hierarchy(&self, controller: &str) -> Option<&Hierarchy> {
        self.hierarchies
            .iter()
            .find(|hierarchy| hierarchy.controllers.iter().any(|name| name == controller))
    }
}

/// The controllers among a mount's options.
fn controllers(options: &str) -> Vec<String> {
    let other = [
        "rw",
        "ro",
        "xattr",
        "none",
        "clone_children",
        "noprefix",
        "cpuset_v2_mode",
        "favordynmods",
    ];
    options
        .split(',')
        .filter(|option| !other.contains(option) && !option.starts_with("release_agent="))
        .map(str::to_owned)
        .collect()
}

/// Resolves the octal escapes of a mount table.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}
