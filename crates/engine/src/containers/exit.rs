//! The end of a container: recorded, told, and cleared away.

use std::sync::Arc;

use jiff::Timestamp;
use tare_shim::client;
use tare_shim::protocol::{Event, Exit as ShimExit, Target};

use super::{Container, Record, Status, record};
use crate::engine::Engine;
use crate::shim::Shim;

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
    /// follows what that reports.
    pub(crate) fn watch(&self, container: &Arc<Container>, shim: Arc<Shim>, record: Record) {
        let starts = record.starts;
        {
            let mut live = container.live();
            live.shim = Some(Arc::clone(&shim));
            live.record = record;
        }
        container.phase.send_modify(|phase| phase.running = true);
        let (engine, container) = (self.clone(), Arc::clone(container));
        tokio::spawn(async move { engine.follow(&container, &shim, starts).await });
    }

    async fn follow(&self, container: &Arc<Container>, shim: &Arc<Shim>, starts: u64) {
        loop {
            match shim.next_event().await {
                Ok(Some(Event::Exited {
                    target: Target::Exec(id),
                    exit,
                })) => {
                    self.inner.execs.ended(&id, i64::from(exit.code));
                }
                Ok(Some(Event::Exited {
                    target: Target::Init,
                    exit,
                })) => {
                    self.container_ended(container, starts, Exit::from(&exit), true)
                        .await;
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(container = container.id, %error, "the shim cannot be followed");
                    break;
                }
            }
        }
        // Either its exit has been handled, or the shim was killed: then the
        // kernel has ended the container with it, or is about to.
        let directory = self.shim_directory(&container.id);
        let exit = client::stored_exit(&directory)
            .as_ref()
            .map_or_else(Exit::unknown, Exit::from);
        self.container_ended(container, starts, exit, false).await;
    }

    /// Handles the end of the run number `starts`, once.
    pub(crate) async fn container_ended(
        &self,
        container: &Arc<Container>,
        starts: u64,
        exit: Exit,
        shim_lives: bool,
    ) {
        let guard = container.operation.lock().await;
        let (record, endpoint, shim) = {
            let mut live = container.live();
            if live.record.starts != starts || live.record.state.status != Status::Running {
                return;
            }
            let endpoint = live.record.endpoint.take();
            let state = &mut live.record.state;
            state.status = Status::Exited;
            state.pid = 0;
            state.exit_code = exit.code;
            state.oom_killed = exit.oom_killed;
            state.finished = Some(exit.at);
            (live.record.clone(), endpoint, live.shim.take())
        };
        self.inner.execs.container_ended(&container.id);
        if !shim_lives {
            // A container whose shim was killed must not run on unseen.
            self.clear_after_shim(&container.id).await;
        }
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
        let mut stored = match stored {
            Ok(result) => result,
            Err(error) => Err(error.into()),
        };
        if stored.is_ok() && record.auto_remove() {
            stored = self.discard(container).await;
        }
        if let Err(error) = stored {
            // The shim keeps the exit; the next start of the engine asks it.
            tracing::error!(container = container.id, %error, "the end of the container could not be recorded");
            return;
        }
        if let Some(shim) = shim.filter(|_| shim_lives)
            && let Err(error) = shim.release().await
        {
            tracing::warn!(container = container.id, %error, "the shim could not be released");
        }
        drop(guard);
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
