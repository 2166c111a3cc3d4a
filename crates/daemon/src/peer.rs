//! Noticing that a client has gone while there is nothing to send to it.
//!
//! A client that has only half-closed its connection still wants its answer,
//! so the end of its bytes is not the sign; the hang-up is, which the kernel
//! reports when both directions are closed.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;

use tokio::io::Interest;
use tokio::net::UnixStream;

/// Waits until the other end of a unix socket is closed.
///
/// The watch has a duplicate of the descriptor and so a readiness of its own:
/// clearing it must not make a writer of the connection wait.
pub(crate) struct Departure(Option<UnixStream>);

impl Departure {
    /// Begins to watch a connection by a duplicate of its descriptor.
    ///
    /// If the kernel refuses, the departure is noticed later: by the next
    /// write.
    pub(crate) fn watch(duplicate: OwnedFd) -> Self {
        Self(UnixStream::from_std(StdUnixStream::from(duplicate)).ok())
    }

    /// Resolves when the other end has gone.
    pub(crate) async fn wait(&self) {
        let Some(watched) = &self.0 else {
            return std::future::pending().await;
        };
        loop {
            match watched.ready(Interest::WRITABLE).await {
                Ok(ready) if ready.is_write_closed() => return,
                Ok(_) => {}
                Err(_) => return std::future::pending().await,
            }
            // It can be written to, which is no news: wait for the next event.
            let _: io::Result<()> =
                watched.try_io(Interest::WRITABLE, || Err(io::ErrorKind::WouldBlock.into()));
        }
    }
}
