//! From what a person writes to an image, in Docker's order: a whole ID, then
//! a reference, then the beginning of an ID.

use rusqlite::Connection;
use tare_oci::{Digest, Reference};

use super::{Error, tag};
use crate::store::Store;

impl Store {
    /// The ID of the image that goes by this name or this beginning of an ID.
    pub fn resolve(&self, name: &str) -> Result<Digest, Error> {
        self.database().read(|connection| resolve(connection, name))
    }
}

pub(super) fn resolve(connection: &Connection, name: &str) -> Result<Digest, Error> {
    if let Some(id) = whole_id(name) {
        let mut statement =
            connection.prepare_cached("SELECT 1 FROM images WHERE id = ?1 AND removed = 0")?;
        return if statement.exists([id.as_str()])? {
            Ok(id)
        } else {
            Err(Error::NotFound {
                name: id.to_string(),
            })
        };
    }
    let reference = Reference::parse_normalized(name)?.with_default_tag();
    if let Some(id) = tag::find(connection, &reference)? {
        return Ok(id);
    }
    let ids = with_prefix(connection, name)?;
    match ids.as_slice() {
        [] => Err(Error::NotFound {
            name: reference.familiar(),
        }),
        [id] => Ok(id.clone()),
        _ => Err(Error::Ambiguous {
            prefix: name.to_owned(),
            count: ids.len(),
        }),
    }
}

/// Whether the name is an ID or the beginning of one, rather than a reference.
pub(super) fn is_prefix_of(name: &str, id: &Digest) -> bool {
    id.as_str().starts_with(name) || id.hex().starts_with(name)
}

fn whole_id(name: &str) -> Option<Digest> {
    name.parse().or_else(|_| Digest::from_sha256_hex(name)).ok()
}

fn with_prefix(connection: &Connection, name: &str) -> Result<Vec<Digest>, Error> {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    if hex.is_empty()
        || !hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Ok(Vec::new());
    }
    // 'g' sorts behind every hexadecimal character.
    let (from, to) = (format!("sha256:{hex}"), format!("sha256:{hex}g"));
    let mut statement = connection
        .prepare_cached("SELECT id FROM images WHERE id >= ?1 AND id < ?2 AND removed = 0")?;
    let texts: Vec<String> = statement
        .query_map([from, to], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}
