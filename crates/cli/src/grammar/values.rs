//! Checks of flag values, with the messages of Go's parsers, which people
//! and scripts know.

/// Go's `strconv.ParseBool`.
pub(crate) fn boolean(value: &str) -> Result<String, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
        _ => Err(format!(
            "strconv.ParseBool: parsing {value:?}: invalid syntax"
        )),
    }
}

/// A signed number; as in Go also hexadecimal, octal and binary.
pub(crate) fn integer(value: &str) -> Result<String, String> {
    let (negative, digits) = match value.strip_prefix(['-', '+']) {
        Some(digits) => (value.starts_with('-'), digits),
        None => (false, value),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    let invalid = |reason: &str| format!("strconv.ParseInt: parsing {value:?}: {reason}");
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(invalid("invalid syntax"));
    }
    let magnitude =
        i128::from_str_radix(digits, radix).map_err(|_| invalid("value out of range"))?;
    i64::try_from(if negative { -magnitude } else { magnitude })
        .map(|number| number.to_string())
        .map_err(|_| invalid("value out of range"))
}

/// A number from 0 to 65535.
pub(crate) fn unsigned16(value: &str) -> Result<String, String> {
    let invalid = |reason: &str| format!("strconv.ParseUint: parsing {value:?}: {reason}");
    match value.parse::<u64>() {
        Ok(number) if number <= u64::from(u16::MAX) => Ok(number.to_string()),
        Ok(_) => Err(invalid("value out of range")),
        Err(_) => Err(invalid("invalid syntax")),
    }
}

/// A size in bytes with a binary unit: `20m`, `1.5g`, `64 KiB`.
pub(crate) fn size(value: &str) -> Result<String, String> {
    parse_size(value).map(|bytes| bytes.to_string())
}

/// As [`size`]; `-1` means no limit.
pub(crate) fn size_or_unlimited(value: &str) -> Result<String, String> {
    if value == "-1" {
        Ok("-1".to_owned())
    } else {
        size(value)
    }
}

/// The bytes that a size with a binary unit stands for.
pub(crate) fn parse_size(value: &str) -> Result<i64, String> {
    let invalid = || format!("invalid size: '{value}'");
    let split = value
        .rfind(|letter: char| letter.is_ascii_digit() || letter == '.')
        .ok_or_else(invalid)?
        + 1;
    let (number, unit) = value.split_at(split);
    let number: f64 = number.parse().map_err(|_| invalid())?;
    if number < 0.0 {
        return Err(invalid());
    }
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let suffix = || format!("invalid suffix: '{unit}'");
    let power = match unit.as_bytes() {
        [] | [b'b'] => 0,
        [letter, rest @ ..] => {
            if !matches!(rest, [] | [b'b'] | [b'i', b'b']) {
                return Err(suffix());
            }
            b"kmgtp"
                .iter()
                .position(|known| known == letter)
                .ok_or_else(suffix)? as i32
                + 1
        }
    };
    Ok((number * 1024f64.powi(power)) as i64)
}

/// A decimal number of processors; the value becomes billionths.
pub(crate) fn processors(value: &str) -> Result<String, String> {
    let invalid = || format!("failed to parse {value} as a rational number");
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    let negative = whole.starts_with('-');
    let whole = whole.trim_start_matches(['-', '+']);
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(invalid());
    }
    if fraction.trim_end_matches('0').len() > 9 {
        return Err("value is too precise".to_owned());
    }
    let fraction = fraction.trim_end_matches('0');
    let text = format!("{}{whole}{fraction:0<9}", if negative { "-" } else { "" });
    text.parse::<i64>()
        .map(|number| number.to_string())
        .map_err(|_| invalid())
}

/// A Go duration such as `1m30s`; the value becomes nanoseconds.
pub(crate) fn duration(value: &str) -> Result<String, String> {
    parse_duration(value).map(|nanoseconds| nanoseconds.to_string())
}

/// The nanoseconds of a Go duration.
pub(crate) fn parse_duration(value: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {value:?}");
    let (sign, mut rest) = match value.strip_prefix(['-', '+']) {
        Some(rest) => (if value.starts_with('-') { -1 } else { 1 }, rest),
        None => (1, value),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0f64;
    while !rest.is_empty() {
        let end = rest
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| invalid())?;
        rest = &rest[end..];
        let end = rest
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            "" => return Err(format!("time: missing unit in duration {value:?}")),
            unknown => {
                return Err(format!(
                    "time: unknown unit {unknown:?} in duration {value:?}"
                ));
            }
        };
        total += number * unit;
        rest = &rest[end..];
    }
    if total > i64::MAX as f64 {
        return Err(invalid());
    }
    Ok(sign * total.round() as i64)
}
