use super::*;

fn encoded(bytes: &[u8], partial: bool, tags: &[(&str, &str)]) -> String {
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let record = Record {
        time: 1_600_000_000_120_000_000,
        stream: Stream::Stderr,
        partial,
        bytes,
    };
    let mut line = Vec::new();
    encode(&record, &attributes(&tags), &mut line);
    String::from_utf8(line).expect("JSON is UTF-8")
}

#[test]
fn lines_are_dockers() {
    let tail = r#","stream":"stderr","time":"2020-09-13T12:26:40.12Z"}"#;
    let table: [(&[u8], bool, &str); 7] = [
        (b"plain", false, r#""plain\n""#),
        (b"", false, r#""\n""#),
        (b"part", true, r#""part""#),
        (
            b"tab\tcr\rquote\"back\\esc\x1b",
            false,
            r#""tab\u0009cr\rquote\"back\\esc\u001b\n""#,
        ),
        (
            b"<a href=\"x\">&",
            false,
            r#""\u003ca href=\"x\"\u003e\u0026\n""#,
        ),
        (
            "gr\u{fc}n\u{2028}\u{2029}\u{2030}".as_bytes(),
            false,
            "\"gr\u{fc}n\\u2028\\u2029\u{2030}\\n\"",
        ),
        (b"bad\xff\xfe.", false, r#""bad\ufffd\ufffd.\n""#),
    ];
    for (bytes, partial, json) in table {
        assert_eq!(
            encoded(bytes, partial, &[]),
            format!("{{\"log\":{json}{tail}\n")
        );
    }
    assert_eq!(
        encoded(b"x", false, &[("a", "1"), ("tag", "t\"")]),
        "{\"log\":\"x\\n\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"1\",\"tag\":\"t\\\"\"},\"time\":\"2020-09-13T12:26:40.12Z\"}\n"
    );
}

#[test]
fn lines_come_back() {
    let mut text = Vec::new();
    for (bytes, partial) in [
        (&b"a line"[..], false),
        (b"", false),
        (b"no newline", true),
        ("\u{2028}<\t\r\u{1f600}".as_bytes(), false),
    ] {
        let line = encoded(bytes, partial, &[("tag", "x")]);
        let record = decode(line.as_bytes(), &mut text).expect("a record");
        assert_eq!(record.bytes, bytes);
        assert_eq!(record.partial, partial);
        assert_eq!(record.stream, Stream::Stderr);
        assert_eq!(record.time, 1_600_000_000_120_000_000);
    }
    for line in [
        "",
        "{",
        "[]",
        "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"never\"}",
    ] {
        assert_eq!(decode(line.as_bytes(), &mut text), None, "{line}");
    }
}
