//! Signals to a container's init process.

use std::sync::Arc;

use super::Container;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::signal;

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
            return Ok(());
        };
        shim.signal(signal)
            .await
            .map_err(|error| error.context(format!("cannot signal container {}", container.id)))
    }

    /// Kills a container and returns when its exit has been recorded.
    pub(crate) async fn kill_and_wait(&self, container: &Arc<Container>) -> Result<()> {
        let mut phase = container.phase.subscribe();
        container.live().record.state.stop_asked = true;
        self.signal(container, signal::KILL).await?;
        // The receiver outlives the container's entry in the table, so a
        // closed channel means that it is gone.
        let _ = phase
            .wait_for(|phase| !phase.running || phase.removed)
            .await;
        Ok(())
    }
}
