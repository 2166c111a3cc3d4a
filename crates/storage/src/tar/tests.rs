use super::*;
use crate::fixture::{Archive, seal};

/// Reads an archive to its end: the entries with their data.
fn read(archive: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, Error> {
    let mut input = archive;
    let mut reader = Reader::new(&mut input);
    let mut entries = Vec::new();
    while let Some(entry) = reader.next()? {
        let mut data = Vec::new();
        reader.data(|bytes| -> Result<(), Error> {
            data.extend_from_slice(bytes);
            Ok(())
        })?;
        entries.push((entry, data));
    }
    reader.drain()?;
    assert!(input.is_empty(), "the rest is read");
    Ok(entries)
}

fn patched(mut archive: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    archive[at..at + bytes.len()].copy_from_slice(bytes);
    let block: &mut [u8; 512] = archive.first_chunk_mut().expect("a header");
    seal(block);
    archive
}

#[test]
fn extended_headers_replace_fields() {
    let archive = Archive::new()
        .record("path", b"a/very/long/\xff/name")
        .record("mtime", b"1700000000.123456789999")
        .record("uid", b"4294967294")
        .record("gid", b"70000")
        .record("SCHILY.xattr.user.a=b", b"v\0al")
        .record("comment", b"ignored")
        .entry(b'0', b"short", b"", b"data")
        .record("linkpath", b"else/where")
        .record("mtime", b"-1.25")
        .entry(b'2', b"link", b"x", b"")
        .finish();
    let entries = read(&archive).expect("valid");
    let (file, data) = &entries[0];
    assert_eq!(
        (file.path.as_slice(), data.as_slice()),
        (&b"a/very/long/\xff/name"[..], &b"data"[..])
    );
    assert_eq!(
        file.modified,
        Time {
            seconds: 1_700_000_000,
            nanoseconds: 123_456_789
        }
    );
    assert_eq!((file.user, file.group), (u32::MAX - 1, 70000));
    // Up to the first equals sign, as the format has it.
    assert_eq!(file.attributes, [(b"user.a".to_vec(), b"b=v\0al".to_vec())]);
    assert_eq!(entries[1].0.link, b"else/where");
    assert_eq!(
        entries[1].0.modified,
        Time {
            seconds: -2,
            nanoseconds: 750_000_000
        }
    );
}

#[test]
fn refuses_what_readers_disagree_about() {
    let large = "9".repeat(30);
    let huge = Archive::new()
        .claimed_size(u64::MAX >> 1)
        .file("f", b"")
        .unfinished();
    let cases = [
        // The data would be taken for headers, or headers for data.
        (
            Archive::new()
                .record("size", b"512")
                .claimed_size(0)
                .file("f", &[1; 512])
                .finish(),
            "different sizes",
        ),
        (
            Archive::new()
                .record("size", b"0")
                .file("f", &[1; 512])
                .finish(),
            "different sizes",
        ),
        (
            Archive::new().record("size", b"-1").file("f", b"").finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .record("size", large.as_bytes())
                .file("f", b"")
                .finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .record("path", b"a\0b")
                .file("f", b"")
                .finish(),
            "NUL",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"9 path=a\n")
                .entry(b'x', b"", b"", b"9 path=b\n")
                .finish(),
            "two extended",
        ),
        (
            Archive::new()
                .entry(b'L', b"", b"", b"a\0")
                .entry(b'L', b"", b"", b"b\0")
                .finish(),
            "two extended",
        ),
        (
            Archive::new()
                .entry(b'L', b"", b"", b"a\0")
                .record("path", b"b")
                .file("f", b"")
                .finish(),
            "two ways",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"9 path=a\n")
                .entry(b'g', b"", b"", b"")
                .finish(),
            "without an entry",
        ),
        (
            Archive::new().entry(b'x', b"", b"", b"9 path=a\n").finish(),
            "in the middle",
        ),
        (
            Archive::new()
                .entry(b'g', b"", b"", b"9 size=1\n")
                .file("f", b"")
                .finish(),
            "global header",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"99 path=a\n")
                .file("f", b"")
                .finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"9 path=ab")
                .file("f", b"")
                .finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"1 path=a\n")
                .file("f", b"")
                .finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"+9 path=a\n")
                .file("f", b"")
                .finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .entry(b'x', b"", b"", b"9 ===path\n")
                .file("f", b"")
                .finish(),
            "malformed extended",
        ),
        (
            Archive::new()
                .claimed_size(2 << 20)
                .entry(b'L', b"", b"", b"a")
                .finish(),
            "beyond any reason",
        ),
        (
            Archive::new()
                .record("uid", b"4294967295")
                .file("f", b"")
                .finish(),
            "user or group ID",
        ),
        (
            Archive::new().owner(1 << 40, 0).file("f", b"").finish(),
            "user or group ID",
        ),
        (
            Archive::new().entry(b'M', b"f", b"", b"").finish(),
            "unknown entry type 'M'",
        ),
        (
            Archive::new().entry(b'V', b"f", b"", b"").finish(),
            "unknown entry type 'V'",
        ),
        (
            Archive::new()
                .file("f", b"")
                .raw(&[0; 512])
                .file("g", b"")
                .finish(),
            "lone block",
        ),
        (
            Archive::new().file("f", &[1; 600]).unfinished()[..1024].to_vec(),
            "in the middle",
        ),
        (
            Archive::new().file("f", b"").unfinished()[..511].to_vec(),
            "in the middle",
        ),
        (huge, "in the middle"),
        (
            patched(
                Archive::new().file("f", b"").finish(),
                124,
                b"\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            "negative",
        ),
        (
            patched(
                Archive::new().file("f", b"").finish(),
                124,
                b"\x80\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            "too large",
        ),
        (
            patched(
                Archive::new().file("f", b"").finish(),
                124,
                b"00000000009\0",
            ),
            "not octal",
        ),
        (
            patched(Archive::new().file("f", b"").finish(), 124, b"777777777777"),
            "in the middle",
        ),
        (b"this is no archive".repeat(60), "checksum"),
    ];
    for (position, (archive, message)) in cases.iter().enumerate() {
        let error = read(archive).expect_err(message).to_string();
        assert!(
            error.contains(message),
            "case {position}: {error:?} instead of {message:?}"
        );
    }
}

