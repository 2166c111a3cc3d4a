//! Connections that stop being HTTP: attach and exec.
//!
//! The head of the answer is written by hand, `101 UPGRADED` for a client that
//! asked to upgrade and `200 OK` for one that did not, and from there on both
//! directions are raw bytes that are copied between the client and the shim's
//! socket. The two directions end on their own: the client's end of input is
//! passed on while output flows, and the end of the output ends the exchange.
//! Nothing outlives the exchange, whichever side vanishes first.
//!
//! Some clients (docker-py among them) read the head through a buffer and throw
//! away what else is in it. So the first bytes of the stream follow only when
//! the head has been read.

mod detach;

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::UnixStream;

pub(crate) use detach::DetachKeys;

use crate::peer::Departure;
use crate::stream::Stream;

/// How much is copied at once. The buffer exists only while it holds bytes.
const PIECE: usize = 32 * 1024;

/// How long a client may go on sending to a process that has ended. Closing
/// at once would discard output that the client has not read yet.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection becomes.
#[derive(Debug)]
pub(crate) struct Takeover {
    /// The head of the answer, including the empty line.
    pub(crate) head: Vec<u8>,
    /// What follows.
    pub(crate) content: Content,
}

/// What follows the head.
#[derive(Debug)]
pub(crate) enum Content {
    /// Bytes, then the end.
    Text(Bytes),
    /// A process's streams.
    Process {
        /// The engine's socket.
        stream: UnixStream,
        /// Whether the client's bytes go to the process.
        input: bool,
        /// The keys by which the client leaves, if the process has a terminal.
        detach_keys: Option<DetachKeys>,
    },
}

impl Takeover {
    /// Takes a connection over. `early` came with the request.
    pub(crate) async fn run(self, mut client: Stream, early: Bytes) -> io::Result<()> {
        client.write_all(&self.head).await?;
        match self.content {
            Content::Text(text) => {
                Stream::settle(client.as_fd()).await;
                client.write_all(&text).await?;
                finish(&mut client).await
            }
            Content::Process {
                mut stream,
                input,
                detach_keys,
            } => {
                let ended = exchange(&mut client, early, &mut stream, input, detach_keys).await?;
                if ended {
                    finish(&mut client).await
                } else {
                    Ok(())
                }
            }
        }
    }
}

/// Ends our direction, then waits a little for the client to end its own.
async fn finish(client: &mut Stream) -> io::Result<()> {
    client.shutdown().await?;
    let drained = async {
        while !read_piece(client).await?.is_empty() {}
        Ok(())
    };
    tokio::time::timeout(LINGER, drained)
        .await
        .unwrap_or(Ok(()))
}

/// Copies until the process's output ends (`true`), or until the client has
/// gone or detached.
async fn exchange(
    client: &mut Stream,
    early: Bytes,
    process: &mut UnixStream,
    input: bool,
    detach_keys: Option<DetachKeys>,
) -> io::Result<bool> {
    let duplicate = client
        .as_fd()
        .try_clone_to_owned()
        .ok()
        .filter(|_| client.tells_departure());
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_process, mut to_process) = process.split();
    let incoming = async {
        let mut sink = input.then_some(&mut to_process);
        let mut keys = detach_keys;
        let mut piece = early.to_vec();
        loop {
            let left = keys.as_mut().is_some_and(|keys| keys.scan(&mut piece));
            // A process that has closed its input still has output.
            if let Some(open) = &mut sink
                && !piece.is_empty()
                && open.write_all(&piece).await.is_err()
            {
                sink = None;
            }
            if left {
                return;
            }
            piece = match read_piece(&mut from_client).await {
                Ok(piece) if piece.is_empty() => break,
                Ok(piece) => piece,
                Err(_) => return,
            };
        }
        if let Some(open) = &mut sink {
            // It fails when the process is gone, which the output tells.
            let _ = open.shutdown().await;
        }
        // Only a client that has half-closed costs another descriptor.
        match duplicate.as_ref().and_then(|fd| fd.try_clone().ok()) {
            Some(watched) => Departure::watch(watched).wait().await,
            None => std::future::pending().await,
        }
    };
    let outgoing = async {
        let mut head_unread = duplicate.as_ref();
        loop {
            let piece = match read_piece(&mut from_process).await {
                Ok(piece) if piece.is_empty() => return Ok(true),
                Ok(piece) => piece,
                // The shim was killed: there is no more output.
                Err(_) => return Ok(true),
            };
            if let Some(client) = head_unread.take() {
                Stream::settle(client.as_fd()).await;
            }
            to_client.write_all(&piece).await?;
        }
    };
    tokio::select! {
        () = incoming => Ok(false),
        ended = outgoing => ended,
    }
}

/// Reads what there is, up to a piece; nothing at the end.
///
/// An idle connection has no buffer: the bytes are read onto the stack and
/// copied when there are some.
async fn read_piece(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    std::future::poll_fn(|context| {
        let mut space = [const { std::mem::MaybeUninit::uninit() }; PIECE];
        let mut buffer = ReadBuf::uninit(&mut space);
        let read = std::pin::Pin::new(&mut *stream).poll_read(context, &mut buffer);
        read.map_ok(|()| buffer.filled().to_vec())
    })
    .await
}

/// The head of an answer that hands the connection over.
pub(crate) fn head(upgrade: bool, content_type: &str) -> Vec<u8> {
    if upgrade {
        format!("HTTP/1.1 101 UPGRADED\r\nContent-Type: {content_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    } else {
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n")
    }
    .into_bytes()
}

#[cfg(test)]
mod tests;
