//! Sizes and ages in the words that Docker uses.

/// A decimal size with three significant digits: `4.26MB`.
pub(crate) fn size(bytes: i64) -> String {
    scaled(
        bytes as f64,
        1000.0,
        &["B", "kB", "MB", "GB", "TB", "PB", "EB"],
        3,
    )
}

/// A decimal size with four significant digits, as progress lines have it.
pub(crate) fn progress_size(bytes: i64) -> String {
    scaled(
        bytes as f64,
        1000.0,
        &["B", "kB", "MB", "GB", "TB", "PB", "EB"],
        4,
    )
}

/// A binary size with four significant digits: `15.55GiB`.
pub(crate) fn binary_size(bytes: i64) -> String {
    scaled(
        bytes as f64,
        1024.0,
        &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"],
        4,
    )
}

fn scaled(mut number: f64, base: f64, units: &[&str], digits: usize) -> String {
    let mut unit = 0;
    while number >= base && unit + 1 < units.len() {
        number /= base;
        unit += 1;
    }
    format!("{}{}", significant(number, digits), units[unit])
}

/// `%.{digits}g` for numbers from 0 to 1024.
fn significant(number: f64, digits: usize) -> String {
    let whole = if number >= 1.0 {
        number.log10().floor() as usize + 1
    } else {
        1
    };
    let text = format!("{number:.*}", digits.saturating_sub(whole));
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An age in words: `About a minute`, `3 weeks`.
pub(crate) fn duration(seconds: i64) -> String {
    let hours = (seconds as f64 / 3600.0 + 0.5) as i64;
    match seconds {
        ..1 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        120..3600 => format!("{} minutes", seconds / 60),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// How long ago a moment of the epoch was.
pub(crate) fn ago(moment: i64) -> String {
    format!(
        "{} ago",
        duration(jiff::Timestamp::now().as_second() - moment)
    )
}

/// The moment as Go prints a time: `2023-11-14 22:13:20 +0000 UTC`.
pub(crate) fn go_time(moment: i64) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_second(moment) else {
        return "N/A".to_owned();
    };
    timestamp
        .strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        .to_string()
}

/// An RFC 3339 time as Go prints it, with its fraction of a second.
pub(crate) fn go_timestamp(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => timestamp
            .strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC")
            .to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The first `width` columns, the last of them an ellipsis when more was
/// there.
pub(crate) fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width - 1).collect();
    short.push('…');
    short
}

/// The twelve digits by which people name an ID.
pub(crate) fn short_id(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.get(..12).unwrap_or(hex)
}

/// A string as Go's `%q` shows it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            control if control.is_control() && (control as u32) < 0x80 => {
                quoted.push_str(&format!("\\x{:02x}", control as u32));
            }
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", control as u32))
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
