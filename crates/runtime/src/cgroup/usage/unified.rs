//! Usage in the files of the v2 hierarchy, brought into the shape of v1 as
//! runc does it.

use std::collections::BTreeMap;
use std::path::Path;

use super::parse::{number, page_sizes, pressure, table, text};
use super::{BlockIo, BlockIoEntry, Cpu, HugePages, Memory};
use crate::cgroup::{Error, controls};

pub(super) fn cpu(directory: &Path, cpu: &mut Cpu) -> Result<(), Error> {
    let text = text(directory, "cpu.stat")?;
    let value = |key| controls::keyed(&text, key).unwrap_or(0);
    cpu.usage.total = value("usage_usec") * 1000;
    cpu.usage.user = value("user_usec") * 1000;
    cpu.usage.kernel = value("system_usec") * 1000;
    cpu.throttling.periods = value("nr_periods");
    cpu.throttling.throttled_periods = value("nr_throttled");
    cpu.throttling.throttled_time = value("throttled_usec") * 1000;
    cpu.psi = pressure(directory, "cpu.pressure");
    Ok(())
}

pub(super) fn memory(directory: &Path, memory: &mut Memory) -> Result<(), Error> {
    memory.raw = table(&text(directory, "memory.stat")?);
    memory.cache = memory.raw.get("file").copied().unwrap_or(0);
    memory.usage.usage = number(directory, "memory.current")?;
    memory.usage.limit = number(directory, "memory.max")?;
    memory.usage.max = number(directory, "memory.peak")?;
    let events = text(directory, "memory.events")?;
    memory.usage.failcnt = controls::keyed(&events, "max").unwrap_or(0);
    let swap = number(directory, "memory.swap.current")?;
    memory.swap.usage = swap + memory.usage.usage;
    memory.swap.limit = match number(directory, "memory.swap.max")? {
        u64::MAX => u64::MAX,
        limit => limit.saturating_add(memory.usage.limit),
    };
    memory.psi = pressure(directory, "memory.pressure");
    Ok(())
}

pub(super) fn block_io(directory: &Path, block_io: &mut BlockIo) -> Result<(), Error> {
    entries(&text(directory, "io.stat")?, block_io);
    block_io.psi = pressure(directory, "io.pressure");
    Ok(())
}

/// Lines of `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
pub(super) fn entries(text: &str, block_io: &mut BlockIo) {
    for line in text.lines() {
        let mut words = line.split(' ');
        let numbers = words.next().and_then(|device| device.split_once(':'));
        let Some((Ok(major), Ok(minor))) =
            numbers.map(|(major, minor)| (major.parse(), minor.parse()))
        else {
            continue;
        };
        for word in words {
            let Some((key, Ok(value))) = word
                .split_once('=')
                .map(|(key, value)| (key, value.parse::<u64>()))
            else {
                continue;
            };
            let (list, op) = match key {
                "rbytes" => (&mut block_io.io_service_bytes_recursive, "Read"),
                "wbytes" => (&mut block_io.io_service_bytes_recursive, "Write"),
                "dbytes" => (&mut block_io.io_service_bytes_recursive, "Discard"),
                "rios" => (&mut block_io.io_serviced_recursive, "Read"),
                "wios" => (&mut block_io.io_serviced_recursive, "Write"),
                "dios" => (&mut block_io.io_serviced_recursive, "Discard"),
                _ => continue,
            };
            list.push(BlockIoEntry {
                major,
                minor,
                op: op.to_owned(),
                value,
            });
        }
    }
}

pub(super) fn huge_pages(
    directory: &Path,
    found: &mut BTreeMap<String, HugePages>,
) -> Result<(), Error> {
    for size in page_sizes(directory, ".max") {
        let events = text(directory, &format!("hugetlb.{size}.events"))?;
        let pages = HugePages {
            usage: number(directory, &format!("hugetlb.{size}.current"))?,
            max: 0,
            failcnt: controls::keyed(&events, "max").unwrap_or(0),
        };
        found.insert(size, pages);
    }
    Ok(())
}
