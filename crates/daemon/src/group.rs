//! Groups by name, from `/etc/group`.
//!
//! The executable is static, so the name services of the C library are out of
//! reach; a socket's group is a local one anyway.

/// The number of the group of a name, or of a number, in the text of
/// `/etc/group`.
pub(crate) fn find(text: &str, group: &str) -> Option<u32> {
    let by_name = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == group).then(|| fields.nth(1)?.parse().ok())?
    });
    by_name.or_else(|| group.parse().ok())
}

#[cfg(test)]
mod tests;
