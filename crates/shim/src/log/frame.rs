//! Records as a client sees them: Docker's multiplexed frames, or raw bytes
//! for a terminal, with a time in front where it was asked for.

use super::{Record, Stream, format_fixed};

/// How records are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameOptions {
    /// The container has a terminal: no frames.
    pub terminal: bool,
    /// The time and a space before each record.
    pub timestamps: bool,
}

/// The eight bytes before `length` bytes of a stream.
pub fn frame_header(stream: Stream, length: usize) -> [u8; 8] {
    let kind = match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
    };
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [kind, 0, 0, 0, a, b, c, d]
}

/// Appends a record as a client sees it.
pub fn frame(record: &Record<'_>, options: FrameOptions, into: &mut Vec<u8>) {
    let start = into.len();
    if !options.terminal {
        into.extend_from_slice(&[0; 8]);
    }
    let content = into.len();
    if options.timestamps {
        format_fixed(record.time, into);
        into.push(b' ');
    }
    into.extend_from_slice(record.bytes);
    if !record.partial {
        into.push(b'\n');
    }
    if !options.terminal {
        let header = frame_header(record.stream, into.len() - content);
        into[start..content].copy_from_slice(&header);
    }
}

#[cfg(test)]
mod tests;
