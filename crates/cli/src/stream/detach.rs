//! The keys that detach from a container: `ctrl-p,ctrl-q` unless told
//! otherwise.

/// Docker's default.
pub(crate) const DEFAULT_KEYS: &str = "ctrl-p,ctrl-q";

/// Keys that are not keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid detach keys ({keys}): unknown character: '{part}'")]
pub(crate) struct KeysError {
    keys: String,
    part: String,
}

/// The bytes that a list such as `ctrl-p,ctrl-q,x` stands for.
///
/// # Errors
/// A part that is neither one character nor `ctrl-` with one of `a` to `z`,
/// `@ [ \ ] ^ _`.
pub(crate) fn parse_keys(keys: &str) -> Result<Vec<u8>, KeysError> {
    keys.split(',')
        .map(|part| {
            let byte = match part.strip_prefix("ctrl-") {
                Some(rest) => match rest.as_bytes() {
                    [letter @ b'a'..=b'z'] => Some(letter - b'a' + 1),
                    [b'@'] => Some(0),
                    [letter @ b'['..=b'_'] => Some(letter - b'@'),
                    _ => None,
                },
                None => match part.as_bytes() {
                    [byte] => Some(*byte),
                    _ => None,
                },
            };
            byte.ok_or_else(|| KeysError {
                keys: keys.to_owned(),
                part: part.to_owned(),
            })
        })
        .collect()
}

/// Looks for the keys in what is typed. A byte that may begin them is held
/// back until the next shows what it was.
#[derive(Debug, Default)]
pub(crate) struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    /// Looks for these bytes; none never match.
    pub(crate) fn new(keys: Vec<u8>) -> Self {
        Self { keys, matched: 0 }
    }

    /// Appends to `passed` what is not part of the keys; true when they are
    /// complete.
    pub(crate) fn filter(&mut self, typed: &[u8], passed: &mut Vec<u8>) -> bool {
        if self.keys.is_empty() {
            passed.extend_from_slice(typed);
            return false;
        }
        for byte in typed {
            if *byte != self.keys[self.matched] {
                passed.extend_from_slice(&self.keys[..self.matched]);
                self.matched = 0;
            }
            if *byte == self.keys[self.matched] {
                self.matched += 1;
            } else {
                passed.push(*byte);
            }
            if self.matched == self.keys.len() {
                return true;
            }
        }
        false
    }
}
