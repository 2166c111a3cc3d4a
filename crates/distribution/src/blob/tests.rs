use super::content_range;

#[test]
fn content_ranges() {
    for (header, expected) in [
        ("bytes 5-9/10", Some((5, Some(10)))),
        (" bytes 0-0/*", Some((0, None))),
        ("bytes 9-5/10", None),
        ("bytes */10", None),
        ("items 5-9/10", None),
        ("bytes 5-9/18446744073709551616", None),
        ("", None),
    ] {
        assert_eq!(content_range(header), expected, "{header}");
    }
}
