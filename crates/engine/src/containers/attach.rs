//! Attaching a client to a container's standard input and output.
//!
//! The client's bytes do not pass through the engine's objects: a socket pair
//! is made, the shim gets one end and writes frames into it, the daemon copies
//! between the other end and the client.

use std::os::fd::OwnedFd;

use tare_shim::client::Attachment;
use tokio::net::UnixStream;

use crate::engine::Engine;
use crate::error::{Error, Result};

/// What to attach to.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttachOptions {
    /// First what has been logged so far.
    pub logs: bool,
    /// Then what comes from now on.
    pub stream: bool,
    /// The client's input goes to the container.
    pub stdin: bool,
    /// Standard output (or the terminal) goes to the client.
    pub stdout: bool,
    /// Standard error goes to the client.
    pub stderr: bool,
}

/// An attached stream.
#[derive(Debug)]
pub struct Attached {
    /// The bytes are a terminal's; otherwise they are framed.
    pub terminal: bool,
    /// Both directions; half-closing it ends the container's input, and it
    /// ends when the output has.
    pub stream: UnixStream,
}

/// A socket pair: the daemon's end and the shim's.
pub(crate) fn half() -> Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, OwnedFd::from(theirs)))
}

impl Engine {
    /// Attaches a stream. To a container that does not run, it waits for the
    /// next start.
    pub async fn container_attach(
        &self,
        reference: &str,
        options: AttachOptions,
    ) -> Result<Attached> {
        let container = self.inner.containers.find(reference)?;
        let record = container.record();
        let terminal = record.config.tty;
        let (stream, theirs) = half()?;
        let attachment = Attachment {
            stream: theirs,
            stdin: options.stdin && options.stream && record.config.open_stdin,
            stdout: options.stdout,
            stderr: options.stderr && !terminal,
        };
        if options.logs {
            let logs = self.log_source(&record)?;
            let (engine, container) = (self.clone(), container.clone());
            tokio::spawn(async move {
                let written = tokio::task::spawn_blocking(move || {
                    logs.write_all_to(&attachment).map(|()| attachment)
                });
                match written.await {
                    Ok(Ok(attachment)) if options.stream => {
                        // A container that has ended meanwhile closes the stream.
                        let _ = engine.attach_live(&container, attachment).await;
                    }
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        tracing::debug!(container = container.id, %error, "log not attached")
                    }
                    Err(error) => {
                        tracing::warn!(container = container.id, %error, "log not attached")
                    }
                }
            });
        } else if options.stream {
            self.attach_live(&container, attachment).await?;
        }
        Ok(Attached { terminal, stream })
    }

    /// Attaches to the running container, or leaves the stream for its start.
    async fn attach_live(
        &self,
        container: &super::Container,
        attachment: Attachment,
    ) -> Result<()> {
        if let Some(shim) = container.shim() {
            return shim.attach(attachment).await;
        }
        // A start that is under way has already taken what was waiting.
        let _guard = container.operation.lock().await;
        if let Some(shim) = container.shim() {
            return shim.attach(attachment).await;
        }
        let mut live = container.live();
        if live.record.state.status == super::Status::Removing {
            return Err(Error::conflict(format!(
                "container {} is being removed",
                container.id
            )));
        }
        live.attachments.retain(|pending| !is_hung_up(pending));
        live.attachments.push(attachment);
        Ok(())
    }
}

/// Whether the client of a waiting attachment has gone.
fn is_hung_up(attachment: &Attachment) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut descriptors = [PollFd::new(&attachment.stream, PollFlags::empty())];
    poll(
        &mut descriptors,
        Some(&rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }),
    )
    .is_ok()
        && descriptors[0].revents().contains(PollFlags::HUP)
}
