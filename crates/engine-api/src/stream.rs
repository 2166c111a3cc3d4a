//! The framing that carries standard output and standard error over one
//! stream: before each piece a header of eight bytes, the stream's number,
//! three zeros and the length, big endian. A terminal's stream has no frames.

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

/// The length of a frame's header.
pub const HEADER_LENGTH: usize = 8;

/// The largest frame a decoder accepts; ours never exceed 64 KiB, others' are
/// as long as one write of the container.
pub const MAX_FRAME: usize = 16 << 20;

/// The content type of a stream without frames.
pub const RAW_STREAM: &str = "application/vnd.docker.raw-stream";

/// The content type of a framed stream.
pub const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";

/// Which of a process's streams a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StreamKind {
    /// Standard input; engines send nothing on it.
    Stdin = 0,
    /// Standard output.
    Stdout = 1,
    /// Standard error.
    Stderr = 2,
    /// The engine's own: an error that ended the stream.
    System = 3,
}

/// Bytes that are no frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The first byte names no stream.
    #[error("unrecognized stream: {0}")]
    UnknownStream(u8),
    /// The length is beyond [`MAX_FRAME`].
    #[error("frame of {0} bytes is too long")]
    TooLong(usize),
}

impl TryFrom<u8> for StreamKind {
    type Error = FrameError;

    fn try_from(number: u8) -> Result<Self, FrameError> {
        match number {
            0 => Ok(Self::Stdin),
            1 => Ok(Self::Stdout),
            2 => Ok(Self::Stderr),
            3 => Ok(Self::System),
            other => Err(FrameError::UnknownStream(other)),
        }
    }
}

/// The header of a frame of `length` bytes.
pub fn encode_header(stream: StreamKind, length: u32) -> [u8; HEADER_LENGTH] {
    let [a, b, c, d] = length.to_be_bytes();
    [stream as u8, 0, 0, 0, a, b, c, d]
}

/// The stream and the length that a header announces.
///
/// # Errors
///
/// Fails for a stream that is none and for a frame that is too long.
pub fn decode_header(header: [u8; HEADER_LENGTH]) -> Result<(StreamKind, usize), FrameError> {
    let [stream, _, _, _, a, b, c, d] = header;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    Ok((StreamKind::try_from(stream)?, length))
}

/// A piece with its header before it.
///
/// Pieces are at most a few megabytes; one beyond 4 GiB would be cut.
pub fn encode_frame(stream: StreamKind, piece: &[u8]) -> Bytes {
    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    let mut frame = BytesMut::with_capacity(HEADER_LENGTH + piece.len());
    frame.extend_from_slice(&encode_header(stream, length));
    frame.extend_from_slice(&piece[..length as usize]);
    frame.freeze()
}

/// Takes a framed stream apart as it arrives, in pieces of any size.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if it has arrived.
    ///
    /// # Errors
    ///
    /// Fails when the bytes are no frames; the stream is of no use then.
    pub fn next_frame(&mut self) -> Result<Option<(StreamKind, Bytes)>, FrameError> {
        let Some(header) = self.buffer.first_chunk::<HEADER_LENGTH>() else {
            return Ok(None);
        };
        let (stream, length) = decode_header(*header)?;
        if self.buffer.len() < HEADER_LENGTH + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER_LENGTH);
        Ok(Some((stream, self.buffer.split_to(length).freeze())))
    }

    /// Whether a frame has begun and not ended: the stream was cut off.
    pub fn is_within_frame(&self) -> bool {
        !self.buffer.is_empty()
    }
}

#[cfg(test)]
mod tests;
