use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use tare_oci::Descriptor;

use super::*;
use crate::fixture::{Archive, Directory, describe, gzip, leftovers, put_layer, run, zstd};

/// Content that no compression shrinks to nothing.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn archive(length: usize) -> Vec<u8> {
    Archive::new()
        .directory("d")
        .file("d/large", &noise(length))
        .file("small", b"x")
        .finish()
}

#[test]
fn every_compression_in_every_size_gives_the_same_files() {
    let directory = Directory::new();
    // Below one chunk there are no threads; the larger fills the pipes.
    for length in [1000, 3_000_000] {
        let archive = archive(length);
        let middle = archive.len() / 2;
        let members = [
            gzip(&archive[..middle]),
            gzip(&[]),
            gzip(&archive[middle..]),
        ]
        .concat();
        let frames = [zstd(&archive[..middle]), zstd(&archive[middle..])].concat();
        let mut skippable = vec![0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
        skippable.extend(zstd(&archive));
        let blobs = BTreeMap::from([
            ("plain", archive.clone()),
            ("gzip", gzip(&archive)),
            ("gzip members", members.clone()),
            ("gzip and padding", [members.clone(), vec![0; 700]].concat()),
            ("gzip and rubbish", [members, noise(200_000)].concat()),
            ("zstd", zstd(&archive)),
            ("zstd frames", frames),
            ("zstd after a skippable frame", skippable),
        ]);
        let mut first = None;
        for (name, blob) in blobs {
            let root = directory.path().join(format!("{name}-{length}"));
            let store = Store::open(&root).expect("opened");
            let layer = put_layer(&store, &archive, &blob, 10_007)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                (layer.size, layer.entries),
                (length as u64 + 1, 3),
                "{name}"
            );
            assert_eq!(
                store
                    .read_blob(&Digest::sha256_of(&blob), 1 << 30)
                    .expect("kept"),
                blob,
                "{name}"
            );
            let mut files = describe(&store.layer_path(&layer.diff_id));
            // The archive says nothing about the root.
            files.remove(&b""[..]);
            assert_eq!(*first.get_or_insert_with(|| files.clone()), files, "{name}");
            assert_eq!(
                std::fs::read_dir(root.join("ingest"))
                    .expect("read")
                    .count(),
                0,
                "{name}"
            );
        }
    }
}

#[test]
fn a_second_blob_of_a_layer_is_kept_without_unpacking() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    for length in [1000, 1_000_000] {
        let archive = archive(length);
        let layer = put_layer(&store, &archive, &gzip(&archive), 4096).expect("first");
        let marker = store.layer_path(&layer.diff_id).join("marker");
        std::fs::write(&marker, b"").expect("written");
        assert_eq!(
            put_layer(&store, &archive, &zstd(&archive), 4096).expect("second"),
            layer
        );
        assert!(marker.exists(), "the directory is the first one");
        assert!(
            store
                .has_blob(&Digest::sha256_of(&zstd(&archive)))
                .expect("read")
        );
        let other = put_layer(&store, &archive, &gzip(b"something else"), 4096)
            .expect_err("another's blob");
        assert!(matches!(other, Error::DiffId { .. }), "{other}");
    }
}

