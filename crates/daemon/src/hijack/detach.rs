//! The keys by which a client leaves a terminal without ending its process.

use tare_engine::{Error, Result};

/// Docker's keys.
const DEFAULT_KEYS: &str = "ctrl-p,ctrl-q";

/// A sequence of keys, and how much of it has been typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DetachKeys {
    keys: Vec<u8>,
    typed: usize,
}

impl DetachKeys {
    /// Reads `ctrl-x` and single characters separated by commas; an empty
    /// text is [`DEFAULT_KEYS`].
    ///
    /// # Errors
    ///
    /// Fails in Docker's words for a key that is none.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = if text.is_empty() { DEFAULT_KEYS } else { text };
        let keys = text.split(',').map(key).collect::<Option<_>>();
        let keys =
            keys.ok_or_else(|| Error::invalid(format!("Invalid escape keys ({text}) provided")))?;
        Ok(Self { keys, typed: 0 })
    }

    /// Looks for the sequence in bytes on their way to the process.
    ///
    /// Returns whether the client has left; `bytes` are then what came before.
    /// Keys that may be the beginning of the sequence are held back, and given
    /// out with what follows when they turn out not to be.
    pub(crate) fn scan(&mut self, bytes: &mut Vec<u8>) -> bool {
        if self.typed == 0 && !bytes.contains(&self.keys[0]) {
            return false;
        }
        let mut passed = Vec::with_capacity(self.typed + bytes.len());
        for &byte in bytes.iter() {
            if byte != self.keys[self.typed] {
                passed.extend_from_slice(&self.keys[..self.typed]);
                self.typed = 0;
            }
            if byte == self.keys[self.typed] {
                self.typed += 1;
                if self.typed == self.keys.len() {
                    *bytes = passed;
                    return true;
                }
            } else {
                passed.push(byte);
            }
        }
        *bytes = passed;
        false
    }
}

fn key(name: &str) -> Option<u8> {
    let character = match name.as_bytes() {
        [character] => return Some(*character),
        [b'c', b't', b'r', b'l', b'-', character] => character.to_ascii_lowercase(),
        _ => return None,
    };
    match character {
        b'a'..=b'z' => Some(character - b'a' + 1),
        b'@' => Some(0),
        b'['..=b'_' => Some(character - b'[' + 27),
        _ => None,
    }
}
