//! Times as Go writes them: RFC 3339 in UTC with as many digits of a second as
//! there are (`2024-05-01T10:00:00.12Z`), and Docker's `seconds.nanoseconds`
//! of `since` and `until`.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Go's zero time: what a container that never started says of its start.
pub const ZERO: &str = "0001-01-01T00:00:00Z";

/// The text of a moment, as Go's RFC3339Nano.
pub fn format(time: SystemTime) -> String {
    let nanoseconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    };
    format_nanoseconds(nanoseconds)
}

/// The text of a moment given in nanoseconds since 1970; [`ZERO`] when it lies
/// outside the years that can be written.
pub fn format_nanoseconds(nanoseconds: i128) -> String {
    Timestamp::from_nanosecond(nanoseconds)
        .map_or_else(|_| ZERO.to_owned(), |time| time.to_string())
}

/// The same with all nine digits, as the timestamps of log lines have them.
pub fn format_fixed(nanoseconds: i128) -> String {
    Timestamp::from_nanosecond(nanoseconds)
        .map_or_else(|_| ZERO.to_owned(), |time| format!("{time:.9}"))
}

/// Nanoseconds since 1970 of an RFC 3339 text; `None` for [`ZERO`] or what is
/// no time.
pub fn parse(text: &str) -> Option<i128> {
    if text == ZERO {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond)
}

/// Nanoseconds since 1970 of the `seconds` or `seconds.nanoseconds` that the
/// API takes for `since` and `until`, and of an RFC 3339 text.
pub fn parse_since(text: &str) -> Option<i128> {
    if text.contains('T') {
        return parse(text);
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: i128 = if fraction.is_empty() {
        0
    } else {
        format!("{fraction:0<9}").parse().ok()?
    };
    Some(i128::from(seconds) * 1_000_000_000 + fraction)
}

/// Like [`parse_since`], and a duration as Go writes it (`1h30m`), which is
/// counted back from `now` in nanoseconds since 1970.
pub fn parse_until(text: &str, now: i128) -> Option<i128> {
    parse_since(text).or_else(|| Some(now - parse_duration(text)?))
}

/// Nanoseconds of a duration as Go writes it.
fn parse_duration(text: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut rest = text;
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, nanoseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let number: i64 = number.parse().ok()?;
        sum = sum.checked_add(i128::from(number).checked_mul(*nanoseconds)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests;
