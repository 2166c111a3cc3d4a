use std::io::Read;

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
    type Case<'c> = (&'c [&'c [u8]], &'c [u8], bool);
    let cases: &[Case<'_>] = &[
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
        assert_eq!(
            (passed.as_slice(), found),
            (*wanted, *detached),
            "{pieces:?}"
        );
    }
}

/// Signals that nobody sends.
struct NoSignals;

impl SignalHandler for NoSignals {
    fn descriptor(&self) -> Option<&SignalFd> {
        None
    }

    fn handle(&mut self, _number: i32) -> Reaction {
        Reaction::End
    }
}

/// What a session writes to pipes when `bytes` arrive in pieces of `size`.
fn session(bytes: &[u8], size: usize, raw: bool) -> (Result<End, String>, Vec<u8>, Vec<u8>) {
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let (out_reader, out) = io::pipe().unwrap();
    let (err_reader, err) = io::pipe().unwrap();
    let mut session = Session::new(Connection::from_unix(ours), raw, None);
    session.stdout = Output::to(out.into());
    session.stderr = Output::to(err.into());
    let sent = bytes.to_vec();
    let sender = std::thread::spawn(move || {
        for piece in sent.chunks(size) {
            theirs.write_all(piece).unwrap();
        }
    });
    // Slow readers: the session has to wait for them, not lose anything.
    let read = |mut reader: io::PipeReader| {
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let mut all = Vec::new();
            reader.read_to_end(&mut all).unwrap();
            all
        })
    };
    let (out, err) = (read(out_reader), read(err_reader));
    let end = session
        .run(&mut NoSignals)
        .map_err(|error| error.to_string());
    drop(session);
    sender.join().unwrap();
    (end, out.join().unwrap(), err.join().unwrap())
}

#[test]
fn frames_go_to_their_outputs_however_they_arrive() {
    use tare_engine_api::stream::encode_frame;
    let large: Vec<u8> = (0..300_000u32).map(|number| number as u8).collect();
    let mut bytes = Vec::new();
    for piece in [
        (StreamKind::Stdout, &b"one"[..]),
        (StreamKind::Stderr, b"two"),
        (StreamKind::Stdout, b""),
        (StreamKind::Stdout, &large),
    ] {
        bytes.extend_from_slice(&encode_frame(piece.0, piece.1));
    }
    let wanted = [&b"one"[..], &large].concat();
    for size in [1009, 65_536, bytes.len()] {
        let (end, out, err) = session(&bytes, size, false);
        assert_eq!(end, Ok(End::Closed));
        assert!(out == wanted && err == b"two", "pieces of {size}");
    }
    let (end, out, err) = session(&bytes[..50], 1, false);
    assert_eq!((end, err.as_slice()), (Ok(End::Closed), &b"two"[..]));
    assert_eq!(out, wanted[..50 - 4 * HEADER_LENGTH - 3]);
}

#[test]
fn a_terminal_s_stream_is_passed_as_it_is() {
    let bytes = b"\x01\x00\x00\x00\x00\x00\x00\x05hello";
    let (end, out, err) = session(bytes, 3, true);
    assert_eq!(
        (end, out.as_slice(), err.as_slice()),
        (Ok(End::Closed), &bytes[..], &b""[..])
    );
}

#[test]
fn what_is_no_frame_ends_the_session_with_an_error() {
    let (end, _, _) = session(b"\x09\x00\x00\x00\x00\x00\x00\x05hello", 64, false);
    assert!(end.unwrap_err().contains("unrecognized stream: 9"));
    let (end, _, _) = session(b"\x03\x00\x00\x00\x00\x00\x00\x05oops!", 64, false);
    assert_eq!(end.unwrap_err(), "error from daemon in stream: oops!");
}

#[test]
fn a_reader_that_has_gone_ends_the_session() {
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let (reader, out) = io::pipe().unwrap();
    drop(reader);
    let mut session = Session::new(Connection::from_unix(ours), true, None);
    session.stdout = Output::to(out.into());
    theirs.write_all(b"hello").unwrap();
    assert_eq!(session.run(&mut NoSignals).unwrap(), End::OutputClosed);
}