#[test]
fn reads_what_builders_get_wrong_harmlessly() {
    let cases = [
        // No end at all, one block of zeros, rubbish behind the end.
        (Archive::new().file("f", b"x").unfinished(), 1),
        (
            Archive::new().file("f", b"x").raw(&[0; 512]).unfinished(),
            1,
        ),
        (
            Archive::new()
                .file("f", b"x")
                .raw(&[0; 1024])
                .raw(b"rubbish")
                .unfinished(),
            1,
        ),
        // A size in the header of something that has no data.
        (
            Archive::new()
                .claimed_size(4096)
                .hard_link("l", "f")
                .file("f", b"x")
                .finish(),
            2,
        ),
        (
            Archive::new().claimed_size(4096).directory("d/").finish(),
            1,
        ),
        (
            Archive::new()
                .entry(b'g', b"", b"", b"15 comment=abc\n")
                .finish(),
            0,
        ),
        (Archive::new().file("f", b"").finish(), 1),
        (Vec::new(), 0),
    ];
    for (position, (archive, count)) in cases.into_iter().enumerate() {
        let entries = read(&archive).unwrap_or_else(|error| panic!("case {position}: {error}"));
        assert_eq!(entries.len(), count, "case {position}");
    }
    let old = patched(
        Archive::new().entry(0, b"d/", b"", b"").finish(),
        257,
        &[0; 8],
    );
    assert_eq!(read(&old).expect("valid")[0].0.kind, Kind::Directory);
}

#[test]
fn sparse_maps_must_fit_their_data() {
    let sparse = |map: &str, real: &str, data: &[u8]| {
        Archive::new()
            .record("GNU.sparse.major", b"0")
            .record("GNU.sparse.minor", b"1")
            .record("GNU.sparse.name", b"sparse")
            .record("GNU.sparse.size", real.as_bytes())
            .record("GNU.sparse.map", map.as_bytes())
            .file("placeholder", data)
            .finish()
    };
    let entries = read(&sparse("512,3,4096,2", "8192", b"abcde")).expect("valid");
    let (entry, data) = &entries[0];
    assert_eq!(
        (entry.path.as_slice(), entry.size, data.as_slice()),
        (&b"sparse"[..], 8192, &b"abcde"[..])
    );
    let segments = [
        Segment {
            offset: 512,
            length: 3,
        },
        Segment {
            offset: 4096,
            length: 2,
        },
    ];
    assert_eq!(entry.segments.as_deref(), Some(&segments[..]));
    let cases = [
        ("512,3", "8192", "contradict"),
        ("512,3,4096,3", "8192", "contradict"),
        ("512,3,4096,2", "4097", "contradict"),
        ("4096,2,512,3", "8192", "out of order"),
        ("0,4,3,1", "8192", "out of order"),
        ("18446744073709551615,5", "8192", "out of order"),
        ("0,5", "18446744073709551615", "beyond any reason"),
        ("0,5,1", "8192", "malformed"),
        ("0,five", "8192", "malformed"),
    ];
    for (map, real, message) in cases {
        let error = read(&sparse(map, real, b"abcde"))
            .expect_err(map)
            .to_string();
        assert!(error.contains(message), "{map}: {error}");
    }
    let in_data = Archive::new()
        .record("GNU.sparse.major", b"1")
        .record("GNU.sparse.minor", b"0")
        .record("GNU.sparse.realsize", b"8192")
        .file("f", &[b"99999999999\n".as_slice(), &[0; 500]].concat())
        .finish();
    assert!(
        read(&in_data)
            .expect_err("absurd")
            .to_string()
            .contains("pieces of a sparse file")
    );
}
