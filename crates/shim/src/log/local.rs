//! The record form of the `local` driver.
//!
//! ```text
//! u32  length of the bytes
//! u8   1 standard output, 2 standard error; plus 128 when no newline followed
//! i64  time, nanoseconds since the Unix epoch
//! …    the bytes
//! u32  length again, so that a file can be read from its end
//! ```
//! Numbers are little-endian. Nothing else is in a file: records touch.

use super::{Record, Stream};

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const PARTIAL: u8 = 128;

/// Bytes before a record's content.
pub(super) const HEADER: usize = 13;
/// Bytes after it.
pub(super) const TRAILER: usize = 4;
/// Content longer than this is damage: lines are cut far below.
const LONGEST: usize = 64 * 1024;
/// The longest whole record.
pub(super) const LONGEST_RECORD: usize = HEADER + LONGEST + TRAILER;

/// What the beginning of some bytes is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded<'a> {
    /// A record, and its whole length.
    Record(Record<'a>, usize),
    /// The beginning of a record.
    Incomplete,
    /// No record begins here.
    Damage,
}

pub(super) fn encode(record: &Record<'_>, into: &mut Vec<u8>) {
    debug_assert!(record.bytes.len() <= LONGEST);
    let length = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
    let kind = match record.stream {
        Stream::Stdout => STDOUT,
        Stream::Stderr => STDERR,
    };
    let partial = if record.partial { PARTIAL } else { 0 };
    into.extend_from_slice(&length.to_le_bytes());
    into.push(kind | partial);
    into.extend_from_slice(&record.time.to_le_bytes());
    into.extend_from_slice(record.bytes);
    into.extend_from_slice(&length.to_le_bytes());
}

pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let Some(length) = length_at(bytes, 0) else {
        return Decoded::Incomplete;
    };
    let Some(stream) = bytes.get(4).map(|kind| stream_of(*kind)) else {
        return Decoded::Incomplete;
    };
    let Some(stream) = stream.filter(|_| length <= LONGEST) else {
        return Decoded::Damage;
    };
    let whole = HEADER + length + TRAILER;
    if bytes.len() < whole {
        return Decoded::Incomplete;
    }
    if length_at(bytes, HEADER + length) != Some(length) {
        return Decoded::Damage;
    }
    let mut time = [0; 8];
    time.copy_from_slice(&bytes[5..HEADER]);
    let record = Record {
        time: i64::from_le_bytes(time),
        stream,
        partial: bytes[4] & PARTIAL != 0,
        bytes: &bytes[HEADER..HEADER + length],
    };
    Decoded::Record(record, whole)
}

/// The whole length of the record whose last byte is the last of `bytes`,
/// as its trailer has it; none when that cannot be a length.
pub(super) fn length_of_last(bytes: &[u8]) -> Option<usize> {
    let length = length_at(bytes, bytes.len().checked_sub(TRAILER)?)?;
    (length <= LONGEST).then_some(HEADER + length + TRAILER)
}

fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

fn stream_of(kind: u8) -> Option<Stream> {
    match kind & !PARTIAL {
        STDOUT => Some(Stream::Stdout),
        STDERR => Some(Stream::Stderr),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
