//! Names in archives and what they may mean.

use crate::tar::printable;

use super::Error;

/// The mark of a deleted file: `.wh.name` hides `name`.
pub(super) const WHITEOUT: &[u8] = b".wh.";
/// What follows the mark in the name that makes a directory opaque.
pub(super) const OPAQUE: &[u8] = b".wh..opq";
/// What AUFS kept at the root of its branches.
pub(super) const AUFS: &[u8] = b".wh..wh.";

/// A path relative to the layer's root without empty, `.` or `..` components;
/// the root itself is empty.
pub(super) struct Clean(Vec<u8>);

impl Clean {
    pub(super) fn root() -> Self {
        Self(Vec::new())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn printable(&self) -> String {
        printable(&self.0)
    }

    /// The directory and the name in it; none for the root.
    pub(super) fn split(&self) -> Option<(&[u8], &[u8])> {
        split(&self.0)
    }
}

/// The directory and the last component of a cleaned path.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.is_empty() {
        return None;
    }
    Some(match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    })
}

/// Cleans a name the way Docker does: a slash at its beginning means the
/// layer's root, `a/../b` is `b`, and what climbs above the root is refused.
pub(super) fn clean(path: &[u8]) -> Result<Clean, Error> {
    let refuse = |reason| Error::Path {
        path: printable(path),
        reason,
    };
    let mut cleaned: Vec<u8> = Vec::with_capacity(path.len());
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match split(&cleaned) {
                Some((parent, _)) => cleaned.truncate(parent.len()),
                None => return Err(refuse("it leads out of the layer")),
            },
            _ => {
                if !cleaned.is_empty() {
                    cleaned.push(b'/');
                }
                cleaned.extend_from_slice(component);
            }
        }
    }
    if path.is_empty() {
        Err(refuse("it is empty"))
    } else {
        Ok(Clean(cleaned))
    }
}
