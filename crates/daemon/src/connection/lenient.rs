//! Request lines as people write them for curl.
//!
//! `curl 'http://localhost/containers/json?filters={"status":["running"]}'`
//! sends the quotation marks as they are. Go's parser takes them, hyper's does
//! not. So on their way to hyper the characters that it refuses are escaped in
//! a request's first line.
//!
//! The beginning of a request is known for a connection's first one and after
//! a GET or HEAD without a body, whose next bytes are another request's. Behind
//! other requests nothing is changed: their bodies are not to be touched.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read at a time while a first line is awaited.
const PIECE: usize = 2048;

/// Whether the next bytes of a connection begin a request.
#[derive(Clone, Debug)]
pub(super) struct Beginning(Arc<AtomicBool>);

impl Beginning {
    /// The next bytes that are read begin a request.
    pub(super) fn expect(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A connection whose first lines are made acceptable.
#[derive(Debug)]
pub(super) struct Lenient<S> {
    stream: S,
    beginning: Beginning,
    /// Read, and not yet given out.
    held: Vec<u8>,
}

impl<S> Lenient<S> {
    /// A connection that begins with a request.
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            beginning: Beginning(Arc::new(AtomicBool::new(true))),
            held: Vec::new(),
        }
    }

    /// By which the server says when another request begins.
    pub(super) fn beginning(&self) -> Beginning {
        self.beginning.clone()
    }

    /// The connection, and what was read of it and not given out.
    pub(super) fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.held)
    }
}

/// Escapes a piece up to the end of the line; whether that is in it.
fn escape(piece: &[u8], into: &mut Vec<u8>) -> bool {
    for (position, byte) in piece.iter().enumerate() {
        match byte {
            b'\n' => {
                into.extend_from_slice(&piece[position..]);
                return true;
            }
            b'"' => into.extend_from_slice(b"%22"),
            b'<' => into.extend_from_slice(b"%3C"),
            b'>' => into.extend_from_slice(b"%3E"),
            byte => into.push(*byte),
        }
    }
    false
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.held.is_empty() {
            if !this.beginning.0.load(Ordering::Acquire) {
                return Pin::new(&mut this.stream).poll_read(context, buffer);
            }
            let mut space = [const { std::mem::MaybeUninit::uninit() }; PIECE];
            let mut piece = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut piece))?;
            if escape(piece.filled(), &mut this.held) {
                this.beginning.0.store(false, Ordering::Release);
            }
        }
        let length = this.held.len().min(buffer.remaining());
        buffer.put_slice(&this.held[..length]);
        if length == this.held.len() {
            // An idle connection has no buffer.
            this.held = Vec::new();
        } else {
            this.held.drain(..length);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
