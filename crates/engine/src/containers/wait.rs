//! Waiting for a container to end or to be gone.

use std::future::Future;

use tare_engine_api::ContainerWaitResponse;

use super::Phase;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    NotRunning,
    NextExit,
    Removed,
}

impl Engine {
    /// Waits for a container.
    ///
    /// `condition` is `not-running` (when absent), `next-exit` or `removed`.
    /// The container is looked up, and its exits are counted from, before this
    /// returns; the future resolves when the condition holds.
    pub async fn container_wait(
        &self,
        reference: &str,
        condition: Option<String>,
    ) -> Result<impl Future<Output = ContainerWaitResponse> + Send + use<>> {
        let condition = match condition.as_deref() {
            None | Some("" | "not-running") => Condition::NotRunning,
            Some("next-exit") => Condition::NextExit,
            Some("removed") => Condition::Removed,
            Some(other) => return Err(Error::invalid(format!("invalid condition: \"{other}\""))),
        };
        let container = self.inner.containers.find(reference)?;
        let mut phase = container.phase.subscribe();
        let exits_before = phase.borrow().exits;
        let holds = move |phase: &Phase| {
            phase.removed
                || match condition {
                    // It may run again by the time that this is asked.
                    Condition::NotRunning => !phase.running || phase.exits > exits_before,
                    Condition::NextExit => phase.exits > exits_before,
                    Condition::Removed => false,
                }
        };
        Ok(async move {
            // The container is kept alive by the engine's table only: if the
            // sender is gone, the container is, too.
            drop(container);
            // An error means that nothing will change any more.
            let _ = phase.wait_for(holds).await;
            let last = phase.borrow().clone();
            // Why a start failed is the start's to tell: a client that waits
            // beside it would say it twice.
            ContainerWaitResponse {
                status_code: last.exit_code,
                error: None,
            }
        })
    }
}
