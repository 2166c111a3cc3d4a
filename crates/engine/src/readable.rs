//! Waiting for a descriptor to become readable.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A copy of a descriptor that the event loop watches.
pub(crate) struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Watches what `fd` refers to; must be called inside the runtime.
    pub(crate) fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "an OwnedFd always names the same descriptor, so this is sound; the successor is an unsafe function"
        )]
        AsyncFd::with_interest(fd.try_clone_to_owned()?, Interest::READABLE).map(Self)
    }

    /// Waits, unless what `attempt` looks for is there already. The readiness
    /// is forgotten when it is not.
    pub(crate) async fn until<T>(&self, mut attempt: impl FnMut() -> Option<T>) -> io::Result<T> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Some(found) = attempt() {
                return Ok(found);
            }
            ready.clear_ready();
        }
    }

    /// Waits for the next time something becomes readable.
    pub(crate) async fn next(&self) -> io::Result<()> {
        self.0.readable().await?.clear_ready();
        Ok(())
    }
}
