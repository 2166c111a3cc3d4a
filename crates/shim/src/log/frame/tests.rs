use super::*;

#[test]
fn frames_are_dockers() {
    let table: [(bool, bool, bool, &[u8]); 4] = [
        (false, false, false, b"\x02\0\0\0\0\0\0\x03ab\n"),
        (false, false, true, b"\x02\0\0\0\0\0\0\x02ab"),
        (true, false, false, b"ab\n"),
        (
            false,
            true,
            false,
            b"\x02\0\0\0\0\0\0\x221970-01-01T00:00:00.000000007Z ab\n",
        ),
    ];
    for (terminal, timestamps, partial, expected) in table {
        let record = Record {
            time: 7,
            stream: Stream::Stderr,
            partial,
            bytes: b"ab",
        };
        let mut bytes = b"before".to_vec();
        frame(
            &record,
            FrameOptions {
                terminal,
                timestamps,
            },
            &mut bytes,
        );
        assert_eq!(&bytes[6..], expected);
    }
}
