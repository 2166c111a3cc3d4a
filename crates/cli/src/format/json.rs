//! JSON shown as the engine sent it: re-indented, compacted, or one value
//! picked out, never decoded and encoded again, so that the order of keys
//! and the spelling of numbers stay.

use serde_json::value::RawValue;

/// The text with four spaces for each level, as Go's `json.Indent` does it.
pub(crate) fn indented(json: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut walk = Walk::new(json);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(prefix);
        out.extend(std::iter::repeat_n("    ", depth));
    };
    while let Some((token, next)) = walk.token() {
        match token {
            "{" | "[" => {
                out.push_str(token);
                if !matches!(next, Some(b'}' | b']')) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            "}" | "]" => {
                if !matches!(out.as_bytes().last(), Some(b'{' | b'[')) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push_str(token);
            }
            "," => {
                out.push(',');
                line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            other => out.push_str(other),
        }
    }
    out
}

/// The text without any white space between its tokens.
pub(crate) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut walk = Walk::new(json);
    while let Some((token, _)) = walk.token() {
        out.push_str(token);
    }
    out
}

/// The value that a path of keys leads to.
pub(crate) fn at<'j>(json: &'j str, path: &[&str]) -> Option<&'j str> {
    let mut current = json;
    for key in path {
        let object: std::collections::HashMap<String, &'j RawValue> =
            serde_json::from_str(current).ok()?;
        current = object.get(*key)?.get();
    }
    Some(current)
}

/// Splits JSON that is known to be valid into tokens.
struct Walk<'j> {
    text: &'j str,
    position: usize,
}

impl<'j> Walk<'j> {
    fn new(text: &'j str) -> Self {
        Self { text, position: 0 }
    }

    /// The next token, and the first byte of the one behind it.
    fn token(&mut self) -> Option<(&'j str, Option<u8>)> {
        self.skip_space();
        let bytes = self.text.as_bytes();
        let start = self.position;
        match bytes.get(start)? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => self.position += 1,
            b'"' => {
                self.position += 1;
                while let Some(byte) = bytes.get(self.position) {
                    self.position += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
                self.position = self.position.min(bytes.len());
            }
            _ => {
                while bytes
                    .get(self.position)
                    .is_some_and(|byte| !b"{}[],:\" \t\r\n".contains(byte))
                {
                    self.position += 1;
                }
            }
        }
        let token = self.text.get(start..self.position)?;
        self.skip_space();
        Some((token, bytes.get(self.position).copied()))
    }

    fn skip_space(&mut self) {
        while self
            .text
            .as_bytes()
            .get(self.position)
            .is_some_and(u8::is_ascii_whitespace)
        {
            self.position += 1;
        }
    }
}
