//! The lines of /proc/PID/mountinfo.

use std::fs;

/// A mount.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub(crate) destination: String,
    /// Options of the mount itself.
    pub(crate) options: Vec<String>,
    /// Peer groups: `shared:1`, `master:2`, `unbindable`.
    pub(crate) propagation: Vec<String>,
    pub(crate) kind: String,
    /// Options of the file system.
    pub(crate) super_options: Vec<String>,
}

impl Mount {
    /// Whether the mount or its file system has an option.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options
            .iter()
            .chain(&self.super_options)
            .any(|have| have == option)
    }

    /// Whether a field about propagation begins so.
    pub(crate) fn propagates(&self, beginning: &str) -> bool {
        self.propagation
            .iter()
            .any(|field| field.starts_with(beginning))
    }
}

/// All mounts in a text, in order.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let (mount, system) = line.split_once(" - ")?;
            let words = |text: &str| text.split(',').map(str::to_owned).collect();
            let mut fields = mount.split(' ').skip(4);
            let destination = fields.next()?.to_owned();
            let options = words(fields.next()?);
            let mut system = system.split(' ');
            Some(Mount {
                destination,
                options,
                propagation: fields.map(str::to_owned).collect(),
                kind: system.next()?.to_owned(),
                super_options: words(system.nth(1)?),
            })
        })
        .collect()
}

/// The topmost mount at a destination.
#[track_caller]
pub(crate) fn at(text: &str, destination: &str) -> Mount {
    parse(text)
        .into_iter()
        .rfind(|mount| mount.destination == destination)
        .unwrap_or_else(|| panic!("nothing is mounted at {destination}:\n{text}"))
}

/// The destinations in this program's own namespace that contain a text.
pub(crate) fn own_with(text: &str) -> Vec<String> {
    parse(&fs::read_to_string("/proc/self/mountinfo").expect("mountinfo"))
        .into_iter()
        .map(|mount| mount.destination)
        .filter(|destination| destination.contains(text))
        .collect()
}
