//! Access to devices: lists on v1, a BPF program on v2.

mod list;
mod program;

use std::io::ErrorKind;

use tare_oci::runtime::DeviceRule;

use super::Error;
use super::resources::refused;

pub(super) use list::{apply as apply_v1, needs_stop};
pub(super) use program::apply as apply_v2;

/// A rule, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) allow: bool,
    pub(super) kind: Kind,
    pub(super) major: Option<u32>,
    pub(super) minor: Option<u32>,
    access: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Every device; only in a rule for all access.
    All,
    Block,
    Character,
}

const MKNOD: u8 = 1;
const READ: u8 = 2;
const WRITE: u8 = 4;
const EVERYTHING: u8 = MKNOD | READ | WRITE;

/// What every container may do whatever its configuration says, as runc has
/// it: make any node, and use the devices that the specification wants in
/// every container, and terminals.
const ALWAYS: [(Kind, Option<u32>, Option<u32>, u8); 10] = [
    (Kind::Character, None, None, MKNOD),
    (Kind::Block, None, None, MKNOD),
    (Kind::Character, Some(1), Some(3), EVERYTHING),
    (Kind::Character, Some(1), Some(8), EVERYTHING),
    (Kind::Character, Some(1), Some(7), EVERYTHING),
    (Kind::Character, Some(5), Some(0), EVERYTHING),
    (Kind::Character, Some(1), Some(5), EVERYTHING),
    (Kind::Character, Some(1), Some(9), EVERYTHING),
    (Kind::Character, Some(136), None, EVERYTHING),
    (Kind::Character, Some(5), Some(2), EVERYTHING),
];

impl Rule {
    /// A rule for every device and all access.
    fn everything(allow: bool) -> Rule {
        Rule {
            allow,
            kind: Kind::All,
            major: None,
            minor: None,
            access: EVERYTHING,
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.kind == Kind::All
    }

    /// The access as letters.
    pub(super) fn letters(&self) -> String {
        letters(self.access)
    }

    /// As the lists of v1 want it.
    fn line(&self) -> String {
        line(self.kind, self.major, self.minor, self.access)
    }
}

fn letters(access: u8) -> String {
    [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')]
        .iter()
        .filter(|(bit, _)| access & bit != 0)
        .map(|(_, letter)| *letter)
        .collect()
}

fn line(kind: Kind, major: Option<u32>, minor: Option<u32>, access: u8) -> String {
    let kind = match kind {
        Kind::All => return "a".to_owned(),
        Kind::Block => 'b',
        Kind::Character => 'c',
    };
    let number = |value: Option<u32>| value.map_or("*".to_owned(), |value| value.to_string());
    format!(
        "{kind} {}:{} {}",
        number(major),
        number(minor),
        letters(access)
    )
}

/// Reads one configured rule: one for devices of both types becomes two,
/// unless it is for everything.
fn read(rule: &DeviceRule) -> Result<Vec<Rule>, Error> {
    let bad = |reason: String| Err(refused("devices", reason));
    let kinds: &[Kind] = match rule.kind.as_deref() {
        None | Some("a" | "") => &[Kind::Block, Kind::Character],
        Some("b") => &[Kind::Block],
        Some("c" | "u") => &[Kind::Character],
        Some(other) => return bad(format!("{other:?} is no type of device")),
    };
    let mut access = 0;
    for letter in rule.access.as_deref().unwrap_or("rwm").chars() {
        access |= match letter {
            'r' => READ,
            'w' => WRITE,
            'm' => MKNOD,
            other => return bad(format!("{other:?} is no kind of access")),
        };
    }
    let number = |value: Option<i64>| match value {
        None | Some(i64::MIN..=-1) => Ok(None),
        Some(value) => u32::try_from(value)
            .map(Some)
            .map_err(|_| refused("devices", format!("{value} is no device number"))),
    };
    let (major, minor) = (number(rule.major)?, number(rule.minor)?);
    if kinds.len() == 2 && major.is_none() && minor.is_none() && access == EVERYTHING {
        return Ok(vec![Rule::everything(rule.allow)]);
    }
    if access == 0 {
        return Ok(Vec::new());
    }
    // A v1 list takes "a" for everything whatever numbers follow it.
    let one = |kind: &Kind| Rule {
        allow: rule.allow,
        kind: *kind,
        major,
        minor,
        access,
    };
    Ok(kinds.iter().map(one).collect())
}

/// Reads configured rules.
pub(super) fn check(rules: &[DeviceRule]) -> Result<Vec<Rule>, Error> {
    let mut checked = Vec::with_capacity(rules.len());
    for rule in rules {
        checked.extend(read(rule)?);
    }
    Ok(shorten(checked))
}

/// The rules in force for configured ones: nothing, then what is configured, then what
/// every container may have.
pub(super) fn effective(rules: &[DeviceRule]) -> Result<Vec<Rule>, Error> {
    let mut all = vec![Rule::everything(false)];
    for rule in rules {
        all.extend(read(rule)?);
    }
    all.extend(ALWAYS.iter().map(|&(kind, major, minor, access)| Rule {
        allow: true,
        kind,
        major,
        minor,
        access,
    }));
    Ok(shorten(all))
}

/// Leaves out what has no effect: rules before one for everything, and rules
/// that allow after everything has been allowed and nothing denied.
fn shorten(rules: Vec<Rule>) -> Vec<Rule> {
    let start = rules.iter().rposition(Rule::is_everything).unwrap_or(0);
    let rules = rules[start..].to_vec();
    if rules.first().is_some_and(Rule::is_everything) && rules.iter().all(|rule| rule.allow) {
        return rules[..1].to_vec();
    }
    // The same rule again, last: only that one counts.
    let mut kept: Vec<Rule> = Vec::with_capacity(rules.len());
    for rule in rules {
        if kept.last() != Some(&rule) {
            kept.push(rule);
        }
    }
    kept
}

/// Whether an error says that the group takes no such program or list.
fn is_unsupported(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests;
