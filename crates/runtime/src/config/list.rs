//! Lists of CPUs and memory nodes (`0-3,7`), as cpuset(7) has them.

use super::Error;

/// More CPUs or nodes than any kernel is built for.
const MAXIMUM: u32 = 1 << 16;

/// Checks a list; an empty one is no list of anything.
pub(super) fn check(field: &str, list: &str) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::invalid(field, reason));
    for part in list.split(',') {
        let part = part.trim_matches([' ', '\n']);
        // "0-10:2/5": of every five the first two (the kernel's bitmap lists).
        let (range, group) = match part.split_once(':') {
            Some((range, group)) => (range, group.split_once('/').or(Some(("", "")))),
            None => (part, None),
        };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let is_group =
            group.is_none_or(|(used, of)| number(used).is_some() && number(of).is_some());
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return refuse(format!("{list:?} is no list of numbers as 0-3,7"));
        };
        if !is_group {
            return refuse(format!("{list:?} is no list of numbers as 0-3,7"));
        }
        if first > last {
            return refuse(format!("the range {part:?} ends before it begins"));
        }
    }
    Ok(())
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim_matches(' ');
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number < MAXIMUM)
}
