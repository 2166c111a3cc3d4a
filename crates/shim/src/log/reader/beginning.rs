//! Where reading begins.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use super::{LogConfig, Source, tail};

/// Drops files whose last record is older than wanted.
pub(super) fn drop_older(sources: &mut Vec<Source>, since: i64) -> io::Result<()> {
    while sources.len() > 1 {
        let modified = sources[0].file.metadata()?.modified()?;
        let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        // Times of files are coarser than those of records.
        let last = age.saturating_add(Duration::from_secs(2)).as_nanos();
        if i64::try_from(last).unwrap_or(i64::MAX) >= since {
            break;
        }
        sources.remove(0);
    }
    Ok(())
}

/// Drops what lies before the last `count` records and returns the offset in
/// the first file that is left.
pub(super) fn skip_to_tail(
    config: &LogConfig,
    sources: &mut Vec<Source>,
    count: u64,
) -> io::Result<u64> {
    let mut missing = count;
    for index in (0..sources.len()).rev() {
        let (start, found) = tail::start_of_last(config, &sources[index].file, missing)?;
        missing = missing.saturating_sub(found);
        if missing == 0 {
            sources.drain(..index);
            return Ok(start);
        }
    }
    Ok(0)
}
