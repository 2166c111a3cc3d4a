use super::*;

#[test]
fn moments_are_written_as_go_writes_them() {
    for (nanoseconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_120_000_000, "2023-11-14T22:13:20.12Z"),
        (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
    ] {
        assert_eq!(format_nanoseconds(nanoseconds), text);
        assert_eq!(parse(text), Some(nanoseconds));
    }
    assert_eq!(
        format_fixed(1_700_000_000_120_000_000),
        "2023-11-14T22:13:20.120000000Z"
    );
    assert_eq!(parse(ZERO), None);
}

#[test]
fn since_takes_seconds_with_a_fraction() {
    for (text, nanoseconds) in [
        ("10", Some(10_000_000_000)),
        ("10.5", Some(10_500_000_000)),
        ("10.000000001", Some(10_000_000_001)),
        ("2023-11-14T22:13:20Z", Some(1_700_000_000_000_000_000)),
        ("10.0000000001", None),
        ("10.-5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(parse_since(text), nanoseconds, "{text:?}");
    }
}

#[test]
fn until_also_counts_back_from_now() {
    let now = 10_000_000_000_000;
    for (text, expected) in [
        ("1h", Some(now - 3_600_000_000_000)),
        ("1m30s", Some(now - 90_000_000_000)),
        ("5ms", Some(now - 5_000_000)),
        ("7", Some(7_000_000_000)),
        ("1x", None),
        ("h", None),
        ("", None),
    ] {
        assert_eq!(parse_until(text, now), expected, "{text}");
    }
}
