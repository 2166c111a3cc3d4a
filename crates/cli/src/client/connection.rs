//! One connection to the engine: a socket and what was read ahead of it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::Address;
use super::response::{Head, HeadError, ReadHeadError, parse_head};

/// The most bytes that a status line and headers may take.
const LARGEST_HEAD: usize = 64 << 10;

enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A socket with its read buffer.
pub(crate) struct Connection {
    socket: Socket,
    buffer: Vec<u8>,
    position: usize,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: &Address) -> io::Result<Self> {
        let socket = match address {
            Address::Unix(path) => Socket::Unix(UnixStream::connect(path)?),
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port))?;
                stream.set_nodelay(true)?;
                Socket::Tcp(stream)
            }
        };
        Ok(Self::over(socket))
    }

    /// A connection over one end of a socket pair.
    #[cfg(test)]
    pub(crate) fn from_unix(stream: UnixStream) -> Self {
        Self::over(Socket::Unix(stream))
    }

    fn over(socket: Socket) -> Self {
        Self {
            socket,
            buffer: Vec::new(),
            position: 0,
        }
    }

    /// Reads a status line and headers; what follows stays in the buffer.
    pub(crate) fn read_head(&mut self) -> Result<Head, ReadHeadError> {
        loop {
            let unread = self.unread();
            if let Some(end) = find(unread, b"\r\n\r\n") {
                let head = parse_head(&unread[..end]).map_err(ReadHeadError::Head)?;
                self.position += end + 4;
                // 100 Continue and its like are not the answer.
                if (100..200).contains(&head.status) && head.status != 101 {
                    continue;
                }
                return Ok(head);
            }
            if unread.len() > LARGEST_HEAD {
                return Err(ReadHeadError::Head(HeadError::TooLarge));
            }
            if self.fill().map_err(ReadHeadError::Io)? == 0 {
                return Err(ReadHeadError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// What has been read from the socket and not been used yet.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.position..]
    }

    /// Marks bytes of [`Self::unread`] as used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.position += count;
    }

    /// Reads more into the buffer; 0 at the end of the stream.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        if self.position == self.buffer.len() {
            self.buffer.clear();
            self.position = 0;
        } else if self.position > 64 << 10 {
            self.buffer.drain(..self.position);
            self.position = 0;
        }
        let start = self.buffer.len();
        self.buffer.resize(start + (32 << 10), 0);
        let result = loop {
            match self.socket.read(&mut self.buffer[start..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(start + *result.as_ref().unwrap_or(&0));
        result
    }

    /// Tells the other end that nothing more will be sent; its own bytes
    /// still arrive.
    pub(crate) fn finish_sending(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// How long a read may wait; for ever when not said.
    pub(crate) fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(stream) => stream.set_read_timeout(patience),
            Socket::Tcp(stream) => stream.set_read_timeout(patience),
        }
    }

    /// Makes reads and writes return at once.
    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(stream) => stream.set_nonblocking(on),
            Socket::Tcp(stream) => stream.set_nonblocking(on),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.socket {
            Socket::Unix(stream) => stream.write(bytes),
            Socket::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Unix(stream) => stream.as_fd(),
            Socket::Tcp(stream) => stream.as_fd(),
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
