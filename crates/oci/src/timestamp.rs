//! Times in logs and states: RFC 3339 in UTC with nanoseconds, written and read without
//! the weight of a calendar library, of which nothing else would be needed.

const NANOSECONDS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Appends a time with all nine decimals, as Docker prefixes log lines:
/// `2026-01-02T03:04:05.600000000Z`.
pub fn format_fixed(time: i64, into: &mut Vec<u8>) {
    let seconds = time.div_euclid(NANOSECONDS);
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY);
    // Years of nanoseconds in an i64 lie between 1677 and 2262: four digits.
    digits(year, 4, into);
    into.push(b'-');
    digits(month, 2, into);
    into.push(b'-');
    digits(day, 2, into);
    into.push(b'T');
    digits(of_day / 3600, 2, into);
    into.push(b':');
    digits(of_day / 60 % 60, 2, into);
    into.push(b':');
    digits(of_day % 60, 2, into);
    into.push(b'.');
    digits(time.rem_euclid(NANOSECONDS), 9, into);
    into.push(b'Z');
}

/// Appends a time as Go's RFC3339Nano does: no decimals that say nothing.
pub fn format_trimmed(time: i64, into: &mut Vec<u8>) {
    format_fixed(time, into);
    into.pop();
    while into.last() == Some(&b'0') {
        into.pop();
    }
    if into.last() == Some(&b'.') {
        into.pop();
    }
    into.push(b'Z');
}

/// Reads an RFC 3339 time; none when it is not one or not within an i64 of
/// nanoseconds around the Unix epoch.
pub fn parse(text: &[u8]) -> Option<i64> {
    let year = number(text, 0, 4, b'-')?;
    let month = number(text, 5, 2, b'-')?;
    let day = number(text, 8, 2, b'T')?;
    let hour = number(text, 11, 2, b':')?;
    let minute = number(text, 14, 2, b':')?;
    let second = number_of(text.get(17..19)?)?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanoseconds = 0;
    if let Some(decimals) = rest.strip_prefix(b".") {
        let count = decimals
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 || count > 9 {
            return None;
        }
        let exponent = u32::try_from(9 - count).ok()?;
        nanoseconds = number_of(&decimals[..count])? * 10_i64.pow(exponent);
        rest = &decimals[count..];
    }
    let offset = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), offset @ ..] if offset.len() == 5 => {
            let seconds = number(offset, 0, 2, b':')? * 3600 + number_of(&offset[3..])? * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    seconds.checked_mul(NANOSECONDS)?.checked_add(nanoseconds)
}

fn digits(mut value: i64, count: usize, into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + count, b'0');
    for place in into[start..].iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
}

fn number(text: &[u8], at: usize, count: usize, then: u8) -> Option<i64> {
    (*text.get(at + count)? == then).then_some(())?;
    number_of(&text[at..at + count])
}

fn number_of(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Year, month and day of a day counted from 1970-01-01. The year is taken to
/// begin in March, so that the leap day is its last and months need no table.
fn date(days: i64) -> (i64, i64, i64) {
    let from_year_0 = days + 719_468;
    let era = from_year_0.div_euclid(146_097);
    let of_era = from_year_0.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The inverse of [`date`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests;
