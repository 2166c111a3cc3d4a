//! What an engine decides once and keeps: its ID and its networks' IDs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tare_storage::database::Error as DatabaseError;
use tare_storage::{Database, Durability};

use crate::containers::new_id;
use crate::error::{Error, Result};
use crate::networks::NAMES;

const MIGRATIONS: &[&str] = &["CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID"];

/// The settings of a data root.
pub(crate) struct Settings {
    pub(crate) id: String,
    pub(crate) networks: BTreeMap<&'static str, String>,
    pub(crate) created: String,
}

impl Settings {
    /// Reads them; the first time, decides them.
    pub(crate) fn load(database: &Database) -> Result<Self> {
        database
            .migrate("settings", MIGRATIONS)
            .map_err(Error::internal)?;
        let known: BTreeMap<String, String> = database
            .read(|connection| -> Result<_, DatabaseError> {
                let mut statement = connection.prepare("SELECT key, value FROM settings")?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, tare_storage::rusqlite::Error>>()?)
            })
            .map_err(Error::internal)?;
        let mut fresh = Vec::new();
        let mut get = |key: &str, decide: &dyn Fn() -> Result<String>| {
            if let Some(value) = known.get(key) {
                return Ok(value.clone());
            }
            let value = decide()?;
            fresh.push((key.to_owned(), value.clone()));
            Ok::<_, Error>(value)
        };
        let settings = Self {
            id: get("engine.id", &new_id)?,
            created: get("created", &|| Ok(Timestamp::now().to_string()))?,
            networks: NAMES
                .iter()
                .map(|name| Ok((*name, get(&format!("network.{name}.id"), &new_id)?)))
                .collect::<Result<_>>()?,
        };
        if !fresh.is_empty() {
            database
                .write(
                    Durability::Synced,
                    |transaction| -> Result<(), DatabaseError> {
                        let mut insert = transaction
                            .prepare("INSERT INTO settings (key, value) VALUES (?1, ?2)")?;
                        for (key, value) in &fresh {
                            insert.execute((key, value))?;
                        }
                        Ok(())
                    },
                )
                .map_err(Error::internal)?;
        }
        Ok(settings)
    }
}
