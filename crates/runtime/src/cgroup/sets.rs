//! Lists of CPUs and memory nodes.

/// The largest number that a list may name; the kernel's own bound is 8192.
const MAXIMUM: u32 = 8191;

/// The ranges of a list as `0-3,7`; the kernel lets empty parts and spaces
/// around them pass.
pub(crate) fn parse(list: &str) -> Result<Vec<(u32, u32)>, String> {
    let mut ranges = Vec::new();
    for part in list.split(',').map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| {
            text.parse::<u32>()
                .ok()
                .filter(|number| *number <= MAXIMUM)
                .ok_or_else(|| format!("{part:?} is no number or range"))
        };
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(format!("{part:?} ends before it begins"));
        }
        ranges.push((first, last));
    }
    if ranges.is_empty() {
        return Err(format!("{list:?} names nothing"));
    }
    Ok(ranges)
}

/// The numbers of a list, each once, in order.
pub(super) fn numbers(list: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = parse(list)
        .unwrap_or_default()
        .into_iter()
        .flat_map(|(first, last)| first..=last)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// A list as systemd takes it: a bit for each number, the lowest first.
pub(super) fn bits(list: &str) -> Result<Vec<u8>, String> {
    let ranges = parse(list)?;
    let last = ranges.iter().map(|(_, last)| *last).max().unwrap_or(0);
    let mut bits = vec![0u8; last as usize / 8 + 1];
    for number in ranges.into_iter().flat_map(|(first, last)| first..=last) {
        bits[number as usize / 8] |= 1 << (number % 8);
    }
    Ok(bits)
}
