//! The start of an engine: database, shims and kernel brought together.
//!
//! * A record that says it runs or starts, and whose shim lives, is a running
//!   container: connected again. One whose shim does not answer is taken for
//!   one, too, and asked again later.
//! * Such a record whose shim kept an exit ended while the engine was away.
//! * A record that says it runs but has neither was ended by the machine; one
//!   that says it starts has not come that far.
//! * A record of a container at rest needs nothing of what may be left of a
//!   shim; one that was to remove itself is removed.
//! * A shim, control group, snapshot or rule without a record is garbage; with
//!   a record that cannot be read it is left alone, but for the network.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tare_network::{Bridge, EndpointRecord};
use tare_storage::Durability;

use crate::config::Config;
use crate::containers::{self, Container, Exit, Record, Records, Status};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::meeting::Met;
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

/// A container that ended while the engine was away, and whether its shim lives.
struct Ended {
    container: Arc<Container>,
    starts: u64,
    exit: Exit,
    shim_lives: bool,
}

impl Engine {
    /// Brings everything together; called once, before the first request.
    pub(crate) async fn restore(&self, records: Records) -> Result<()> {
        let Records {
            readable,
            unreadable,
        } = records;
        let mut strangers = BTreeSet::new();
        for (id, name) in unreadable {
            // It keeps its name, which is unique in the database.
            if let Err(error) = self.inner.containers.reserve_name(&name, &id) {
                tracing::warn!(container = id, %error, "two records of one name");
            }
            strangers.insert(id);
        }
        let mut ended = Vec::new();
        for record in readable {
            ended.extend(self.find_again(record).await);
        }
        self.end_unknown_shims(&strangers).await?;
        let engine = self.clone();
        let over: BTreeSet<_> = ended
            .iter()
            .map(|ended| ended.container.id.clone())
            .collect();
        tokio::task::spawn_blocking(move || engine.reconcile(&over, &strangers)).await?;
        for Ended {
            container,
            starts,
            exit,
            shim_lives,
        } in ended
        {
            self.container_ended(&container, starts, exit, shim_lives)
                .await;
        }
        self.remove_abandoned().await;
        Ok(())
    }

    /// Looks for the shim of one record and enters the container.
    async fn find_again(&self, mut record: Record) -> Option<Ended> {
        let id = record.id.clone();
        let met = self.meet(&id).await;
        let status = record.state.status;
        if !matches!(status, Status::Running | Status::Starting) {
            self.inner.containers.insert(record);
            self.end_shim(&id, met).await;
            return None;
        }
        let begun = !matches!(met, Met::Gone(None));
        if status == Status::Starting && !begun {
            record.state.status = record.state.at_rest();
            record.endpoint = None;
            self.store(&record).await;
            self.inner.containers.insert(record);
            self.clear_after_shim(&id).await;
            return None;
        }
        if status == Status::Starting {
            // The start was not recorded, but it took place.
            record.starts += 1;
            record.state = containers::State {
                status: Status::Running,
                started: Some(jiff::Timestamp::now()),
                ..containers::State::default()
            };
        }
        let starts = record.starts;
        let (exit, shim) = match met {
            Met::Running(shim, pid) => {
                record.state.pid = pid;
                self.store(&record).await;
                self.adopt(record, Some(shim));
                return None;
            }
            Met::Silent => {
                self.adopt(record, None);
                return None;
            }
            Met::Ended(shim, exit) => (exit, Some(shim)),
            Met::Gone(exit) => (exit.unwrap_or_else(Exit::unknown), None),
        };
        let container = self.inner.containers.insert(record);
        container.live().shim.clone_from(&shim);
        Some(Ended {
            container,
            starts,
            exit,
            shim_lives: shim.is_some(),
        })
    }

    fn adopt(&self, record: Record, shim: Option<Arc<Shim>>) {
        let container = self.inner.containers.insert(record.clone());
        self.watch(&container, shim, record);
    }

