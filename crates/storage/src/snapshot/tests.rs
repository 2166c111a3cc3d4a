use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tare_oci::Platform;

use super::*;
use crate::fixture::{Archive, Directory, leftovers, put_layer};
use crate::{ImageLayer, NewImage};

fn put(store: &Store, archives: &[Vec<u8>]) -> Digest {
    let layers = archives.iter().map(|archive| {
        let layer = put_layer(store, archive, archive, 1000).expect("stored");
        // Stored uncompressed, so the blob has the same digest.
        ImageLayer {
            blob: Some(layer.diff_id.clone()),
            diff_id: layer.diff_id,
        }
    });
    let image = NewImage {
        layers: layers.collect(),
        id: store
            .put_blob(format!("{}", archives.len()).as_bytes())
            .expect("stored"),
        manifest: None,
        platform: Platform::host(),
        created: 0,
        labels: BTreeMap::new(),
    };
    store.put_image(&image, &[]).expect("recorded");
    image.id
}

#[test]
fn layers_are_topmost_first_and_the_root_is_the_images() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let bottom = Archive::new().file("bottom", b"").finish();
    let middle = Archive::new()
        .file(".wh..wh..opq", b"")
        .file("middle", b"")
        .finish();
    let top = Archive::new()
        .mode(0o1750)
        .owner(12, 34)
        .directory("./")
        .file("top", b"")
        .finish();
    let names = |snapshot: &Snapshot| -> Vec<String> {
        let name = |path: &PathBuf| {
            let mut entries = std::fs::read_dir(path).expect("read");
            entries.next().map_or("none".to_owned(), |entry| {
                entry
                    .expect("entry")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
        };
        snapshot.lower.iter().map(name).collect()
    };
    let plain = put(&store, &[bottom.clone(), top.clone()]);
    let snapshot = store
        .create_snapshot("plain", &plain, Durability::Synced)
        .expect("made");
    assert_eq!(names(&snapshot), ["top", "bottom"]);
    let upper = std::fs::metadata(&snapshot.upper).expect("there");
    assert_eq!(
        (upper.mode() & 0o7777, upper.uid(), upper.gid()),
        (0o1750, 12, 34)
    );
    assert_eq!(
        std::fs::metadata(&snapshot.work)
            .expect("there")
            .permissions()
            .mode()
            & 0o7777,
        0o700
    );

    let opaque = put(&store, &[bottom, middle, top]);
    let snapshot = store
        .create_snapshot("opaque", &opaque, Durability::Relaxed)
        .expect("made");
    assert_eq!(
        names(&snapshot),
        ["top", "middle"],
        "an opaque root hides what is below"
    );

    let scratch = put(&store, &[]);
    let snapshot = store
        .create_snapshot("scratch", &scratch, Durability::Relaxed)
        .expect("made");
    assert_eq!(names(&snapshot), ["none"]);
    assert_eq!(store.snapshot("scratch").expect("there"), snapshot);
}

#[test]
fn refuses_what_cannot_be() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let image = put(&store, &[]);
    for id in ["", ".", "..", "a/b", "../up", "a\0b", &"x".repeat(129)] {
        let refused = store.create_snapshot(id, &image, Durability::Relaxed);
        assert!(matches!(refused, Err(Error::InvalidId { .. })), "{id:?}");
    }
    let unknown = Digest::sha256_of(b"unknown");
    let refused = store.create_snapshot("c", &unknown, Durability::Relaxed);
    assert_eq!(
        refused.expect_err("unknown").to_string(),
        format!("No such image: {unknown}")
    );
    assert!(!directory.path().join("containers/c").exists());
    store
        .create_snapshot("c", &image, Durability::Relaxed)
        .expect("made");
    assert!(matches!(
        store.create_snapshot("c", &image, Durability::Relaxed),
        Err(Error::Exists { .. })
    ));
    assert!(store.snapshot("c").is_ok(), "the first is unharmed");
    assert!(matches!(store.snapshot("d"), Err(Error::NotFound { .. })));
    assert!(
        !store
            .remove_snapshot("d", Durability::Relaxed)
            .expect("nothing to do")
    );
}

#[test]
fn removal_takes_the_directory_and_an_image_that_waited_for_it() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let image = put(&store, &[Archive::new().file("f", b"").finish()]);
    for container in ["a", "b"] {
        let snapshot = store
            .create_snapshot(container, &image, Durability::Synced)
            .expect("made");
        std::fs::create_dir_all(snapshot.upper.join("d")).expect("made");
        std::fs::write(snapshot.upper.join("d/f"), b"12345").expect("written");
        std::fs::write(snapshot.directory.join("log"), b"x").expect("written");
    }
    assert_eq!(store.snapshot_size("a").expect("measured"), 5);
    let id = image.to_string();
    store
        .remove_image(&id, true, |_| Vec::new())
        .expect("removed");
    assert!(
        store
            .remove_snapshot("a", Durability::Relaxed)
            .expect("removed")
    );
    assert!(!directory.path().join("containers/a").exists());
    assert!(
        store.snapshot("b").expect("there").lower[0]
            .join("f")
            .exists()
    );
    assert!(
        store
            .remove_snapshot("b", Durability::Synced)
            .expect("removed")
    );
    store.wait_for_removals();
    assert_eq!(leftovers(directory.path()), Vec::<PathBuf>::new());
}

#[test]
fn directories_lost_in_a_power_cut_are_made_again() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let image = put(&store, &[]);
    let snapshot = store
        .create_snapshot("c", &image, Durability::Synced)
        .expect("made");
    std::fs::remove_dir_all(&snapshot.directory).expect("lost");
    assert_eq!(store.snapshot("c").expect("made again"), snapshot);
    assert!(snapshot.upper.is_dir() && snapshot.work.is_dir());
}
