//! The size of a container's terminal.

use tare_shim::protocol::Target;

use super::spec::terminal_size;
use crate::engine::Engine;
use crate::error::{Error, Result};

impl Engine {
    /// Sets the size of the terminal, in rows and columns.
    pub async fn container_resize(&self, reference: &str, height: i64, width: i64) -> Result<()> {
        let container = self.inner.containers.find(reference)?;
        let size = terminal_size(height, width)?;
        let shim = container
            .shim()
            .ok_or_else(|| Error::conflict(format!("container {} is not running", container.id)))?;
        // Clients resize without knowing whether there is a terminal.
        if !container.record().config.tty {
            return Ok(());
        }
        shim.resize(Target::Init, size).await
    }
}
