use super::*;

fn cut(chunks: &[&[u8]]) -> Vec<(i64, bool, Vec<u8>)> {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    let mut now = 0;
    for chunk in chunks {
        now += 1;
        lines.push(chunk, now, |line| {
            found.push((line.time, line.partial, line.bytes.to_vec()));
        });
    }
    lines.finish(now + 1, |line| {
        found.push((line.time, line.partial, line.bytes.to_vec()));
    });
    found
}

#[test]
fn lines_are_cut_at_newlines_and_at_the_limit() {
    let limit = vec![b'a'; LONGEST];
    let mut limit_and_newline = limit.clone();
    limit_and_newline.push(b'\n');
    let mut long = vec![b'b'; LONGEST * 2 + 5];
    long.extend_from_slice(b"\nnext\n");
    type Expected = Vec<(i64, bool, Vec<u8>)>;
    let table: Vec<(Vec<&[u8]>, Expected)> = vec![
        (vec![b"one\n"], vec![(1, false, b"one".to_vec())]),
        (
            vec![b"\n\n"],
            vec![(1, false, Vec::new()), (1, false, Vec::new())],
        ),
        (
            vec![b"on", b"e\ntw", b"o"],
            vec![(2, false, b"one".to_vec()), (4, true, b"two".to_vec())],
        ),
        (vec![&limit], vec![(1, true, limit.clone())]),
        (
            vec![&limit_and_newline],
            vec![(1, true, limit.clone()), (1, false, Vec::new())],
        ),
        (
            vec![&long[..10], &long[10..LONGEST + 3], &long[LONGEST + 3..]],
            vec![
                (2, true, vec![b'b'; LONGEST]),
                (2, true, vec![b'b'; LONGEST]),
                (2, false, vec![b'b'; 5]),
                (3, false, b"next".to_vec()),
            ],
        ),
    ];
    for (chunks, expected) in table {
        assert_eq!(cut(&chunks), expected);
    }
}
