//! Shell patterns as Go's `path.Match` has them, for the `reference` filter.

/// A pattern that is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub(super) struct Malformed;

/// Whether the whole of `name` matches: `*` and `?` stop at slashes, `[a-z]` and
/// `[^a]` are classes, a backslash takes the next character's meaning away.
pub(super) fn matches(pattern: &str, name: &str) -> Result<bool, Malformed> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    check(&pattern)?;
    // Where to go on when a star has to take one character more.
    let mut retry: Option<(usize, usize)> = None;
    let (mut at, mut from) = (0, 0);
    loop {
        if pattern.get(at) == Some(&'*') {
            at += 1;
            retry = Some((at, from));
            continue;
        }
        if at == pattern.len() && from == name.len() {
            return Ok(true);
        }
        let step = name
            .get(from)
            .and_then(|&character| one(&pattern[at..], character));
        if let Some(length) = step {
            at += length;
            from += 1;
            continue;
        }
        match retry {
            Some((star, taken)) if name.get(taken).is_some_and(|&character| character != '/') => {
                retry = Some((star, taken + 1));
                (at, from) = (star, taken + 1);
            }
            _ => return Ok(false),
        }
    }
}

/// How much of the pattern stands for this one character, if it does.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => (character != '/').then_some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        ['[', rest @ ..] => {
            let (length, found) = class(rest, character)?;
            found.then_some(1 + length)
        }
        [literal, ..] => (*literal == character).then_some(1),
        [] => None,
    }
}

/// Length of a class after its bracket, and whether the character is in it; none
/// when it does not end.
fn class(pattern: &[char], character: char) -> Option<(usize, bool)> {
    let negated = pattern.first() == Some(&'^');
    let mut at = usize::from(negated);
    let mut found = false;
    let mut ranges = 0;
    loop {
        if pattern.get(at) == Some(&']') && ranges > 0 {
            return Some((at + 1, found != negated));
        }
        let low = member(pattern, &mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = member(pattern, &mut at)?;
        }
        found |= (low..=high).contains(&character);
        ranges += 1;
    }
}

fn member(pattern: &[char], at: &mut usize) -> Option<char> {
    let mut character = *pattern.get(*at)?;
    if matches!(character, '-' | ']') {
        return None;
    }
    if character == '\\' {
        *at += 1;
        character = *pattern.get(*at)?;
    }
    *at += 1;
    Some(character)
}

/// Goes once through the pattern, so that a bad one is told whatever the name is.
fn check(pattern: &[char]) -> Result<(), Malformed> {
    let mut at = 0;
    while let Some(character) = pattern.get(at) {
        at += match character {
            '\\' if at + 1 == pattern.len() => return Err(Malformed),
            '\\' => 2,
            '[' => 1 + class(&pattern[at + 1..], '/').ok_or(Malformed)?.0,
            _ => 1,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests;
