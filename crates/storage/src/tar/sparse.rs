//! Maps of sparse files: which parts of the file have data.

use super::header::BLOCK;
use super::{Error, number, printable};

/// A piece of a sparse file that has data; the rest is holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// More pieces than any real file has, and a bound on memory.
pub(super) const SEGMENTS_MAX: usize = 1 << 18;

/// Adds the map entries of a GNU header or extension block. An empty entry ends
/// the map.
pub(super) fn add_gnu(fields: &[u8], segments: &mut Vec<Segment>) -> Result<(), Error> {
    for field in fields.as_chunks::<24>().0 {
        if field[0] == 0 {
            break;
        }
        segments.push(Segment {
            offset: number::parse(&field[..12])?,
            length: number::parse(&field[12..])?,
        });
    }
    Ok(())
}

/// The entries and the continuation mark of a GNU extension block.
pub(super) fn extension(block: &[u8; BLOCK]) -> (&[u8], bool) {
    (&block[..504], block[504] != 0)
}

/// Reads the numbers of a version 1.0 map, line by line, from blocks that
/// `next_block` fetches.
pub(super) fn read_map(
    path: &[u8],
    mut next_block: impl FnMut() -> Result<[u8; BLOCK], Error>,
) -> Result<Vec<Segment>, Error> {
    let mut block = next_block()?;
    let mut position = 0;
    let mut number = || -> Result<u64, Error> {
        let mut digits = Vec::new();
        loop {
            if position == BLOCK {
                block = next_block()?;
                position = 0;
            }
            let byte = block[position];
            position += 1;
            match byte {
                b'\n' => break,
                _ if digits.len() < 20 => digits.push(byte),
                _ => return Err(Error::Header("a malformed sparse map")),
            }
        }
        number::parse_decimal(&digits).ok_or(Error::Header("a malformed sparse map"))
    };
    let count = usize::try_from(number()?).unwrap_or(usize::MAX);
    if count > SEGMENTS_MAX {
        return Err(Error::Excessive {
            path: printable(path),
            what: "pieces of a sparse file",
        });
    }
    (0..count)
        .map(|_| {
            Ok(Segment {
                offset: number()?,
                length: number()?,
            })
        })
        .collect()
}

/// Checks that the pieces follow one another within the file and have exactly
/// the data that is stored.
pub(super) fn validate(
    path: &[u8],
    segments: &[Segment],
    real_size: u64,
    stored: u64,
) -> Result<(), Error> {
    let mut end = 0_u64;
    let mut total = 0_u64;
    for segment in segments {
        let segment_end = segment
            .offset
            .checked_add(segment.length)
            .filter(|_| segment.offset >= end);
        end = segment_end.ok_or(Error::Header("a sparse map out of order"))?;
        total = total.saturating_add(segment.length);
    }
    if i64::try_from(real_size).is_err() {
        return Err(Error::Excessive {
            path: printable(path),
            what: "a size",
        });
    }
    if end > real_size || total != stored {
        let reason = "the sparse map and the size contradict each other";
        return Err(Error::Ambiguous {
            path: printable(path),
            reason,
        });
    }
    Ok(())
}
