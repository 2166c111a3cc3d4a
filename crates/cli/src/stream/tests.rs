use super::*;

#[test]
fn detach_keys_are_docker_s() {
    assert_eq!(parse_keys("ctrl-p,ctrl-q"), Ok(vec![16, 17]));
    assert_eq!(parse_keys("a,ctrl-@,ctrl-["), Ok(vec![b'a', 0, 27]));
    assert_eq!(parse_keys("ctrl-_"), Ok(vec![31]));
    for bad in ["", "ctrl-", "ctrl-A", "xy", "a,,b"] {
        assert!(parse_keys(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn keys_are_taken_out_of_what_is_typed_even_when_split() {
    let cases: &[(&[&[u8]], &[u8], bool)] = &[
        (&[b"abc"], b"abc", false),
        (&[b"a\x10", b"\x11b"], b"a", true),
        (&[b"a\x10", b"b"], b"a\x10b", false),
        (&[b"\x10\x10\x11"], b"\x10", true),
        (&[b"\x11\x10x\x10"], b"\x11\x10x", false),
    ];
    for (pieces, wanted, detached) in cases {
        let mut keys = DetachKeys::new(vec![16, 17]);
        let mut passed = Vec::new();
        let found = pieces.iter().any(|piece| keys.filter(piece, &mut passed));
        assert_eq!((passed.as_slice(), found), (*wanted, *detached), "{pieces:?}");
    }
}
