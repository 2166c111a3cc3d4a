//! Recording an image.

use rusqlite::{OptionalExtension, Transaction};
use tare_oci::image::RootFs;
use tare_oci::{Digest, Reference};

use super::{Error, NewImage, tag};
use crate::database::Durability;
use crate::store::{Store, now};

impl Store {
    /// Records an image and gives it these references, taking them from other
    /// images. The layers, the configuration and the manifest must be in the
    /// store; hold a [`crate::Lease`] from looking for them until here. An image
    /// that is recorded already keeps its references and gets these as well.
    pub fn put_image(&self, image: &NewImage, references: &[Reference]) -> Result<(), Error> {
        let labels = serde_json::to_string(&image.labels).unwrap_or_else(|_| "{}".to_owned());
        self.database().write(Durability::Synced, |transaction| {
            let size = size_of_layers(transaction, image)?;
            transaction.execute(
                "INSERT INTO images VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)
                 ON CONFLICT (id) DO UPDATE SET removed = 0, manifest = coalesce(excluded.manifest, manifest)",
                (
                    image.id.as_str(),
                    image.manifest.as_ref().map(Digest::as_str),
                    &image.platform.os,
                    &image.platform.architecture,
                    &image.platform.variant,
                    image.created,
                    size,
                    labels,
                    now(),
                ),
            )?;
            record_layers(transaction, image)?;
            record_blobs(transaction, image)?;
            for reference in references {
                tag::point(transaction, reference, &image.id)?;
            }
            Ok(())
        })
    }
}

fn size_of_layers(transaction: &Transaction<'_>, image: &NewImage) -> Result<i64, Error> {
    let mut statement = transaction.prepare_cached("SELECT size FROM layers WHERE diff_id = ?1")?;
    let mut total = 0_i64;
    for layer in &image.layers {
        let size: Option<i64> = statement
            .query_row([layer.diff_id.as_str()], |row| row.get(0))
            .optional()?;
        let missing = || Error::Incomplete {
            id: image.id.clone(),
            missing: layer.diff_id.clone(),
        };
        total = total.saturating_add(size.ok_or_else(missing)?);
    }
    Ok(total)
}

fn record_layers(transaction: &Transaction<'_>, image: &NewImage) -> Result<(), Error> {
    let diff_ids = image
        .layers
        .iter()
        .map(|layer| layer.diff_id.clone())
        .collect();
    let chain_ids = RootFs {
        kind: String::new(),
        diff_ids,
    }
    .chain_ids();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO image_layers VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (image, position) DO UPDATE SET blob = coalesce(excluded.blob, blob)",
    )?;
    for ((layer, chain_id), position) in image.layers.iter().zip(&chain_ids).zip(0_i64..) {
        statement.execute((
            image.id.as_str(),
            position,
            layer.diff_id.as_str(),
            chain_id.as_str(),
            layer.blob.as_ref().map(Digest::as_str),
        ))?;
    }
    Ok(())
}

/// Configuration and manifest must be here. A layer's blob need not be: the
/// layer may have come from a different blob with the same content.
fn record_blobs(transaction: &Transaction<'_>, image: &NewImage) -> Result<(), Error> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO image_blobs SELECT ?1, digest FROM blobs WHERE digest = ?2 ON CONFLICT DO NOTHING",
    )?;
    let mut exists = transaction.prepare_cached("SELECT 1 FROM blobs WHERE digest = ?1")?;
    for digest in [Some(&image.id), image.manifest.as_ref()]
        .into_iter()
        .flatten()
    {
        if !exists.exists([digest.as_str()])? {
            return Err(Error::Incomplete {
                id: image.id.clone(),
                missing: digest.clone(),
            });
        }
        insert.execute((image.id.as_str(), digest.as_str()))?;
    }
    for blob in image.layers.iter().filter_map(|layer| layer.blob.as_ref()) {
        insert.execute((image.id.as_str(), blob.as_str()))?;
    }
    Ok(())
}
