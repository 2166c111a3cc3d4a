use super::*;

fn fixed(time: i64) -> String {
    let mut text = Vec::new();
    format_fixed(time, &mut text);
    String::from_utf8(text).expect("ascii")
}

fn trimmed(time: i64) -> String {
    let mut text = Vec::new();
    format_trimmed(time, &mut text);
    String::from_utf8(text).expect("ascii")
}

#[test]
fn known_times() {
    // Seconds from `date -u -d … +%s`.
    let table = [
        (
            0,
            0,
            "1970-01-01T00:00:00.000000000Z",
            "1970-01-01T00:00:00Z",
        ),
        (
            951_782_400,
            120_000_000,
            "2000-02-29T00:00:00.120000000Z",
            "2000-02-29T00:00:00.12Z",
        ),
        (
            1_709_251_199,
            999_999_999,
            "2024-02-29T23:59:59.999999999Z",
            "2024-02-29T23:59:59.999999999Z",
        ),
        (
            -1,
            500_000_000,
            "1969-12-31T23:59:59.500000000Z",
            "1969-12-31T23:59:59.5Z",
        ),
        (
            4_102_444_800,
            1,
            "2100-01-01T00:00:00.000000001Z",
            "2100-01-01T00:00:00.000000001Z",
        ),
    ];
    for (seconds, nanoseconds, long, short) in table {
        let time = seconds * NANOSECONDS + nanoseconds;
        assert_eq!(fixed(time), long);
        assert_eq!(trimmed(time), short);
        assert_eq!(parse(long.as_bytes()), Some(time));
        assert_eq!(parse(short.as_bytes()), Some(time));
    }
}

#[test]
fn every_day_of_four_centuries_comes_back() {
    for day in (-100 * 365..300 * 365).step_by(1) {
        let (year, month, of_month) = date(day);
        assert_eq!(days(year, month, of_month), day);
    }
}

#[test]
fn offsets_are_taken_off() {
    assert_eq!(
        parse(b"2024-01-01T01:30:00+01:30"),
        parse(b"2024-01-01T00:00:00Z")
    );
    assert_eq!(
        parse(b"2023-12-31T22:00:00.5-02:00"),
        parse(b"2024-01-01T00:00:00.5Z")
    );
}

#[test]
fn what_is_not_a_time_is_refused() {
    let table = [
        "",
        "2024",
        "2024-01-01",
        "2024-13-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01 00:00:00Z",
        "9999-01-01T00:00:00Z",
        "2o24-01-01T00:00:00Z",
    ];
    for text in table {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
}
