//! Names of units, and the groups that they have.

use crate::cgroup::Error;

/// Suffix of a slice's name.
const SLICE: &str = ".slice";

/// The default for the prefix of a scope's name.
const PREFIX: &str = "tare";

/// What `slice:prefix:name` means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// The slice.
    pub(super) slice: String,
    /// The unit.
    pub(super) unit: String,
}

/// Reads a path in systemd's form; parts that are empty have defaults.
pub(super) fn parse(path: &str, id: &str, rootless: bool) -> Result<Names, Error> {
    let refuse = |reason| {
        Err(Error::Path {
            path: path.to_owned(),
            reason,
        })
    };
    let parts: Vec<&str> = match path {
        "" => vec!["", "", ""],
        path => path.split(':').collect(),
    };
    let [slice, prefix, name] = parts[..] else {
        return refuse("must be of the form slice:prefix:name for systemd's driver");
    };
    let or = |text: &str, default: &str| match text {
        "" => default.to_owned(),
        text => text.to_owned(),
    };
    let slice = or(
        slice,
        if rootless {
            "user.slice"
        } else {
            "system.slice"
        },
    );
    let name = or(name, id);
    let unit = if name.ends_with(SLICE) {
        name
    } else {
        format!("{}-{name}.scope", or(prefix, PREFIX))
    };
    if expand(&slice).is_none() {
        return refuse("names no slice");
    }
    let is_slice = unit.ends_with(SLICE);
    if !is_name(&unit) || is_slice && expand(&unit).is_none() {
        return refuse("makes no name for a unit of systemd");
    }
    Ok(Names { slice, unit })
}

/// systemd.unit(5).
fn is_name(unit: &str) -> bool {
    unit.len() < 256
        && unit.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'\\')
        })
}

/// The path of a slice's group: `a-b.slice` is in `a.slice`.
pub(super) fn expand(slice: &str) -> Option<String> {
    let name = slice.strip_suffix(SLICE)?;
    if name == "-" {
        return Some(String::new());
    }
    if !is_name(slice) {
        return None;
    }
    let mut path = String::new();
    let mut prefix = String::new();
    for part in name.split('-') {
        if part.is_empty() {
            return None;
        }
        path.push_str(&format!("/{prefix}{part}{SLICE}"));
        prefix.push_str(&format!("{part}-"));
    }
    Some(path)
}
