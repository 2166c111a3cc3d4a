//! What may go: content without a row, and rows of content without an image.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use tare_oci::Digest;

use super::{Error, Store, now};
use crate::database::{self, Durability};
use crate::layout::ALGORITHMS;
use crate::lease::Content;

impl Store {
    /// Removes what no row names. Only at open: later, content being put in
    /// place has no row for a moment.
    pub(super) fn remove_garbage(&self) -> Result<(), Error> {
        for name in names(&self.layout().ingest())? {
            self.layout().reserve_ingest(&name);
            self.trash().remove(self.layout().ingest().join(name));
        }
        let (blobs, layers, containers) =
            self.database()
                .read(|connection| -> Result<_, database::Error> {
                    Ok((
                        column(connection, "SELECT digest FROM blobs")?,
                        column(connection, "SELECT diff_id FROM layers")?,
                        column(connection, "SELECT container FROM snapshots")?,
                    ))
                })?;
        for algorithm in ALGORITHMS {
            let prefixed = |hex: &str| format!("{}:{hex}", algorithm.name());
            self.remove_unknown(&self.layout().blobs(algorithm), |hex| {
                blobs.contains(&prefixed(hex))
            })?;
            self.remove_unknown(&self.layout().layers(algorithm), |hex| {
                layers.contains(&prefixed(hex))
            })?;
        }
        self.remove_unknown(&self.layout().containers(), |id| containers.contains(id))
    }

    fn remove_unknown(
        &self,
        directory: &Path,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        for name in names(directory)? {
            if !is_known(&name)
                && let Some(path) = self.move_to_ingest(&directory.join(name))
            {
                self.trash().remove(path);
            }
        }
        Ok(())
    }

    /// Removes layers and blobs that no image has and that were stored longer
    /// ago than this: what interrupted pulls left. Returns the bytes the blobs
    /// had. Does nothing while a lease is held.
    pub fn remove_unused(&self, older_than: Duration) -> Result<u64, database::Error> {
        let before = now().saturating_sub(i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX));
        let (trash, size) = {
            let leases = self.placement();
            if leases.any() {
                return Ok(0);
            }
            let (unused, size) = self.database().write(Durability::Synced, |transaction| {
                let all = Content {
                    layers: digests(
                        transaction,
                        "SELECT diff_id FROM layers WHERE stored <= ?1",
                        before,
                    )?,
                    blobs: digests(
                        transaction,
                        "SELECT digest FROM blobs WHERE stored <= ?1",
                        before,
                    )?,
                };
                let sizes = "SELECT coalesce(sum(size), 0) FROM blobs";
                let total = |connection: &Connection| {
                    connection.query_row(sizes, [], |row| row.get::<_, i64>(0))
                };
                let size_before = total(transaction)?;
                let unused = delete_unused(transaction, &all)?;
                Ok::<_, database::Error>((unused, size_before - total(transaction)?))
            })?;
            (self.throw_away(&unused), size)
        };
        self.delete(trash);
        Ok(u64::try_from(size).unwrap_or(0))
    }
}

/// Deletes the rows of those layers and blobs that no image has, and returns
/// which. The caller holds the placement lock and moves the content away after
/// the commit.
pub(crate) fn delete_unused(
    transaction: &Transaction<'_>,
    content: &Content,
) -> Result<Content, database::Error> {
    let mut deleted = Content::default();
    let mut statement = transaction.prepare_cached(
        "DELETE FROM layers WHERE diff_id = ?1
         AND NOT EXISTS (SELECT 1 FROM image_layers WHERE image_layers.diff_id = layers.diff_id)",
    )?;
    for diff_id in &content.layers {
        if statement.execute([diff_id.as_str()])? > 0 {
            deleted.layers.push(diff_id.clone());
        }
    }
    let mut statement = transaction.prepare_cached(
        "DELETE FROM blobs WHERE digest = ?1
         AND NOT EXISTS (SELECT 1 FROM image_blobs WHERE image_blobs.digest = blobs.digest)",
    )?;
    for digest in &content.blobs {
        if statement.execute([digest.as_str()])? > 0 {
            deleted.blobs.push(digest.clone());
        }
    }
    Ok(deleted)
}

fn digests(connection: &Connection, query: &str, before: i64) -> rusqlite::Result<Vec<Digest>> {
    let mut statement = connection.prepare(query)?;
    let texts: Vec<String> = statement
        .query_map([before], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

fn column(connection: &Connection, query: &str) -> rusqlite::Result<HashSet<String>> {
    connection
        .prepare(query)?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// The names in a directory. Ours are ASCII; one that is not text is not ours
/// and stays.
fn names(directory: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Prepare {
        operation: "read",
        path: directory.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}
