//! The start of an engine: database, shims and kernel brought together.
//!
//! * A record whose shim lives is a running container: connected again.
//! * A record whose shim kept an exit ended while the engine was away.
//! * A record that says it runs but has neither was ended by the machine.
//! * A shim, control group or rule without a record is garbage.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use tare_network::{Bridge, EndpointRecord};
use tare_shim::client;
use tare_storage::Durability;

use crate::config::Config;
use crate::containers::{self, Exit, Record, Status};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::shim::Shim;

/// How long a container without a record may take to be killed.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Opens the default bridge and its firewall table.
pub(crate) fn open_bridge(config: &Config, name: &str) -> Result<Bridge> {
    Bridge::open(tare_network::Config {
        bridge: name.to_owned(),
        owner: config.data_root.display().to_string(),
        subnet: config.bip,
        mtu: config.mtu,
        ..tare_network::Config::default()
    })
    .map_err(|error| Error::internal(error).context(format!("bridge {name}")))
}

impl Engine {
    /// Brings everything together; called once, before the first request.
    pub(crate) async fn restore(&self, records: Vec<Record>) -> Result<()> {
        let mut known = BTreeSet::new();
        let mut endpoints = Vec::new();
        let mut ended = Vec::new();
        for record in records {
            known.insert(record.id.clone());
            match self.find_again(record).await? {
                Found::Running(endpoint) => endpoints.extend(endpoint),
                Found::Ended(container, exit, shim) => ended.push((container, exit, shim)),
                Found::Resting => {}
            }
        }
        self.remove_unknown_shims(&known).await?;
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            engine.reconcile(&endpoints);
            engine.remove_unknown_snapshots(&known)
        })
        .await??;
        for (container, exit, shim) in ended {
            self.settle(&container, exit, shim).await;
        }
        Ok(())
    }

    /// Looks for the shim of one record and enters the container.
    async fn find_again(&self, mut record: Record) -> Result<Found> {
        let directory = self.shim_directory(&record.id);
        let expected = matches!(record.state.status, Status::Running | Status::Starting);
        let shim = if directory.exists() {
            Shim::connect(&directory).await.ok()
        } else {
            None
        };
        let state = match &shim {
            Some(shim) => shim.state().await.ok(),
            None => None,
        };
        if record.state.status == Status::Starting && (shim.is_some() || directory.exists()) {
            // The start was not recorded, but it took place.
            record.starts += 1;
        }
        if let (Some(shim), Some(state)) = (shim, state) {
            let exit = state.exit.as_ref().map(Exit::from);
            if let (None, Some(pid)) = (exit, state.pid) {
                let started = record
                    .state
                    .started
                    .filter(|_| record.state.status == Status::Running);
                record.state.status = Status::Running;
                record.state.pid = i32::try_from(pid).unwrap_or(0);
                record.state.started = started.or_else(|| Some(jiff::Timestamp::now()));
                let endpoint = record.endpoint.clone();
                containers::update(self.inner.store.database(), &record)?;
                let container = self.inner.containers.insert(record.clone());
                self.watch(&container, shim, record);
                return Ok(Found::Running(endpoint));
            }
            let container = self.inner.containers.insert(record);
            return Ok(Found::Ended(
                container,
                exit.unwrap_or_else(Exit::unknown),
                Some(shim),
            ));
        }
        let exit = client::stored_exit(&directory).as_ref().map(Exit::from);
        let was_running = expected && record.state.status == Status::Running;
        let auto_remove = record.auto_remove();
        let unfinished = record.state.status == Status::Starting && exit.is_none();
        if unfinished {
            record.state.status = if record.state.started.is_some() {
                Status::Exited
            } else {
                Status::Created
            };
            record.endpoint = None;
        }
        let container = self.inner.containers.insert(record);
        if exit.is_some() || was_running || auto_remove {
            // Nobody waits any more for a container that was to remove itself.
            return Ok(Found::Ended(
                container,
                exit.unwrap_or_else(Exit::unknown),
                None,
            ));
        }
        if unfinished {
            self.clear_after_shim(&container.id).await;
            containers::update(self.inner.store.database(), &container.record())?;
        }
        Ok(Found::Resting)
    }

    /// Records an end that took place while the engine was away.
    async fn settle(
        &self,
        container: &std::sync::Arc<containers::Container>,
        exit: Exit,
        shim: Option<std::sync::Arc<Shim>>,
    ) {
        let starts = {
            let mut live = container.live();
            live.shim.clone_from(&shim);
            if matches!(live.record.state.status, Status::Starting) {
                live.record.state.status = Status::Running;
            }
            live.record.starts
        };
        self.container_ended(container, starts, exit, shim.is_some())
            .await;
        if !container.phase.borrow().removed && container.live().record.auto_remove() {
            let guard = container.operation.lock().await;
            if let Err(error) = self.discard(container).await {
                tracing::warn!(container = container.id, %error, "a container that was to remove itself");
            }
            drop(guard);
        }
    }

    /// Removes what a create or a removal left that was cut short: a snapshot
    /// is made before its record and outlives it.
    fn remove_unknown_snapshots(&self, known: &BTreeSet<String>) -> Result<()> {
        let store = &self.inner.store;
        for id in store.snapshots().map_err(Error::internal)? {
            if !known.contains(&id) {
                store
                    .remove_snapshot(&id, Durability::Relaxed)
                    .map_err(Error::internal)?;
            }
        }
        Ok(())
    }

    /// Ends the containers of shims that have no record.
    async fn remove_unknown_shims(&self, known: &BTreeSet<String>) -> Result<()> {
        let shims = self.inner.config.exec_root.join("shims");
        for entry in fs::read_dir(&shims)?.flatten() {
            let Ok(id) = entry.file_name().into_string() else {
                continue;
            };
            if known.contains(&id) {
                continue;
            }
            if let Ok(shim) = Shim::connect(&entry.path()).await {
                // Either may fail because it has ended already.
                let _ = shim.kill_all().await;
                let _ = tokio::time::timeout(KILL_WAIT, shim.next_event()).await;
                let _ = shim.release().await;
            }
            self.clear_after_shim(&id).await;
        }
        Ok(())
    }

    /// Brings the bridge, the firewall and the control groups to what the
    /// records say.
    fn reconcile(&self, endpoints: &[EndpointRecord]) {
        if let Ok(bridge) = self.inner.networks.bridge()
            && let Err(error) = bridge.reconcile(endpoints)
        {
            tracing::error!(%error, "the network could not be brought to what the records say");
        }
        let live: BTreeSet<_> = self
            .inner
            .containers
            .all()
            .iter()
            .filter(|container| container.is_running())
            .map(|container| container.id.clone())
            .collect();
        match self.control_groups() {
            Ok(groups) => {
                for id in groups.difference(&live) {
                    self.clear_remains(id);
                }
            }
            Err(error) => tracing::warn!(%error, "control groups"),
        }
    }
}

/// What became of a container while the engine was away.
enum Found {
    /// It runs, with this endpoint.
    Running(Option<EndpointRecord>),
    /// It ended, or was meant to be gone.
    Ended(
        std::sync::Arc<containers::Container>,
        Exit,
        Option<std::sync::Arc<Shim>>,
    ),
    /// It did not run before either.
    Resting,
}
