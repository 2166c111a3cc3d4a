//! The body of an answer, as it is framed: counted, chunked, or up to the
//! end of the connection.

use std::io::{self, Read};

use super::{Connection, Head};

/// The longest line that may announce a chunk.
const LONGEST_CHUNK_LINE: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// This many bytes are left.
    Counted(u64),
    /// This many bytes are left of the current chunk, and the line end
    /// behind it has still to come.
    Chunk { left: u64, line_end_due: bool },
    /// Until the other end closes.
    UntilClosed,
    /// Everything has been read.
    Done,
}

/// A body with the connection it arrives on.
pub(crate) struct Body {
    connection: Option<Connection>,
    framing: Framing,
    reusable: bool,
}

impl Body {
    /// The body behind `head`.
    pub(crate) fn new(connection: Connection, head: &Head, head_only: bool) -> Self {
        let chunked = head
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = head
            .header("content-length")
            .and_then(|value| value.parse().ok());
        let framing = match length {
            _ if head_only || head.status == 204 || head.status == 304 => Framing::Done,
            _ if head.status == 101 => Framing::UntilClosed,
            _ if chunked => Framing::Chunk {
                left: 0,
                line_end_due: false,
            },
            Some(0) => Framing::Done,
            Some(length) => Framing::Counted(length),
            None => Framing::UntilClosed,
        };
        let closing = head
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Self {
            connection: Some(connection),
            framing,
            reusable: !closing && framing != Framing::UntilClosed,
        }
    }

    /// The connection, when the whole body has been read and the other end
    /// keeps it open.
    pub(crate) fn finish(&mut self) -> Option<Connection> {
        if self.reusable && self.framing == Framing::Done {
            self.connection.take()
        } else {
            None
        }
    }

    /// The raw connection, for a stream that has taken it over.
    pub(crate) fn into_connection(self) -> Option<Connection> {
        self.connection
    }

    /// The connection, to wait for more with poll.
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let Framing::Chunk { line_end_due, .. } = self.framing else {
            return Ok(());
        };
        if line_end_due {
            self.line()?;
        }
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let left = u64::from_str_radix(digits, 16).map_err(|_| invalid("malformed chunk"))?;
        if left == 0 {
            while !self.line()?.is_empty() {}
            self.framing = Framing::Done;
        } else {
            self.framing = Framing::Chunk {
                left,
                line_end_due: true,
            };
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let Some(connection) = &mut self.connection else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        loop {
            let unread = connection.unread();
            if let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&unread[..end])
                    .trim_end_matches('\r')
                    .to_owned();
                connection.consume(end + 1);
                return Ok(line);
            }
            if unread.len() > LONGEST_CHUNK_LINE {
                return Err(invalid("malformed chunk"));
            }
            if connection.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Framing::Chunk { left: 0, .. } = self.framing {
            self.next_chunk()?;
        }
        let limit = match self.framing {
            Framing::Done => return Ok(0),
            Framing::Counted(left) | Framing::Chunk { left, .. } => left,
            Framing::UntilClosed => u64::MAX,
        };
        let Some(connection) = &mut self.connection else {
            return Ok(0);
        };
        if connection.unread().is_empty() && connection.fill()? == 0 {
            if self.framing != Framing::UntilClosed {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.framing = Framing::Done;
            return Ok(0);
        }
        let unread = connection.unread();
        let count = unread
            .len()
            .min(buffer.len())
            .min(usize::try_from(limit).unwrap_or(usize::MAX));
        buffer[..count].copy_from_slice(&unread[..count]);
        connection.consume(count);
        match &mut self.framing {
            Framing::Counted(left) => {
                *left -= count as u64;
                if *left == 0 {
                    self.framing = Framing::Done;
                }
            }
            Framing::Chunk { left, .. } => {
                *left -= count as u64;
                // The end of a chunked body is read with its last bytes when
                // it is already here, so that the connection can be kept.
                if *left == 0 && !connection.unread().is_empty() {
                    self.next_chunk()?;
                }
            }
            Framing::UntilClosed | Framing::Done => {}
        }
        Ok(count)
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
