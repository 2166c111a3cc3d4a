//! Numbers as tar headers write them.

use super::{Error, Time};

/// A field of octal digits between spaces and NULs, or a base-256 number when
/// its first bit is set (GNU). Negative numbers have no meaning here.
pub(super) fn parse(field: &[u8]) -> Result<u64, Error> {
    const NEGATIVE: u8 = 0x40;
    const BINARY: u8 = 0x80;
    match field.first() {
        Some(first) if first & BINARY != 0 => {
            if first & NEGATIVE != 0 {
                return Err(Error::Header("a negative number"));
            }
            let mut value = u64::from(first & !BINARY);
            for byte in &field[1..] {
                if value >> 56 != 0 {
                    return Err(Error::Header("a number too large"));
                }
                value = value << 8 | u64::from(*byte);
            }
            Ok(value)
        }
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Result<u64, Error> {
    let is_padding = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = field
        .iter()
        .position(|byte| !is_padding(byte))
        .unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(is_padding).unwrap_or(digits.len());
    let mut value = 0_u64;
    for digit in &digits[..end] {
        if !matches!(digit, b'0'..=b'7') {
            return Err(Error::Header("a number that is not octal"));
        }
        if value >> 61 != 0 {
            return Err(Error::Header("a number too large"));
        }
        value = value << 3 | u64::from(digit - b'0');
    }
    Ok(value)
}

/// A modification time in a header; GNU tar writes times before 1970 as
/// negative base-256 numbers.
pub(super) fn parse_time(field: &[u8]) -> Result<Time, Error> {
    let seconds = match field {
        [0xff, rest @ ..] => {
            let mut value = -1_i64;
            for byte in rest.iter().skip(rest.len().saturating_sub(8)) {
                value = value << 8 | i64::from(*byte);
            }
            value
        }
        _ => i64::try_from(parse(field)?).map_err(|_| Error::Header("a time too far away"))?,
    };
    Ok(Time {
        seconds,
        nanoseconds: 0,
    })
}

/// A decimal number of a PAX record.
pub(super) fn parse_decimal(text: &[u8]) -> Option<u64> {
    // str::parse would accept a plus sign.
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A PAX time: seconds with an optional sign and fraction.
pub(super) fn parse_decimal_time(text: &[u8]) -> Option<Time> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &[][..]),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = i64::try_from(parse_decimal(whole)?).ok()?;
    let digit = |position: usize| {
        fraction
            .get(position)
            .map_or(0, |byte| u32::from(byte - b'0'))
    };
    let nanoseconds = (0..9).fold(0, |value, position| value * 10 + digit(position));
    Some(match (negative, nanoseconds) {
        (false, _) => Time {
            seconds,
            nanoseconds,
        },
        (true, 0) => Time {
            seconds: -seconds,
            nanoseconds: 0,
        },
        // -1.25 is three quarters of a second after -2.
        (true, _) => Time {
            seconds: -seconds - 1,
            nanoseconds: 1_000_000_000 - nanoseconds,
        },
    })
}
