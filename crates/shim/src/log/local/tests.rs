use super::*;

#[test]
fn records_come_back_and_their_pieces_do_not_pass_for_one() {
    let records = [
        (
            Stream::Stdout,
            false,
            &b"a line"[..],
            1_700_000_000_000_000_000,
        ),
        (Stream::Stderr, true, b"", -1),
        (Stream::Stdout, true, &[0xff; 300], i64::MAX),
    ];
    for (stream, partial, bytes, time) in records {
        let record = Record {
            time,
            stream,
            partial,
            bytes,
        };
        let mut encoded = Vec::new();
        encode(&record, &mut encoded);
        assert_eq!(length_of_last(&encoded), Some(encoded.len()));
        assert_eq!(decode(&encoded), Decoded::Record(record, encoded.len()));
        for short in 0..encoded.len() {
            assert_eq!(decode(&encoded[..short]), Decoded::Incomplete, "{short}");
        }
        for at in [3, 4, encoded.len() - 1] {
            let mut damaged = encoded.clone();
            damaged[at] ^= 0x7f;
            assert_eq!(decode(&damaged), Decoded::Damage, "{at}");
        }
    }
}