    /// Stores what was found out. If it cannot be, it will be found out again.
    async fn store(&self, record: &Record) {
        let (engine, record) = (self.clone(), record.clone());
        let stored = tokio::task::spawn_blocking(move || {
            containers::update(engine.inner.store.database(), &record)
        });
        if let Err(error) = stored.await.unwrap_or_else(|error| Err(error.into())) {
            tracing::error!(%error, "not recorded");
        }
    }

    /// Ends a shim that no run needs, and its container should it have one.
    async fn end_shim(&self, id: &str, met: Met) {
        match met {
            Met::Running(shim, _) => {
                // Either may fail because it has ended already.
                let _ = shim.kill_all().await;
                let ended = shim.ended(&self.inner.execs);
                let _ = tokio::time::timeout(KILL_WAIT, ended).await;
                self.let_go(id, shim).await;
            }
            Met::Ended(shim, _) => self.let_go(id, shim).await,
            Met::Gone(_) | Met::Silent => {
                if self.shim_directory(id).exists() {
                    self.clear_after_shim(id).await;
                }
            }
        }
    }

    /// Ends the shims, and their containers, that have no record.
    async fn end_unknown_shims(&self, strangers: &BTreeSet<String>) -> Result<()> {
        let shims = self.inner.config.exec_root.join("shims");
        let entries =
            fs::read_dir(&shims).map_err(|error| Error::from(error).context(shims.display()))?;
        for entry in entries.flatten() {
            let Ok(id) = entry.file_name().into_string() else {
                continue;
            };
            if self.inner.containers.get(&id).is_none() && !strangers.contains(&id) {
                let met = self.meet(&id).await;
                self.end_shim(&id, met).await;
            }
        }
        Ok(())
    }

    /// Brings the bridge, the firewall, the control groups and the snapshots to
    /// what the records say. The containers in `over` count as running until
    /// their end is recorded, but their addresses may be others' by now.
    fn reconcile(&self, over: &BTreeSet<String>, strangers: &BTreeSet<String>) {
        let containers = self.inner.containers.all();
        let running = || containers.iter().filter(|container| container.is_running());
        if let Ok(bridge) = self.inner.networks.bridge() {
            let endpoints: Vec<EndpointRecord> = running()
                .filter(|container| !over.contains(&container.id))
                .filter_map(|container| container.record().endpoint)
                .collect();
            if let Err(error) = bridge.reconcile(&endpoints) {
                tracing::error!(%error, "the network could not be brought to what the records say");
            }
        }
        let live: BTreeSet<_> = running().map(|container| container.id.clone()).collect();
        match self.control_groups() {
            Ok(groups) => {
                for id in groups
                    .difference(&live)
                    .filter(|id| !strangers.contains(*id))
                {
                    self.clear_remains(id);
                }
            }
            Err(error) => tracing::warn!(%error, "control groups"),
        }
        if let Err(error) = self.remove_unknown_snapshots(strangers) {
            tracing::error!(%error, "snapshots without a container are left for the next start");
        }
    }

    /// Removes what a create or a removal left that was cut short: a snapshot
    /// is made before its record and outlives it.
    fn remove_unknown_snapshots(
        &self,
        strangers: &BTreeSet<String>,
    ) -> Result<(), tare_storage::snapshot::Error> {
        let store = &self.inner.store;
        for id in store.snapshots()? {
            if self.inner.containers.get(&id).is_none() && !strangers.contains(&id) {
                store.remove_snapshot(&id, Durability::Relaxed)?;
            }
        }
        Ok(())
    }

    /// Removes the containers that were to remove themselves and do not run:
    /// nobody waits for them any more.
    async fn remove_abandoned(&self) {
        for container in self.inner.containers.all() {
            let _guard = container.operation.lock().await;
            let abandoned = {
                let live = container.live();
                live.record.auto_remove() && live.record.state.status != Status::Running
            };
            if abandoned && let Err(error) = self.discard(&container).await {
                tracing::warn!(container = container.id, %error, "a container that was to remove itself");
            }
        }
    }
}
