//! Times as Go writes them: `5s`, `1m30s`, `1.5h`, `250ms`.

use std::time::Duration;

/// Reads a time, which must be more than none.
///
/// # Errors
/// In the words of Go's and of runc.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if let Some(negative) = rest.strip_prefix('-') {
        parse(negative)?;
        return Err("duration interval must be greater than 0".to_owned());
    }
    let mut seconds = 0.0;
    if rest.is_empty() {
        return Err(invalid());
    }
    if rest == "0" {
        rest = "0s";
    }
    while !rest.is_empty() {
        let end = rest
            .find(|character: char| !(character.is_ascii_digit() || character == '.'))
            .ok_or_else(|| format!("time: missing unit in duration {text:?}"))?;
        let number: f64 = rest[..end].parse().map_err(|_| invalid())?;
        rest = &rest[end..];
        let end = rest
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            unit => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
        };
        seconds += number * unit;
        rest = &rest[end..];
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(Duration::ZERO) => Err("duration interval must be greater than 0".to_owned()),
        // Go counts nanoseconds in 63 bits: 292 years.
        Ok(duration) if duration.as_secs() < 292 * 365 * 86_400 => Ok(duration),
        _ => Err(invalid()),
    }
}
