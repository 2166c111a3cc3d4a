//! Copying a stream that goes one way only, such as a log.

use std::io::{self, Read};

use tare_engine_api::stream::{HEADER_LENGTH, StreamKind, decode_header};

use super::output::write_all;
use super::{End, StreamError};

/// Copies framed or raw bytes from a plain reader (logs) to the outputs.
pub(crate) fn copy(mut reader: impl Read, raw: bool) -> Result<End, StreamError> {
    let stdout = io::stdout();
    let stderr = io::stderr();
    let mut buffer = vec![0; 64 << 10];
    let mut header = [0; HEADER_LENGTH];
    loop {
        let (stream, mut left) = if raw {
            (StreamKind::Stdout, usize::MAX)
        } else {
            match reader.read_exact(&mut header) {
                Ok(()) => decode_header(header)?,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(End::Closed);
                }
                Err(error) => return Err(StreamError::Poll(error)),
            }
        };
        let mut message = Vec::new();
        while left > 0 {
            let limit = buffer.len().min(left);
            let count = match reader.read(&mut buffer[..limit]) {
                Ok(0) => return Ok(End::Closed),
                Ok(count) => count,
                Err(error) => return Err(StreamError::Poll(error)),
            };
            left -= count;
            let written = match stream {
                StreamKind::Stdout => write_all(&stdout, &buffer[..count]),
                StreamKind::Stderr => write_all(&stderr, &buffer[..count]),
                StreamKind::Stdin => Ok(()),
                StreamKind::System => {
                    message.extend_from_slice(&buffer[..count]);
                    Ok(())
                }
            };
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(End::OutputClosed);
                }
                Err(error) => return Err(StreamError::Output(error)),
            }
        }
        if !message.is_empty() {
            return Err(StreamError::Engine(
                String::from_utf8_lossy(&message).trim().to_owned(),
            ));
        }
    }
}
