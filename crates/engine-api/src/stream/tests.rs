use super::*;

#[test]
fn frames_are_found_however_the_bytes_are_cut() {
    let frames = [
        (StreamKind::Stdout, "one\n"),
        (StreamKind::Stderr, ""),
        (StreamKind::Stdout, "a longer one"),
    ];
    let mut stream = Vec::new();
    for (kind, text) in frames {
        stream.extend_from_slice(&encode_frame(kind, text.as_bytes()));
    }
    assert_eq!(&stream[..12], b"\x01\0\0\0\0\0\0\x04one\n");
    for size in 1..=stream.len() {
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        for piece in stream.chunks(size) {
            decoder.push(piece);
            while let Some((kind, bytes)) = decoder.next_frame().expect("well-formed") {
                found.push((kind, String::from_utf8(bytes.to_vec()).expect("text")));
            }
        }
        assert_eq!(
            found,
            frames.map(|(kind, text)| (kind, text.to_owned())),
            "pieces of {size}"
        );
        assert!(!decoder.is_within_frame());
    }
}

#[test]
fn what_is_no_frame_is_refused() {
    for (bytes, error) in [
        (b"p\0\0\0\0\0\0\x01a", FrameError::UnknownStream(b'p')),
        (
            b"\x01\0\0\0\xff\xff\xff\xff\0",
            FrameError::TooLong(0xffff_ffff),
        ),
    ] {
        let mut decoder = Decoder::new();
        decoder.push(bytes);
        assert_eq!(decoder.next_frame(), Err(error));
    }
}
