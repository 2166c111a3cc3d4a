//! Cutting a stream of bytes into lines as Docker does: at newlines, and after
//! 16 KiB at the latest.

use std::io::BufRead;

/// The longest line in one piece.
pub(crate) const LONGEST: usize = 16 * 1024;

/// The unfinished line of one stream.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    /// When the first piece of the present line was handed on: its other
    /// pieces carry the same time.
    first_piece: Option<i64>,
}

/// One line, or a piece of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) time: i64,
    pub(crate) partial: bool,
    pub(crate) bytes: &'a [u8],
}

impl Lines {
    /// Takes bytes that arrived at `now` and hands on each line they complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], now: i64, mut emit: impl FnMut(Line<'_>)) {
        while !bytes.is_empty() {
            let room = LONGEST - self.held.len();
            let window = &bytes[..bytes.len().min(room)];
            let length = through_newline(window);
            let (piece, partial) = match window[..length].split_last() {
                Some((b'\n', line)) => (line, false),
                _ if length == room => (window, true),
                _ => {
                    self.held.extend_from_slice(window);
                    return;
                }
            };
            bytes = &bytes[length..];
            let time = self.first_piece.unwrap_or(now);
            self.first_piece = partial.then_some(time);
            if self.held.is_empty() {
                emit(Line {
                    time,
                    partial,
                    bytes: piece,
                });
            } else {
                self.held.extend_from_slice(piece);
                emit(Line {
                    time,
                    partial,
                    bytes: &self.held,
                });
                self.held.clear();
            }
        }
    }

    /// The stream has ended: hands on what had no newline.
    pub(crate) fn finish(&mut self, now: i64, mut emit: impl FnMut(Line<'_>)) {
        let held = std::mem::take(&mut self.held);
        let time = self.first_piece.take().unwrap_or(now);
        if !held.is_empty() {
            emit(Line {
                time,
                partial: true,
                bytes: &held,
            });
        }
    }
}

/// How far the first newline reaches, or the whole length without one.
fn through_newline(mut window: &[u8]) -> usize {
    // The one search in the standard library that is a real memchr. Reading
    // from memory cannot fail.
    window.skip_until(b'\n').unwrap_or_default()
}

#[cfg(test)]
mod tests;
