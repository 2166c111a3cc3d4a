//! The record form of Docker's `json-file` driver, byte for byte:
//!
//! ```text
//! {"log":"a line\n","stream":"stdout","attrs":{"tag":"x"},"time":"2026-01-02T03:04:05.6Z"}
//! ```
//! A line without its newline is partial; `attrs` is left out when empty.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Record, Stream};
use tare_oci::timestamp;

/// The JSON of the attributes that each record carries, or nothing.
pub(super) fn attributes(tags: &BTreeMap<String, String>) -> Vec<u8> {
    let mut json = Vec::new();
    for (key, value) in tags {
        json.extend_from_slice(if json.is_empty() {
            b"\"attrs\":{"
        } else {
            b","
        });
        quote(key.as_bytes(), false, &mut json);
        json.push(b':');
        quote(value.as_bytes(), false, &mut json);
    }
    if !json.is_empty() {
        json.extend_from_slice(b"},");
    }
    json
}

pub(super) fn encode(record: &Record<'_>, attributes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(b"{\"log\":");
    quote(record.bytes, !record.partial, into);
    into.extend_from_slice(match record.stream {
        Stream::Stdout => b",\"stream\":\"stdout\",",
        Stream::Stderr => b",\"stream\":\"stderr\",",
    });
    into.extend_from_slice(attributes);
    into.extend_from_slice(b"\"time\":\"");
    timestamp::format_trimmed(record.time, into);
    into.extend_from_slice(b"\"}\n");
}

/// Appends a JSON string as Go's encoder writes it for HTML, which is what
/// Docker's own does: bytes that are no UTF-8 become U+FFFD.
fn quote(bytes: &[u8], newline: bool, into: &mut Vec<u8>) {
    into.push(b'"');
    for chunk in bytes.utf8_chunks() {
        quote_text(chunk.valid(), into);
        for _ in chunk.invalid() {
            into.extend_from_slice(b"\\ufffd");
        }
    }
    into.extend_from_slice(if newline { b"\\n\"" } else { b"\"" });
}

fn quote_text(text: &str, into: &mut Vec<u8>) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    // Most text needs no escape: it is copied in runs.
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let separator =
            byte == 0xe2 && matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9]));
        let plain = byte >= 0x20 && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&');
        if plain && !separator || at < copied {
            continue;
        }
        into.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        match byte {
            b'"' | b'\\' => into.extend_from_slice(&[b'\\', byte]),
            b'\n' => into.extend_from_slice(b"\\n"),
            b'\r' => into.extend_from_slice(b"\\r"),
            0xe2 => {
                into.extend_from_slice(b"\\u202");
                into.push(HEXADECIMAL[usize::from(bytes[at + 2] & 15)]);
                copied = at + 3;
            }
            _ => {
                into.extend_from_slice(b"\\u00");
                into.push(HEXADECIMAL[usize::from(byte >> 4)]);
                into.push(HEXADECIMAL[usize::from(byte & 15)]);
            }
        }
    }
    into.extend_from_slice(&bytes[copied..]);
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    log: Cow<'a, str>,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

/// Reads one line of a file; its text goes to `text`, without the newline.
/// None when the line is no record.
pub(super) fn decode<'a>(line: &[u8], text: &'a mut Vec<u8>) -> Option<Record<'a>> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    let content = entry.log.as_bytes();
    let whole = content.strip_suffix(b"\n");
    text.clear();
    text.extend_from_slice(whole.unwrap_or(content));
    Some(Record {
        time: timestamp::parse(entry.time.as_bytes())?,
        stream: if entry.stream == "stderr" {
            Stream::Stderr
        } else {
            Stream::Stdout
        },
        partial: whole.is_none(),
        bytes: text,
    })
}

#[cfg(test)]
mod tests;
