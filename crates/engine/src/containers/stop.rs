//! Stopping: ask, wait, then insist.

use std::time::Duration;

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::signal;

/// How long a container may take to stop when nobody says, as in Docker.
const DEFAULT_TIMEOUT: i64 = 10;

impl Engine {
    /// Sends the stop signal, and SIGKILL after `timeout` seconds (-1: never).
    ///
    /// `signal` and `timeout` default to the container's, then the image's,
    /// then SIGTERM and ten seconds.
    pub async fn container_stop(
        &self,
        reference: &str,
        signal: Option<String>,
        timeout: Option<i64>,
    ) -> Result<()> {
        let container = self.inner.containers.find(reference)?;
        if !container.is_running() {
            return Err(Error::new(
                Kind::NotModified,
                format!("container {} is not running", container.id),
            ));
        }
        let config = container.record().config;
        let name = signal
            .filter(|name| !name.is_empty())
            .or(config.stop_signal);
        let signal = match name.as_deref() {
            None | Some("") => signal::TERM,
            Some(name) => signal::parse(name)?,
        };
        let ended = container.end_of_run();
        self.signal(&container, signal).await?;
        let timeout = timeout.or(config.stop_timeout).unwrap_or(DEFAULT_TIMEOUT);
        if let Ok(seconds) = u64::try_from(timeout) {
            if tokio::time::timeout(Duration::from_secs(seconds), ended)
                .await
                .is_ok()
            {
                return Ok(());
            }
            return self.kill_and_wait(&container).await;
        }
        ended.await;
        Ok(())
    }
}
