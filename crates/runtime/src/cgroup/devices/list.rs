//! Rules as the lists of a v1 group.
//!
//! A list is a default and the exceptions from it, which devices.list shows
//! only where the default is to deny. Writes are made one by one, so that
//! their order decides what can be opened in between.

use std::collections::BTreeMap;
use std::path::Path;

use super::{EVERYTHING, Kind, Rule, line};
use crate::cgroup::resources::refused;
use crate::cgroup::{Error, controls};

/// Devices of a kind: major and minor number, or any.
type Devices = (Kind, Option<u32>, Option<u32>);

type Exceptions = BTreeMap<Devices, u8>;

/// What a group's list is to become.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Nothing but these.
    Only(Exceptions),
    /// Everything but these.
    AllBut(Exceptions),
}

/// A write: the file, and a line.
type Write = (&'static str, String);

const ALLOW: &str = "devices.allow";
const DENY: &str = "devices.deny";

/// Brings the group's list to what the rules say, by as few writes as it
/// takes, and such that nothing can be opened in between that neither the old
/// rules nor the new ones allow. Where the default changes on a live group
/// its processes have to be stopped: see [`needs_stop`].
pub(in crate::cgroup) fn apply(directory: &Path, rules: &[Rule]) -> Result<(), Error> {
    let wanted = wanted(rules)?;
    let present = present(directory)?;
    for (file, line) in writes(present.as_ref(), &wanted) {
        controls::set(directory, file, "devices", line)?;
    }
    Ok(())
}

/// Whether there is a moment between the writes at which the group can open
/// what it may not.
pub(in crate::cgroup) fn needs_stop(directory: &Path, rules: &[Rule]) -> Result<bool, Error> {
    let closes_late = matches!(wanted(rules)?, List::AllBut(but) if !but.is_empty());
    let is_default_to_change = present(directory)?.is_none();
    Ok(closes_late || is_default_to_change)
}

/// The list that the rules make, one after the other, of one that allows
/// everything.
pub(super) fn wanted(rules: &[Rule]) -> Result<List, Error> {
    let mut list = List::AllBut(Exceptions::new());
    for rule in rules {
        if rule.is_everything() {
            list = match rule.allow {
                true => List::AllBut(Exceptions::new()),
                false => List::Only(Exceptions::new()),
            };
            continue;
        }
        let key = (rule.kind, rule.major, rule.minor);
        let (exceptions, adds) = match &mut list {
            List::Only(exceptions) => (exceptions, rule.allow),
            List::AllBut(exceptions) => (exceptions, !rule.allow),
        };
        if adds {
            *exceptions.entry(key).or_default() |= rule.access;
            continue;
        }
        // What the rule covers is taken back. An exception is one as a whole,
        // though: of a wider one no part can be.
        for (other, access) in exceptions.iter_mut() {
            if covers(&key, other) {
                *access &= !rule.access;
            } else if overlaps(other, &key) && *access & rule.access != 0 {
                return Err(refused(
                    "devices",
                    format!(
                        "{:?} takes back a part of {:?}, which cgroup v1 cannot",
                        rule.line(),
                        line(other.0, other.1, other.2, *access)
                    ),
                ));
            }
        }
        exceptions.retain(|_, access| *access != 0);
    }
    Ok(list)
}

fn overlaps(one: &Devices, other: &Devices) -> bool {
    let meets =
        |one: Option<u32>, other: Option<u32>| one.is_none() || other.is_none() || one == other;
    one.0 == other.0 && meets(one.1, other.1) && meets(one.2, other.2)
}

/// Whether one stands for all that the other does.
fn covers(one: &Devices, other: &Devices) -> bool {
    let holds = |one: Option<u32>, other: Option<u32>| one.is_none() || one == other;
    one.0 == other.0 && holds(one.1, other.1) && holds(one.2, other.2)
}

/// What the group may open now; `None` when that is everything, except for
/// what the kernel does not show.
fn present(directory: &Path) -> Result<Option<Exceptions>, Error> {
    let text = controls::read(&directory.join("devices.list"))?.unwrap_or_default();
    Ok(parse(&text))
}

/// Reads lines of `c 1:3 rwm`; `a *:* rwm` is everything.
pub(super) fn parse(text: &str) -> Option<Exceptions> {
    let mut exceptions = Exceptions::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let kind = match words.next()? {
            "b" => Kind::Block,
            "c" => Kind::Character,
            _ => return None,
        };
        let (major, minor) = words.next()?.split_once(':')?;
        let access = words.next()?.chars().fold(0, |access, letter| {
            access
                | match letter {
                    'r' => super::READ,
                    'w' => super::WRITE,
                    _ => super::MKNOD,
                }
        });
        *exceptions
            .entry((kind, major.parse().ok(), minor.parse().ok()))
            .or_default() |= access;
    }
    Some(exceptions)
}

pub(super) fn writes(present: Option<&Exceptions>, wanted: &List) -> Vec<Write> {
    let mut writes: Vec<Write> = Vec::new();
    let mut add = |file, key: &Devices, access: u8| {
        if access & EVERYTHING != 0 {
            writes.push((file, line(key.0, key.1, key.2, access)));
        }
    };
    match (present, wanted) {
        (Some(present), List::Only(wanted)) => {
            for (key, access) in present {
                let kept = wanted.get(key).copied().unwrap_or(0);
                add(DENY, key, access & !kept);
            }
            for (key, access) in wanted {
                let had = present.get(key).copied().unwrap_or(0);
                add(ALLOW, key, access & !had);
            }
        }
        (None, List::Only(wanted)) => {
            for (key, access) in wanted {
                add(ALLOW, key, *access);
            }
            writes.insert(0, (DENY, "a".to_owned()));
        }
        (_, List::AllBut(wanted)) => {
            for (key, access) in wanted {
                add(DENY, key, *access);
            }
            // A new group that allows everything already is left alone.
            if present.is_some() || !wanted.is_empty() {
                writes.insert(0, (ALLOW, "a".to_owned()));
            }
        }
    }
    writes
}
