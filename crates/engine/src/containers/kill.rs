//! Signals to a container's init process.

use std::sync::Arc;
use std::time::Duration;

use super::Container;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::signal;

/// How long the end of a killed container is waited for.
const KILL_WAIT: Duration = Duration::from_secs(30);

impl Engine {
    /// Sends a signal, SIGKILL when none is named.
    pub async fn container_kill(&self, reference: &str, signal: Option<String>) -> Result<()> {
        let signal = match signal.as_deref() {
            None | Some("") => signal::KILL,
            Some(name) => signal::parse(name)?,
        };
        let container = self.inner.containers.find(reference)?;
        if !container.is_running() {
            return Err(Error::conflict(format!(
                "cannot kill container: {reference}: container {} is not running",
                container.id
            )));
        }
        if signal == signal::KILL {
            return self.kill_and_wait(&container).await;
        }
        self.signal(&container, signal).await
    }

    /// Sends `signal` to the init process; a container that has just ended is
    /// none the worse for it.
    pub(crate) async fn signal(&self, container: &Arc<Container>, signal: i32) -> Result<()> {
        let Some(shim) = container.shim() else {
            if !container.is_running() {
                return Ok(());
            }
            return Err(Error::new(
                Kind::Unavailable,
                format!(
                    "cannot signal container {}: its shim does not answer; it is asked again \
                     every second: see whether it is stopped",
                    container.id
                ),
            ));
        };
        shim.signal(signal)
            .await
            .map_err(|error| error.context(format!("cannot signal container {}", container.id)))
    }

    /// Kills a container and returns when its exit has been recorded.
    pub(crate) async fn kill_and_wait(&self, container: &Arc<Container>) -> Result<()> {
        let ended = container.end_of_run();
        self.signal(container, signal::KILL).await?;
        tokio::time::timeout(KILL_WAIT, ended).await.map_err(|_| {
            Error::internal(format!(
                "container {} was killed but has not ended within {} s: the kernel ends its \
                 processes when what they wait for, as a disk, is done",
                container.id,
                KILL_WAIT.as_secs()
            ))
        })
    }
}
