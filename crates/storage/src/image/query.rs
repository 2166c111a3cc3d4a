//! Reading image records.

use std::collections::HashMap;

use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use tare_oci::{Digest, Platform, Reference};

use super::{Error, Image, ImageLayer};
use crate::store::Store;

const COLUMNS: &str = "id, manifest, os, architecture, variant, created, labels, size";

impl Store {
    /// All images, the newest first, as Docker lists them.
    pub fn images(&self) -> Result<Vec<Image>, Error> {
        self.database().read(|connection| select(connection, None))
    }

    /// One image by its whole ID.
    pub fn image(&self, id: &Digest) -> Result<Image, Error> {
        let mut images = self
            .database()
            .read(|connection| select(connection, Some(id)))?;
        images.pop().ok_or_else(|| Error::NotFound {
            name: id.to_string(),
        })
    }
}

/// Three queries whatever the number of images.
fn select(connection: &Connection, only: Option<&Digest>) -> Result<Vec<Image>, Error> {
    let only = only.map(Digest::as_str);
    let mut images: Vec<Image> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM images WHERE removed = 0 AND (?1 IS NULL OR id = ?1) ORDER BY created DESC, id"
        ))?
        .query_map([only], image)?
        .collect::<Result<_, _>>()?;
    let index: HashMap<Digest, usize> = images
        .iter()
        .enumerate()
        .map(|(position, image)| (image.id.clone(), position))
        .collect();

    let mut statement = connection.prepare_cached(
        "SELECT image, diff_id, blob FROM image_layers WHERE ?1 IS NULL OR image = ?1 ORDER BY image, position",
    )?;
    let mut rows = statement.query([only])?;
    while let Some(row) = rows.next()? {
        if let Some(position) = index.get(&digest(row, 0)?) {
            images[*position].layers.push(ImageLayer {
                diff_id: digest(row, 1)?,
                blob: optional_digest(row, 2)?,
            });
        }
    }

    let mut statement = connection.prepare_cached(
        "SELECT image, reference, tagged FROM image_references WHERE ?1 IS NULL OR image = ?1 ORDER BY reference",
    )?;
    let mut rows = statement.query([only])?;
    while let Some(row) = rows.next()? {
        if let Some(position) = index.get(&digest(row, 0)?) {
            let image = &mut images[*position];
            image.references.push(reference(row, 1)?);
            image.last_tagged = image.last_tagged.max(row.get(2)?);
        }
    }
    Ok(images)
}

fn image(row: &Row<'_>) -> rusqlite::Result<Image> {
    let labels: String = row.get(6)?;
    Ok(Image {
        id: digest(row, 0)?,
        manifest: optional_digest(row, 1)?,
        platform: Platform {
            os: row.get(2)?,
            architecture: row.get(3)?,
            variant: row.get(4)?,
            ..Platform::default()
        },
        created: row.get(5)?,
        labels: serde_json::from_str(&labels).map_err(|error| unreadable(6, error))?,
        size: u64::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
        layers: Vec::new(),
        references: Vec::new(),
        last_tagged: 0,
    })
}

pub(crate) fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|error| unreadable(column, error))
}

fn optional_digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Digest>> {
    match row.get_ref(column)?.as_str_or_null()? {
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|error| unreadable(column, error)),
        None => Ok(None),
    }
}

fn reference(row: &Row<'_>, column: usize) -> rusqlite::Result<Reference> {
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|error| unreadable(column, error))
}

fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
