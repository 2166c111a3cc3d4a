//! Formats that both versions have.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Pids, Pressure, PressureTimes};
use crate::cgroup::{Error, controls};

pub(super) fn text(directory: &Path, file: &str) -> Result<String, Error> {
    Ok(controls::read(&directory.join(file))?.unwrap_or_default())
}

pub(super) fn number(directory: &Path, file: &str) -> Result<u64, Error> {
    Ok(controls::read_number(&directory.join(file))?.unwrap_or(0))
}

/// Lines of `key number`.
pub(super) fn table(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| {
            let (key, value) = line.split_once(' ')?;
            Some((key.to_owned(), value.trim().parse().ok()?))
        })
        .collect()
}

pub(super) fn pids(directory: &Path) -> Result<Pids, Error> {
    let limit = number(directory, "pids.max")?;
    Ok(Pids {
        current: number(directory, "pids.current")?,
        limit: if limit == u64::MAX { 0 } else { limit },
    })
}

/// Lines of `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. `None` where the
/// kernel does not measure pressure (the file cannot be read then).
pub(super) fn pressure(directory: &Path, file: &str) -> Option<Pressure> {
    let text = controls::read(&directory.join(file)).ok()??;
    let mut pressure = Pressure::default();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ')?;
        let times = match kind {
            "some" => &mut pressure.some,
            "full" => &mut pressure.full,
            _ => continue,
        };
        *times = read_times(rest)?;
    }
    Some(pressure)
}

fn read_times(line: &str) -> Option<PressureTimes> {
    let mut times = PressureTimes::default();
    for word in line.split(' ') {
        let (key, value) = word.split_once('=')?;
        match key {
            "avg10" => times.avg10 = value.parse().ok()?,
            "avg60" => times.avg60 = value.parse().ok()?,
            "avg300" => times.avg300 = value.parse().ok()?,
            "total" => times.total = value.parse().ok()?,
            _ => {}
        }
    }
    Some(times)
}

/// Sizes of huge pages that a group counts: those of its files
/// `hugetlb.<size><suffix>`.
pub(super) fn page_sizes(directory: &Path, suffix: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let size = name
                .to_str()?
                .strip_prefix("hugetlb.")?
                .strip_suffix(suffix)?;
            (!size.contains('.')).then(|| size.to_owned())
        })
        .collect()
}
