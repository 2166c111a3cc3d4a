//! References: given to images and looked up.

use rusqlite::{OptionalExtension, Transaction};
use tare_oci::{Digest, Reference};

use super::Error;
use crate::database::Durability;
use crate::store::{Store, now};

impl Store {
    /// Gives an image one more name, taking it from the image that had it.
    pub fn tag(&self, id: &Digest, reference: &Reference) -> Result<(), Error> {
        self.database().write(Durability::Synced, |transaction| {
            let exists = transaction
                .prepare_cached("SELECT 1 FROM images WHERE id = ?1 AND removed = 0")?
                .exists([id.as_str()])?;
            if !exists {
                return Err(Error::NotFound {
                    name: id.to_string(),
                });
            }
            point(transaction, reference, id)
        })
    }

    /// Takes a name away; the image stays. Says whether the name existed.
    pub fn untag(&self, reference: &Reference) -> Result<bool, Error> {
        self.database().write(Durability::Synced, |transaction| {
            forget(transaction, reference)
        })
    }
}

/// The form a reference is stored in: a digest says more than a tag beside it.
fn canonical(reference: &Reference) -> String {
    match reference.digest() {
        Some(digest) => reference.with_digest(digest.clone()).to_string(),
        None => reference.clone().with_default_tag().to_string(),
    }
}

pub(super) fn point(
    transaction: &Transaction<'_>,
    reference: &Reference,
    id: &Digest,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT INTO image_references VALUES (?1, ?2, ?3)
             ON CONFLICT (reference) DO UPDATE SET image = excluded.image, tagged = excluded.tagged",
        )?
        .execute((canonical(reference), id.as_str(), now()))?;
    Ok(())
}

pub(super) fn forget(transaction: &Transaction<'_>, reference: &Reference) -> Result<bool, Error> {
    let deleted = transaction
        .prepare_cached("DELETE FROM image_references WHERE reference = ?1")?
        .execute([canonical(reference)])?;
    Ok(deleted > 0)
}

pub(super) fn find(
    connection: &rusqlite::Connection,
    reference: &Reference,
) -> Result<Option<Digest>, Error> {
    let id: Option<String> = connection
        .prepare_cached("SELECT image FROM image_references WHERE reference = ?1")?
        .query_row([canonical(reference)], |row| row.get(0))
        .optional()?;
    Ok(id.and_then(|id| id.parse().ok()))
}

/// An image's references in the order of their text.
pub(super) fn of_image(
    connection: &rusqlite::Connection,
    id: &Digest,
) -> Result<Vec<Reference>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT reference FROM image_references WHERE image = ?1 ORDER BY reference",
    )?;
    let texts: Vec<String> = statement
        .query_map([id.as_str()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}
