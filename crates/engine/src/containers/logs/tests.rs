use super::parse_size;

#[test]
fn sizes_of_log_options() {
    for (text, bytes) in [
        ("1", Some(Some(1))),
        ("10k", Some(Some(10 << 10))),
        ("20m", Some(Some(20 << 20))),
        ("1GB", Some(Some(1 << 30))),
        ("2MiB", Some(Some(2 << 20))),
        ("-1", Some(None)),
        ("0", None),
        ("", None),
        ("m", None),
        ("-2", None),
        ("99999999999g", None),
    ] {
        assert_eq!(parse_size(text), bytes, "{text}");
    }
}
