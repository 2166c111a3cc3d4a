//! A request's body as bytes to read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Incoming};
use tokio::io::{AsyncRead, ReadBuf};

/// A body under way; it holds at most one piece of it.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    piece: Bytes,
}

impl Upload {
    /// The body from its beginning.
    pub(crate) fn new(body: Incoming) -> Self {
        Self {
            body,
            piece: Bytes::new(),
        }
    }
}

impl AsyncRead for Upload {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let upload = self.get_mut();
        while upload.piece.is_empty() {
            match ready!(Pin::new(&mut upload.body).poll_frame(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                // Trailers say nothing here.
                Some(Ok(frame)) => upload.piece = frame.into_data().unwrap_or_default(),
            }
        }
        let length = upload.piece.len().min(buffer.remaining());
        buffer.put_slice(&upload.piece[..length]);
        upload.piece.advance(length);
        Poll::Ready(Ok(()))
    }
}
