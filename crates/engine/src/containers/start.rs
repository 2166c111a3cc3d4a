//! Starting: network, files, configuration, shim; undone in reverse when one fails.
//!
//! # What a crash leaves behind
//!
//! The record says `starting`, with the endpoint, before anything outside the
//! process is made. A shim that lives has its directory under the exec root
//! and is adopted at the next start of the engine; without one, the network
//! namespace died with the engine, and the endpoint's rules go with the
//! reconciliation.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tare_shim::client::{self, StartRequest};
use tare_shim::protocol::Rootfs;

use super::join::Joined;
use super::{Container, Record, Status, record};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::shim::Shim;

/// How long a container may take to be killed when its start was not recorded.
const UNRECORDED_WAIT: Duration = Duration::from_secs(5);

/// A failed start: what the client is told and the container's exit code.
struct Failure {
    error: Error,
    exit_code: i64,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            exit_code: 128,
        }
    }
}

impl Engine {
    /// Starts a container; [`Kind::NotModified`] when it runs.
    pub async fn container_start(&self, reference: &str) -> Result<()> {
        let container = self.inner.containers.find(reference)?;
        let _guard = container.operation.lock().await;
        if container.phase.borrow().removed {
            return Err(Error::not_found(format!("No such container: {reference}")));
        }
        if container.is_running() {
            return Err(Error::new(
                Kind::NotModified,
                format!("container {} is already running", container.id),
            ));
        }
        let engine = self.clone();
        let starting = Arc::clone(&container);
        let started = tokio::task::spawn_blocking(move || engine.bring_up(&starting))
            .await
            .unwrap_or_else(|error| Err(Error::from(error).into()));
        match started {
            Ok((shim, record)) => {
                self.watch(&container, Some(shim), record);
                Ok(())
            }
            Err(failure) => Err(self.give_up(&container, failure).await),
        }
    }

    /// Makes the container's surroundings and has a shim start it; returns the
    /// record of the running container. Blocks.
    fn bring_up(&self, container: &Container) -> Result<(Arc<Shim>, Record), Failure> {
        let mut record = container.record();
        let attachments = std::mem::take(&mut container.live().attachments);
        record.state.status = Status::Starting;
        let snapshot = self
            .inner
            .store
            .snapshot(&record.id)
            .map_err(Error::internal)?;
        let previous = container.live().shim.take();
        if let Some(shim) = previous {
            // The end of the last run could not be recorded, and now never will be.
            self.release(&record.id, &shim);
        }
        // It takes as long to come to life as the rest takes to be made.
        let shim = client::prepare(
            self.inner.executable.path(),
            &self.shim_directory(&record.id),
        )
        .map_err(refused)?;
        let Joined {
            namespaces,
            held,
            endpoint,
        } = self.join_network(&record)?;
        record.endpoint = endpoint;
        container.live().record = record.clone();
        record::update(self.inner.store.database(), &record)?;
        self.write_host_files(&record, &snapshot.directory)?;
        let spec = self.spec(&record, &snapshot.directory)?;
        let size = match record.host_config.console_size {
            [0, _] | [_, 0] => None,
            [height, width] => super::spec::terminal_size(height, width).ok(),
        };
        let request = StartRequest {
            id: record.id.clone(),
            spec,
            rootfs: Rootfs::Overlay {
                lower: snapshot.lower,
                upper: snapshot.upper,
                work: snapshot.work,
                volatile: record.auto_remove(),
            },
            namespaces,
            held,
            terminal: record.config.tty,
            size,
            open_stdin: record.config.open_stdin,
            stdin_once: record.config.stdin_once,
            log: super::logs::config(&record, &snapshot.directory)?,
            init: record
                .host_config
                .init
                .unwrap_or(false)
                .then(|| self.inner.executable.on_host().to_owned()),
            attachments,
        };
        let (connection, started) = shim.start(request).map_err(refused)?;
        record.state = super::State {
            status: Status::Running,
            pid: i32::try_from(started.pid).unwrap_or(0),
            started: Some(Timestamp::now()),
            ..super::State::default()
        };
        record.starts += 1;
        let connection = Arc::new(connection);
        let recorded = Shim::new(Arc::clone(&connection)).and_then(|shim| {
            record::update(self.inner.store.database(), &record)?;
            Ok((shim, record))
        });
        if recorded.is_err() {
            // What is not on record must not run.
            end_unrecorded(&connection);
        }
        Ok(recorded?)
    }

    /// Undoes a failed start and says why it failed.
    async fn give_up(&self, container: &Arc<Container>, failure: Failure) -> Error {
        let Failure { error, exit_code } = failure;
        let (engine, failed, text) = (self.clone(), Arc::clone(container), error.to_string());
        let undone = tokio::task::spawn_blocking(move || {
            // A shim whose start fails clears up itself, but not when it dies.
            // One that is still here keeps an exit that is not on record.
            if failed.live().shim.is_none() {
                engine.clear_remains(&failed.id);
            }
            let (record, endpoint) = {
                let mut live = failed.live();
                live.attachments.clear();
                let endpoint = live.record.endpoint.take();
                let state = &mut live.record.state;
                state.status = state.at_rest();
                state.pid = 0;
                state.exit_code = exit_code;
                state.error = text;
                (live.record.clone(), endpoint)
            };
            if let Some(endpoint) = &endpoint {
                engine.inner.networks.detach(endpoint);
            }
            record::update(engine.inner.store.database(), &record)
        })
        .await;
        if let Ok(Err(undo)) = undone {
            tracing::error!(container = container.id, %undo, "the failed start was not recorded");
        }
        container
            .phase
            .send_modify(|phase| phase.exit_code = exit_code);
        if container.live().record.auto_remove()
            && let Err(discard) = self.discard(container).await
        {
            tracing::error!(container = container.id, %discard, "a container that could not start was not removed");
        }
        error
    }
}

/// Kills a container whose start could not be recorded, and lets its shim go.
fn end_unrecorded(connection: &client::Connection) {
    let ended = connection
        .signal_all(crate::signal::KILL)
        .and_then(|()| connection.wait(UNRECORDED_WAIT));
    if let Err(error) = ended.and_then(|_| connection.release()) {
        tracing::error!(%error, "a container whose start could not be recorded");
    }
}

fn refused(error: client::Error) -> Failure {
    match error {
        client::Error::Start(start) => {
            let kind = if matches!(start.exit_code, 126 | 127) {
                Kind::InvalidParameter
            } else {
                Kind::Internal
            };
            Failure {
                error: Error::new(
                    kind,
                    format!("failed to create task for container: {}", start.message),
                ),
                exit_code: i64::from(start.exit_code),
            }
        }
        other => Failure::from(Error::internal(other)),
    }
}
