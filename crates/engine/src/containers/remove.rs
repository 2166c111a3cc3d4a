//! Removing a container: its record first, then what the record kept alive.

use std::sync::Arc;

use super::{Container, Status, record};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// How to remove.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoveOptions {
    /// Kill it first when it runs.
    pub force: bool,
    /// Remove its anonymous volumes as well.
    pub volumes: bool,
    /// Remove a link, not the container.
    pub link: bool,
}

impl Engine {
    /// Removes a container.
    pub async fn container_remove(&self, reference: &str, options: RemoveOptions) -> Result<()> {
        let container = self.inner.containers.find(reference)?;
        if options.link {
            return Err(Error::unsupported(
                "removing a link is not supported: links are not supported by this engine",
            ));
        }
        let guard = loop {
            if container.is_running() {
                if !options.force {
                    return Err(Error::conflict(format!(
                        "cannot remove container \"/{}\": container is running: \
                         stop the container before removing or force remove",
                        container.record().name
                    )));
                }
                self.kill_and_wait(&container).await?;
            }
            let guard = container.operation.lock().await;
            // Someone may have started it while this waited for its turn.
            if !container.is_running() {
                break guard;
            }
        };
        if container.phase.borrow().removed {
            // A container that removes itself was faster.
            return Ok(());
        }
        let result = self.discard(&container).await;
        drop(guard);
        result
    }

    /// Removes a container that does not run. The caller holds `operation`.
    ///
    /// Once the record is gone the container does not exist any more, so the
    /// waiting clients are told; its directories are garbage and go behind
    /// their backs. A crash in between leaves garbage that the next start
    /// removes.
    pub(crate) async fn discard(&self, container: &Arc<Container>) -> Result<()> {
        let (record, status) = {
            let mut live = container.live();
            let status = std::mem::replace(&mut live.record.state.status, Status::Removing);
            live.attachments.clear();
            (live.record.clone(), status)
        };
        let engine = self.clone();
        let row = record.clone();
        let deleted = tokio::task::spawn_blocking(move || {
            record::delete(engine.inner.store.database(), &row)
        })
        .await
        .unwrap_or_else(|error| Err(error.into()));
        if let Err(error) = deleted {
            container.live().record.state.status = status;
            return Err(error);
        }
        let shim = container.live().shim.take();
        if let Some(shim) = shim {
            // Its exit could not be recorded, and need not be any more.
            self.let_go(&container.id, shim).await;
        }
        self.inner.containers.remove(&record.id, &record.name);
        self.inner.execs.forget(&record.id);
        container.phase.send_modify(|phase| {
            phase.running = false;
            phase.removed = true;
        });
        let engine = self.clone();
        let own_end = record.auto_remove();
        let files = tokio::task::spawn_blocking(move || {
            let store = &engine.inner.store;
            if let Err(error) = store.remove_snapshot(&record.id, record.durability()) {
                tracing::warn!(container = record.id, %error, "left for the next start to remove");
            }
        });
        if !own_end {
            // Otherwise nobody asked for this removal, so nobody waits.
            files.await?;
        }
        Ok(())
    }
}