#[test]
fn refused_layers_leave_nothing() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    for length in [1000, 3_000_000] {
        let archive = archive(length);
        let blob = gzip(&archive);
        let diff_id = Digest::sha256_of(&archive);
        let descriptor = Descriptor::of("", &blob);
        let with = |change: fn(&mut Vec<u8>)| {
            let mut blob = blob.clone();
            change(&mut blob);
            blob
        };
        let cut = with(|blob| blob.truncate(blob.len() * 2 / 3));
        let flipped = with(|blob| {
            let middle = blob.len() / 2;
            blob[middle] ^= 0x55;
        });
        let bad_tar = gzip(&[archive[..512].to_vec(), vec![7; length]].concat());
        let half_tar = gzip(&archive[..archive.len() - 2000]);
        let escape = gzip(
            &Archive::new()
                .file("pad", &noise(length))
                .file("../evil", b"")
                .finish(),
        );
        let short = Descriptor::new("", descriptor.digest.clone(), descriptor.size - 1);
        let cases: Vec<(&str, &Descriptor, &[u8], &Digest, &str)> = vec![
            (
                "interrupted",
                &descriptor,
                &cut,
                &diff_id,
                "bytes instead of",
            ),
            ("too long", &short, &blob, &diff_id, "bytes instead of"),
            (
                "damaged",
                &descriptor,
                &flipped,
                &diff_id,
                if length == 1000 { "is damaged" } else { "" },
            ),
            (
                "another layer's",
                &descriptor,
                &blob,
                &descriptor.digest,
                "is not what its image says",
            ),
        ];
        let check =
            |name: &str, descriptor: &Descriptor, blob: &[u8], diff_id: &Digest, message: &str| {
                let mut writer = store.layer_writer(descriptor, diff_id).expect("begun");
                let mut written = Ok(());
                for piece in blob.chunks(50_000) {
                    written = writer.write_all(piece);
                    if written.is_err() {
                        break;
                    }
                }
                let error = writer.finish().expect_err(name).to_string();
                assert!(error.contains(message), "{name}: {error}");
                if let Err(earlier) = written {
                    assert_eq!(earlier.to_string(), error, "{name}: the write says why");
                }
                assert_eq!(leftovers(directory.path()), Vec::<PathBuf>::new(), "{name}");
                assert!(!store.has_layer(diff_id).expect("read"), "{name}");
            };
        for (name, descriptor, blob, diff_id, message) in cases {
            check(name, descriptor, blob, diff_id, message);
        }
        // These are what their descriptors say.
        let cases = [
            ("truncated gzip", cut.clone(), "decompress layer"),
            ("damaged gzip", flipped.clone(), "decompress layer"),
            ("no archive", bad_tar, "the checksum is wrong"),
            ("half an archive", half_tar, "ends in the middle"),
            ("escape", escape, "leads out of the layer"),
        ];
        for (name, blob, message) in cases {
            check(name, &Descriptor::of("", &blob), &blob, &diff_id, message);
        }
    }
}

#[test]
fn a_writer_given_up_leaves_nothing() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let archive = archive(5_000_000);
    let descriptor = Descriptor::of("", &archive);
    for length in [0, 1000, 200_000, 4_000_000, archive.len()] {
        let mut writer = store
            .layer_writer(&descriptor, &Digest::sha256_of(&archive))
            .expect("begun");
        writer.write_all(&archive[..length]).expect("written");
        drop(writer);
        assert_eq!(
            leftovers(directory.path()),
            Vec::<PathBuf>::new(),
            "after {length} bytes"
        );
    }
}

#[test]
fn eight_layers_at_once_and_one_of_them_twice() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let archives: Vec<_> = (0..8).map(|number| archive(700_000 + number)).collect();
    std::thread::scope(|scope| {
        for archive in archives.iter().chain(&archives[..1]) {
            let store = &store;
            scope.spawn(move || put_layer(store, archive, &gzip(archive), 30_000).expect("stored"));
        }
    });
    for archive in &archives {
        let layer = store
            .layer(&Digest::sha256_of(archive))
            .expect("read")
            .expect("there");
        assert_eq!(describe(&store.layer_path(&layer.diff_id)).len(), 4);
    }
    assert_eq!(
        std::fs::read_dir(directory.path().join("ingest"))
            .expect("read")
            .count(),
        0
    );
}

/// A small file system of its own, gone with the test.
struct Mounted<'path>(&'path Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        run("umount", &[self.0.to_str().expect("text")]);
    }
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let directory = Directory::new();
    let path = directory.path().to_str().expect("text");
    run(
        "mount",
        &["-t", "tmpfs", "-o", "size=6m,mode=755", "tmpfs", path],
    );
    let mounted = Mounted(directory.path());
    {
        let store = Store::open(mounted.0).expect("opened");
        // The blob fits, the files do not.
        let mut zeros = Archive::new();
        for number in 0..20 {
            zeros = zeros.file(&format!("file-{number}"), &vec![0; 1 << 20]);
        }
        let zeros = zeros.finish();
        let error = put_layer(&store, &zeros, &gzip(&zeros), 1000)
            .expect_err("too large")
            .to_string();
        assert!(
            error.contains("write file-") && error.ends_with("no space left on device"),
            "{error}"
        );
        assert_eq!(leftovers(mounted.0), Vec::<PathBuf>::new());

        // The blob itself does not fit.
        let large = archive(10 << 20);
        let error = put_layer(&store, &large, &large, 100_000)
            .expect_err("too large")
            .to_string();
        assert!(
            error.contains("blob") || error.contains("d/large"),
            "{error}"
        );
        assert!(error.ends_with("no space left on device"), "{error}");
        assert_eq!(leftovers(mounted.0), Vec::<PathBuf>::new());

        let small = archive(100_000);
        put_layer(&store, &small, &gzip(&small), 1000).expect("all the space is back");
    }
}
