//! The engine's one database: SQLite in WAL mode, one writer at a time.
//!
//! Owns `tare.db` and its `-wal` and `-shm` files. Each component (this crate's
//! store, the engine's containers, volumes and networks) brings its own tables
//! through [`Database::migrate`] and touches no one else's.
//!
//! A commit is visible to every later read at once. Whether it survives a power
//! cut is the caller's choice per transaction ([`Durability`]); killing the
//! process loses nothing either way, because the kernel has the pages.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

/// Whether a transaction survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The log is synced before the commit returns (`synchronous=FULL`).
    Synced,
    /// The log reaches the disk when the kernel sees fit. For records that a
    /// power cut would make void anyway, such as those of `--rm` containers.
    Relaxed,
}

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened or set up.
    #[error("open database {}: {source}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A migration step failed; the database is as it was before.
    #[error("migrate tables of {component} to version {version}: {source}")]
    Migrate {
        /// Whose tables.
        component: String,
        /// The version the step leads to.
        version: usize,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The tables were made by a newer program.
    #[error(
        "tables of {component} have version {found}, this program knows versions up to {known}: use a newer tare"
    )]
    TooNew {
        /// Whose tables.
        component: String,
        /// The version in the database.
        found: usize,
        /// The newest version this program knows.
        known: usize,
    },
    /// A statement or the commit failed; the transaction was rolled back.
    #[error("database: {0}")]
    Statement(#[from] rusqlite::Error),
}

/// The open database. Shared between threads by reference.
#[derive(Debug)]
pub struct Database {
    writer: Mutex<Writer>,
    reader: Mutex<Connection>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    durability: Durability,
}

/// Pages kept in memory by each of the two connections, in KiB. The tables are
/// small and the kernel caches the file as well.
const CACHE_KIB: i64 = 256;
const PREPARED_STATEMENTS: usize = 32;
/// Only another program looking into the file (sqlite3, a backup) can hold the
/// lock, and it should not hold it for long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const LOG_SIZE_LIMIT: i64 = 4 << 20;

impl Database {
    /// Opens the database and creates it if need be.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let open = || -> rusqlite::Result<Self> {
            let writer = connect(path)?;
            writer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            writer
                .pragma_update_and_check(None, "journal_size_limit", LOG_SIZE_LIMIT, |_| Ok(()))?;
            writer.pragma_update(None, "synchronous", "FULL")?;
            writer.execute_batch(
                "CREATE TABLE IF NOT EXISTS component_versions (
                     component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            )?;
            let reader = connect(path)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok(Self {
                writer: Mutex::new(Writer {
                    connection: writer,
                    durability: Durability::Synced,
                }),
                reader: Mutex::new(reader),
            })
        };
        open().map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })
    }

    /// Runs a transaction. It is committed when the closure succeeds and rolled
    /// back when it fails or panics. The closure must not use the database in
    /// any other way than through the transaction: writers wait for each other.
    pub fn write<T, E: From<Error>>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        if writer.durability != durability {
            let value = match durability {
                Durability::Synced => "FULL",
                Durability::Relaxed => "NORMAL",
            };
            writer
                .connection
                .pragma_update(None, "synchronous", value)
                .map_err(Error::from)?;
            writer.durability = durability;
        }
        let transaction = writer
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(Error::from)?;
        Ok(value)
    }

    /// Runs queries that all see the same state of the database.
    pub fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = lock(&self.reader);
        let transaction = reader.unchecked_transaction().map_err(Error::from)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(Error::from)?;
        Ok(value)
    }

    /// Brings a component's tables up to date: runs the steps that this
    /// database has not seen, each in a transaction of its own. A step, once
    /// released, is never changed; new ones are appended.
    pub fn migrate(&self, component: &str, steps: &[&str]) -> Result<(), Error> {
        let found = self.read(|connection| -> Result<usize, Error> {
            let version: Option<i64> = connection
                .query_row(
                    "SELECT version FROM component_versions WHERE component = ?1",
                    [component],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(usize::try_from(version.unwrap_or(0)).unwrap_or(usize::MAX))
        })?;
        if found > steps.len() {
            return Err(Error::TooNew {
                component: component.to_owned(),
                found,
                known: steps.len(),
            });
        }
        for (step, version) in steps.iter().zip(1..).skip(found) {
            self.write(Durability::Synced, |transaction| -> Result<(), Error> {
                let run = || -> rusqlite::Result<()> {
                    transaction.execute_batch(step)?;
                    transaction.execute(
                        "INSERT INTO component_versions VALUES (?1, ?2)
                         ON CONFLICT (component) DO UPDATE SET version = excluded.version",
                        (component, i64::try_from(version).unwrap_or(i64::MAX)),
                    )?;
                    Ok(())
                };
                run().map_err(|source| Error::Migrate {
                    component: component.to_owned(),
                    version,
                    source,
                })
            })?;
        }
        Ok(())
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Each connection is behind a mutex of ours, so SQLite needs none.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// A panic inside a closure rolled its transaction back, so a poisoned lock
/// guards nothing broken.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
