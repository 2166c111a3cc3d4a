//! PAX extended headers: `length key=value\n`, as often as need be.

use super::sparse::Segment;
use super::{Error, Time, number};

/// What the extended header before an entry says about it.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) user: Option<u64>,
    pub(super) group: Option<u64>,
    pub(super) modified: Option<Time>,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: Sparse,
}

/// Records of GNU tar's three ways to describe a sparse file.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    pub(super) name: Option<Vec<u8>>,
    /// The file's size with its holes.
    pub(super) real_size: Option<u64>,
    /// Version 1.0: the map precedes the data.
    pub(super) map_in_data: bool,
    /// Versions 0.0 and 0.1: the map is here.
    pub(super) map: Option<Vec<Segment>>,
    version: (Option<u64>, Option<u64>),
    offset: Option<u64>,
}

const INVALID: Error = Error::Header("a malformed extended header");

impl Extensions {
    pub(super) fn parse(records: &[u8]) -> Result<Self, Error> {
        let mut extensions = Self::default();
        for_each(records, |key, value| extensions.apply(key, value))?;
        extensions.sparse.finish()?;
        Ok(extensions)
    }

    fn apply(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let decimal = || number::parse_decimal(value).ok_or(INVALID);
        // An empty value takes a global header's back; those are ignored anyway.
        if value.is_empty() && !key.starts_with(b"SCHILY.xattr.") {
            return Ok(());
        }
        match key {
            b"path" => self.path = Some(name(value)?),
            b"linkpath" => self.link = Some(name(value)?),
            b"size" => self.size = Some(decimal()?),
            b"uid" => self.user = Some(decimal()?),
            b"gid" => self.group = Some(decimal()?),
            b"mtime" => self.modified = Some(number::parse_decimal_time(value).ok_or(INVALID)?),
            _ => {
                if let Some(attribute) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.attributes.push((name(attribute)?, value.to_vec()));
                } else if let Some(field) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.apply(field, value)?;
                }
            }
        }
        Ok(())
    }
}

impl Sparse {
    pub(super) fn is_present(&self) -> bool {
        self.map.is_some() || self.map_in_data
    }

    fn apply(&mut self, field: &[u8], value: &[u8]) -> Result<(), Error> {
        let decimal = || number::parse_decimal(value).ok_or(INVALID);
        match field {
            b"major" => self.version.0 = Some(decimal()?),
            b"minor" => self.version.1 = Some(decimal()?),
            b"name" => self.name = Some(name(value)?),
            b"realsize" | b"size" => self.real_size = Some(decimal()?),
            b"offset" => self.offset = Some(decimal()?),
            b"numbytes" => {
                let offset = self.offset.take().ok_or(INVALID)?;
                self.map.get_or_insert_default().push(Segment {
                    offset,
                    length: decimal()?,
                });
            }
            b"map" => {
                let numbers: Vec<u64> = value
                    .split(|byte| *byte == b',')
                    .map(number::parse_decimal)
                    .collect::<Option<_>>()
                    .ok_or(INVALID)?;
                let (pairs, rest) = numbers.as_chunks::<2>();
                if !rest.is_empty() || self.map.is_some() {
                    return Err(INVALID);
                }
                self.map = Some(
                    pairs
                        .iter()
                        .map(|[offset, length]| Segment {
                            offset: *offset,
                            length: *length,
                        })
                        .collect(),
                );
            }
            // numblocks only repeats the map's length.
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self.version {
            (None | Some(0), None | Some(0 | 1)) => {}
            (Some(1), Some(0)) if self.map.is_none() => self.map_in_data = true,
            _ => return Err(Error::Header("an unknown sparse format")),
        }
        // A file of nothing but a hole has no map in version 0.0.
        if self.real_size.is_some() && !self.map_in_data {
            self.map.get_or_insert_default();
        }
        if self.is_present() && self.real_size.is_none() {
            Err(INVALID)
        } else {
            Ok(())
        }
    }
}

/// A global header applies to all entries after it. Docker ignores them, GNU
/// tar does not, so one that would change an entry's extent is refused.
pub(super) fn check_global(records: &[u8]) -> Result<(), Error> {
    for_each(records, |key, _| match key {
        b"path" | b"linkpath" | b"size" => {
            Err(Error::Header("a global header that renames or resizes"))
        }
        _ if key.starts_with(b"GNU.sparse.") => {
            Err(Error::Header("a global header that renames or resizes"))
        }
        _ => Ok(()),
    })
}

fn for_each(
    mut records: &[u8],
    mut apply: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    while !records.is_empty() {
        let space = records
            .iter()
            .take(20)
            .position(|byte| *byte == b' ')
            .ok_or(INVALID)?;
        let length = number::parse_decimal(&records[..space])
            .and_then(|length| usize::try_from(length).ok());
        let length = length
            .filter(|length| *length > space + 1 && *length <= records.len())
            .ok_or(INVALID)?;
        let (record, rest) = records.split_at(length);
        let Some((b'\n', record)) = record[space + 1..].split_last() else {
            return Err(INVALID);
        };
        let equals = record
            .iter()
            .position(|byte| *byte == b'=')
            .filter(|equals| *equals > 0)
            .ok_or(INVALID)?;
        apply(&record[..equals], &record[equals + 1..])?;
        records = rest;
    }
    Ok(())
}

fn name(value: &[u8]) -> Result<Vec<u8>, Error> {
    if value.contains(&0) {
        Err(Error::Header("a name with a NUL in it"))
    } else {
        Ok(value.to_vec())
    }
}
