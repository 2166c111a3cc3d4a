//! What the database keeps of a container, and how it is read and written.
//!
//! One row a container, its record as JSON: the columns that would be searched
//! (ID and name) are columns, everything else is read only by ID. A record is
//! committed before anyone is told of what it says. Records of containers that
//! remove themselves are not synced: they do not outlive a power cut anyway.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tare_engine_api::{ContainerConfig, EndpointSettings, HostConfig};
use tare_network::EndpointRecord;
use tare_storage::database::Error as DatabaseError;
use tare_storage::{Database, Durability};

use crate::error::{Error, Result};

/// The steps that make and change the table, oldest first.
const MIGRATIONS: &[&str] = &["CREATE TABLE containers (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        record TEXT NOT NULL
    ) WITHOUT ROWID"];

/// Everything about a container that outlives the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// Without a leading slash; unique.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// ID (configuration digest) of the image.
    pub(crate) image_id: String,
    /// The platform's operating system and architecture, as `linux/amd64`.
    pub(crate) platform: String,
    /// What the client asked for, with the image's defaults filled in.
    pub(crate) config: ContainerConfig,
    pub(crate) host_config: HostConfig,
    /// Endpoint settings asked for at create, by network name.
    pub(crate) endpoints: BTreeMap<String, EndpointSettings>,
    pub(crate) state: State,
    /// Present from just before the network is touched until it is released.
    pub(crate) endpoint: Option<EndpointRecord>,
    /// Completed starts; tells one run's exit from the next one's.
    pub(crate) starts: u64,
}

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Never started, or its start failed.
    #[default]
    Created,
    /// Its start is under way: a shim may exist.
    Starting,
    /// Its program runs.
    Running,
    /// Its program has ended.
    Exited,
    /// Its removal is under way.
    Removing,
}

impl Status {
    /// Docker's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created | Self::Starting => "created",
            Self::Running => "running",
            Self::Exited => "exited",
            Self::Removing => "removing",
        }
    }
}

/// The changing part of a [`Record`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) status: Status,
    /// Process ID of the init process on the host; 0 when not running.
    pub(crate) pid: i32,
    pub(crate) exit_code: i64,
    pub(crate) oom_killed: bool,
    /// Why the last start failed.
    pub(crate) error: String,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
}

impl State {
    /// What a container is whose start has come to nothing.
    pub(crate) fn at_rest(&self) -> Status {
        if self.started.is_some() {
            Status::Exited
        } else {
            Status::Created
        }
    }
}

impl Record {
    /// Whether the container removes itself when it ends.
    pub(crate) fn auto_remove(&self) -> bool {
        self.host_config.auto_remove
    }

    /// How surely changes to what exists must reach the disk.
    pub(crate) fn durability(&self) -> Durability {
        if self.auto_remove() {
            Durability::Relaxed
        } else {
            Durability::Synced
        }
    }
}

/// Creates the table, or brings it up to date.
pub(crate) fn migrate(database: &Database) -> Result<()> {
    database
        .migrate("engine", MIGRATIONS)
        .map_err(Error::internal)
}

/// What the table holds.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) readable: Vec<Record>,
    /// IDs and names of records that this program does not understand.
    pub(crate) unreadable: Vec<(String, String)>,
}

/// All records. One that cannot be read, perhaps because a newer program wrote
/// it, must keep neither the engine nor the other containers from starting.
pub(crate) fn load(database: &Database) -> Result<Records> {
    let rows: Vec<(String, String, String)> = database
        .read(|connection| -> Result<_, DatabaseError> {
            let mut statement = connection.prepare("SELECT id, name, record FROM containers")?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<_, tare_storage::rusqlite::Error>>()?)
        })
        .map_err(Error::internal)?;
    let mut records = Records::default();
    for (id, name, json) in rows {
        match serde_json::from_str(&json) {
            Ok(record) => records.readable.push(record),
            Err(error) => {
                tracing::error!(
                    container = id, name, %error,
                    "the container's record cannot be read: it is left as it is; use the tare that made it"
                );
                records.unreadable.push((id, name));
            }
        }
    }
    Ok(records)
}

/// Adds a record.
pub(crate) fn insert(database: &Database, record: &Record) -> Result<()> {
    store(
        database,
        record,
        record.durability(),
        "INSERT INTO containers (id, name, record) VALUES (?1, ?2, ?3)",
    )
}

/// Replaces a record.
///
/// Changes of state are not synced: after a power cut nothing runs, and the
/// next start of the engine derives that.
pub(crate) fn update(database: &Database, record: &Record) -> Result<()> {
    store(
        database,
        record,
        Durability::Relaxed,
        "UPDATE containers SET name = ?2, record = ?3 WHERE id = ?1",
    )
}

fn store(
    database: &Database,
    record: &Record,
    durability: Durability,
    statement: &str,
) -> Result<()> {
    let json = serde_json::to_string(record).map_err(Error::internal)?;
    database
        .write(durability, |transaction| -> Result<(), DatabaseError> {
            transaction
                .prepare_cached(statement)?
                .execute((&record.id, &record.name, &json))?;
            Ok(())
        })
        .map_err(|error| {
            Error::internal(error).context(format!("record of container {}", record.id))
        })
}

/// Removes a record; without it everything of the container is garbage.
pub(crate) fn delete(database: &Database, record: &Record) -> Result<()> {
    database
        .write(
            record.durability(),
            |transaction| -> Result<(), DatabaseError> {
                transaction
                    .prepare_cached("DELETE FROM containers WHERE id = ?1")?
                    .execute([&record.id])?;
                Ok(())
            },
        )
        .map_err(|error| {
            Error::internal(error).context(format!("record of container {}", record.id))
        })
}
