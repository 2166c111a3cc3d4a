//! The end of a container: recorded, told, and cleared away.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tare_shim::protocol::Exit as ShimExit;

use super::{Container, Record, Status, record};
use crate::engine::Engine;
use crate::meeting::Met;
use crate::shim::Shim;

/// How often a shim that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How a container ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) code: i64,
    pub(crate) oom_killed: bool,
    pub(crate) at: Timestamp,
}

impl Exit {
    /// When nobody saw the end: the power went, or the shim was killed.
    pub(crate) fn unknown() -> Self {
        Self {
            code: 255,
            oom_killed: false,
            at: Timestamp::now(),
        }
    }
}

impl From<&ShimExit> for Exit {
    fn from(exit: &ShimExit) -> Self {
        Self {
            code: i64::from(exit.code),
            oom_killed: exit.oom_killed,
            at: Timestamp::from_nanosecond(i128::from(exit.at))
                .unwrap_or_else(|_| Timestamp::now()),
        }
    }
}

impl Engine {
    /// Makes a container of its record of a running one and its shim, and
    /// follows what that reports. Without a shim it is looked for.
    pub(crate) fn watch(
        &self,
        container: &Arc<Container>,
        shim: Option<Arc<Shim>>,
        record: Record,
    ) {
        let starts = record.starts;
        // First this: who sees that the container runs may wait for its end.
        container.phase.send_modify(|phase| phase.running = true);
        {
            let mut live = container.live();
            live.shim.clone_from(&shim);
            live.record = record;
        }
        let (engine, container) = (self.clone(), Arc::clone(container));
        tokio::spawn(async move { engine.follow(&container, shim, starts).await });
    }

    /// Follows a run to its end, with one shim, whose connection may be lost
    /// and made again.
    async fn follow(&self, container: &Arc<Container>, mut shim: Option<Arc<Shim>>, starts: u64) {
        loop {
            if let Some(shim) = shim.take() {
                match shim.ended(&self.inner.execs).await {
                    Ok(Some(exit)) => {
                        let exit = Exit::from(&exit);
                        return self.container_ended(container, starts, exit, true).await;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(container = container.id, %error, "lost the shim");
                    }
                }
            }
            match self.meet(&container.id).await {
                Met::Running(found, pid) => {
                    let mut live = container.live();
                    live.record.state.pid = pid;
                    live.shim = Some(Arc::clone(&found));
                    shim = Some(found);
                }
                Met::Ended(found, exit) => {
                    container.live().shim = Some(found);
                    return self.container_ended(container, starts, exit, true).await;
                }
                Met::Gone(exit) => {
                    // It was killed, and the kernel has ended the container
                    // with it, or is about to.
                    let exit = exit.unwrap_or_else(Exit::unknown);
                    return self.container_ended(container, starts, exit, false).await;
                }
                Met::Silent => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    /// Handles the end of the run number `starts`, once.
    pub(crate) async fn container_ended(
        &self,
        container: &Arc<Container>,
        starts: u64,
        exit: Exit,
        shim_lives: bool,
    ) {
        let _guard = container.operation.lock().await;
        if !container.is_in_run(starts) {
            return;
        }
        if !shim_lives {
            // A container whose shim was killed must not run on unseen, least
            // of all when it is said to have ended.
            let (engine, id) = (self.clone(), container.id.clone());
            let killed = tokio::task::spawn_blocking(move || engine.end_processes(&id));
            if let Err(error) = killed.await {
                tracing::warn!(container = container.id, %error, "what the shim left");
            }
        }
        self.inner.execs.container_ended(&container.id);
        let (record, endpoint, shim) = {
            let mut live = container.live();
            let endpoint = live.record.endpoint.take();
            let state = &mut live.record.state;
            state.status = Status::Exited;
            state.pid = 0;
            state.exit_code = exit.code;
            state.oom_killed = exit.oom_killed;
            state.finished = Some(exit.at);
            (live.record.clone(), endpoint, live.shim.take())
        };
        let (engine, row) = (self.clone(), record.clone());
        let stored = tokio::task::spawn_blocking(move || {
            if let Some(endpoint) = &endpoint {
                engine.inner.networks.detach(endpoint);
            }
            if row.auto_remove() {
                return Ok(());
            }
            record::update(engine.inner.store.database(), &row)
        })
        .await;
        container.phase.send_modify(|phase| {
            phase.running = false;
            phase.exits += 1;
            phase.exit_code = exit.code;
        });
        let mut stored = stored.unwrap_or_else(|error| Err(error.into()));
        if stored.is_ok() && record.auto_remove() {
            stored = self.discard(container).await;
        }
        match (stored, shim) {
            (Ok(()), Some(shim)) if shim_lives => self.let_go(&container.id, shim).await,
            (Ok(()), _) => self.clear_after_shim(&container.id).await,
            // The shim, or its directory, keeps the exit for the next start of
            // the engine, unless this container is started or removed before.
            (Err(error), shim) => {
                tracing::error!(container = container.id, %error, "the end of the container could not be recorded");
                container.live().shim = shim;
            }
        }
    }

    /// Lets a shim go whose container's exit is stored, or void.
    pub(crate) async fn let_go(&self, id: &str, shim: Arc<Shim>) {
        let (engine, id) = (self.clone(), id.to_owned());
        let gone = tokio::task::spawn_blocking(move || engine.release(&id, &shim));
        if let Err(error) = gone.await {
            tracing::warn!(%error, "a shim could not be released");
        }
    }

    /// The same, blocking.
    pub(crate) fn release(&self, id: &str, shim: &Shim) {
        if let Err(error) = shim.release() {
            tracing::warn!(container = id, %error, "the shim could not be released");
            self.clear_remains(id);
        }
    }

    /// Removes what a shim that died could not: processes, cgroup, directory.
    pub(crate) async fn clear_after_shim(&self, id: &str) {
        let (engine, id) = (self.clone(), id.to_owned());
        let cleared = tokio::task::spawn_blocking(move || engine.clear_remains(&id)).await;
        if let Err(error) = cleared {
            tracing::warn!(%error, "the remains of a shim could not be removed");
        }
    }
}
