use std::time::Duration;

use super::*;
use crate::Durability;
use crate::fixture::{Archive, Directory, gzip, leftovers, put_layer};
use crate::store::Store;

/// An image of layers that hold one file of that name each.
fn put(store: &Store, layers: &[&str], configuration: &str, references: &[&str]) -> Digest {
    let lease = store.lease();
    let layers = layers.iter().map(|name| {
        let archive = Archive::new().file(name, name.as_bytes()).finish();
        let layer = put_layer(store, &archive, &gzip(&archive), 1000).expect("stored");
        ImageLayer {
            diff_id: layer.diff_id,
            blob: Some(Digest::sha256_of(&gzip(&archive))),
        }
    });
    let image = NewImage {
        layers: layers.collect(),
        id: store.put_blob(configuration.as_bytes()).expect("stored"),
        manifest: Some(
            store
                .put_blob(format!("manifest of {configuration}").as_bytes())
                .expect("stored"),
        ),
        platform: Platform::new("linux", "amd64", None),
        created: configuration.len().try_into().expect("small"),
        labels: BTreeMap::from([("a".to_owned(), "\"b\"".to_owned())]),
    };
    let references: Vec<Reference> = references
        .iter()
        .map(|text| text.parse().expect("a reference"))
        .collect();
    store.put_image(&image, &references).expect("recorded");
    drop(lease);
    image.id
}

fn nobody(_: &Digest) -> Vec<ImageUser> {
    Vec::new()
}

/// What a removal did, in short: names as they are, digests as their letter.
fn done(removed: Vec<Removed>, names: &[(&Digest, &str)]) -> Vec<String> {
    let name = |digest: &Digest| {
        let known = names.iter().find(|(known, _)| *known == digest);
        known.map_or("layer".to_owned(), |(_, name)| (*name).to_owned())
    };
    let text = |removed| match removed {
        Removed::Untagged(name) => format!(
            "untagged {}",
            name.split("sha256:").next().unwrap_or_default()
        ),
        Removed::Deleted(digest) => format!("deleted {}", name(&digest)),
    };
    removed.into_iter().map(text).collect()
}

const PINNED: &str = "@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn recorded_images_are_found_and_listed() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let old = put(
        &store,
        &["a", "b"],
        "{old}",
        &["busybox", &format!("busybox{PINNED}")],
    );
    let new = put(&store, &["a"], "{newer}", &["localhost:5000/team/app:v1"]);
    let names = [
        ("busybox", &old),
        ("busybox:latest", &old),
        ("docker.io/library/busybox", &old),
        (&format!("busybox:other{PINNED}"), &old),
        ("localhost:5000/team/app:v1", &new),
        (old.as_str(), &old),
        (new.hex(), &new),
        (new.short(), &new),
        (&new.as_str()[..12], &new),
    ];
    for (name, id) in names {
        assert_eq!(store.resolve(name).expect(name), *id, "{name}");
    }
    let missing = "0".repeat(64);
    let errors = [
        ("nothing", "No such image: nothing:latest"),
        ("busybox:1", "No such image: busybox:1"),
        (&missing, &format!("No such image: sha256:{missing}")),
        (
            "localhost:5000/team/app",
            "No such image: localhost:5000/team/app:latest",
        ),
        (
            "Busybox",
            "invalid reference format: repository name (Busybox) must be lowercase",
        ),
        ("", "invalid reference format"),
    ];
    for (name, message) in errors {
        assert_eq!(
            store.resolve(name).expect_err(name).to_string(),
            message,
            "{name}"
        );
    }
    let images = store.images().expect("listed");
    assert_eq!(
        images.iter().map(|image| &image.id).collect::<Vec<_>>(),
        [&new, &old]
    );
    assert_eq!(
        images[1]
            .references
            .iter()
            .map(Reference::familiar)
            .collect::<Vec<_>>(),
        ["busybox:latest", &format!("busybox{PINNED}")]
    );
    assert_eq!((images[1].size, images[1].layers.len()), (2, 2));
    assert_eq!(
        (
            images[1].labels["a"].as_str(),
            images[1].platform.to_string()
        ),
        ("\"b\"", "linux/amd64".to_owned())
    );

    // A tag moves; the image it leaves stays, dangling.
    store
        .tag(&new, &"busybox".parse().expect("a reference"))
        .expect("tagged");
    assert_eq!(store.resolve("busybox").expect("found"), new);
    assert!(
        store
            .untag(&format!("busybox{PINNED}").parse().expect("a reference"))
            .expect("untagged")
    );
    assert!(
        !store
            .untag(&format!("busybox{PINNED}").parse().expect("a reference"))
            .expect("gone already")
    );
    assert!(
        store
            .image(&old)
            .expect("still there")
            .references
            .is_empty()
    );
    let unknown = Digest::sha256_of(b"unknown");
    assert!(matches!(
        store.tag(&unknown, &"x".parse().expect("a reference")),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn an_ambiguous_prefix_is_an_error() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    // Seventeen IDs cannot all begin with different characters.
    let ids: Vec<_> = (0..17)
        .map(|number| put(&store, &[], &format!("{{{number}}}"), &[]))
        .collect();
    let first = |id: &Digest| id.hex()[..1].to_owned();
    let shared = ids
        .iter()
        .map(first)
        .find(|one| ids.iter().filter(|id| first(id) == *one).count() > 1);
    let shared = shared.expect("two that begin alike");
    assert!(matches!(
        store.resolve(&shared),
        Err(Error::Ambiguous { count: 2.., .. })
    ));
}

#[test]
fn incomplete_images_are_not_recorded() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let here = store.put_blob(b"{}").expect("stored");
    let gone = Digest::sha256_of(b"gone");
    let image = |id: &Digest, manifest: Option<&Digest>, layer: Option<&Digest>| NewImage {
        id: id.clone(),
        manifest: manifest.cloned(),
        layers: layer
            .map(|diff_id| ImageLayer {
                diff_id: diff_id.clone(),
                blob: None,
            })
            .into_iter()
            .collect(),
        platform: Platform::default(),
        created: 0,
        labels: BTreeMap::new(),
    };
    for image in [
        image(&gone, None, None),
        image(&here, Some(&gone), None),
        image(&here, None, Some(&gone)),
    ] {
        let error = store.put_image(&image, &[]).expect_err("incomplete");
        assert!(
            matches!(&error, Error::Incomplete { missing, .. } if *missing == gone),
            "{error}"
        );
        assert!(store.images().expect("listed").is_empty());
    }
}

#[test]
fn removal_follows_dockers_rules() {
    let pinned = format!("one{PINNED}");
    let user = |running| {
        move |_: &Digest| {
            vec![ImageUser {
                container: "c0ffee".repeat(8),
                running,
            }]
        }
    };
    // Names, what is removed, by force, with which user; what happens.
    type Case<'case> = (
        &'case [&'case str],
        &'case str,
        bool,
        Option<bool>,
        Result<&'case [&'case str], &'case str>,
    );
    let all = [
        "untagged one:latest",
        "untagged one@",
        "deleted image",
        "deleted layer",
        "deleted layer",
    ];
    let cases: [Case<'_>; 15] = [
        (&["one", &pinned], "one", false, None, Ok(&all)),
        (&["one", &pinned], "ID", false, None, Ok(&all)),
        (
            &["one", &pinned, "one:two"],
            "one:two",
            false,
            None,
            Ok(&["untagged one:two"]),
        ),
        (
            &["one", &pinned, "two"],
            "one",
            false,
            None,
            Ok(&["untagged one:latest", "untagged one@"]),
        ),
        (
            &["one", "two"],
            "ID",
            false,
            None,
            Err(
                "conflict: unable to delete IMAGE (must be forced) - image is referenced in multiple repositories",
            ),
        ),
        (
            &["one", "two"],
            "ID",
            true,
            None,
            Ok(&[
                "untagged one:latest",
                "untagged two:latest",
                "deleted image",
                "deleted layer",
                "deleted layer",
            ]),
        ),
        (
            &[],
            "ID",
            false,
            None,
            Ok(&["deleted image", "deleted layer", "deleted layer"]),
        ),
        (
            &["one"],
            "one",
            false,
            Some(false),
            Err(
                "conflict: unable to remove repository reference \"one\" (must force) - \
             container c0ffeec0ffee is using its referenced image IMAGE",
            ),
        ),
        (
            &["one", "two"],
            "one",
            false,
            Some(true),
            Ok(&["untagged one:latest"]),
        ),
        (
            &["one"],
            "one",
            true,
            Some(true),
            Ok(&["untagged one:latest"]),
        ),
        (
            &["one"],
            "ID",
            false,
            Some(false),
            Err("conflict: unable to delete IMAGE (must be forced) - \
             image is being used by stopped container c0ffeec0ffee"),
        ),
        (
            &["one"],
            "ID",
            true,
            Some(false),
            Ok(&[
                "untagged one:latest",
                "deleted image",
                "deleted layer",
                "deleted layer",
            ]),
        ),
        (
            &["one"],
            "ID",
            true,
            Some(true),
            Err("conflict: unable to delete IMAGE (cannot be forced) - \
             image is being used by running container c0ffeec0ffee"),
        ),
        (
            &["one", &pinned],
            &pinned,
            false,
            None,
            Ok(&["untagged one@"]),
        ),
        (
            &["one"],
            "two",
            false,
            None,
            Err("No such image: two:latest"),
        ),
    ];
    for (position, (names, name, force, running, expected)) in cases.into_iter().enumerate() {
        let directory = Directory::new();
        let store = Store::open(directory.path()).expect("opened");
        let id = put(&store, &["a", "b"], "{}", names);
        let name = if name == "ID" { id.short() } else { name };
        let removed = match running {
            Some(running) => store.remove_image(name, force, user(running)),
            None => store.remove_image(name, force, nobody),
        };
        match expected {
            Ok(expected) => {
                let removed = removed.unwrap_or_else(|error| panic!("case {position}: {error}"));
                assert_eq!(
                    done(removed, &[(&id, "image")]),
                    expected,
                    "case {position}"
                );
                let is_deleted = expected.contains(&"deleted image");
                assert_eq!(store.image(&id).is_err(), is_deleted, "case {position}");
                assert_eq!(
                    leftovers(directory.path()).is_empty(),
                    is_deleted,
                    "case {position}"
                );
            }
            Err(message) => {
                let error = removed.expect_err("refused").to_string();
                assert_eq!(
                    error,
                    message.replace("IMAGE", id.short()),
                    "case {position}"
                );
                assert_eq!(
                    store.image(&id).expect("still there").references.len(),
                    names.len(),
                    "case {position}"
                );
            }
        }
    }
}

#[test]
fn shared_layers_go_with_the_last_image() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let small = put(&store, &["base"], "{small}", &["small"]);
    let large = put(&store, &["base", "top"], "{large}", &["large"]);
    // The same layer in another place is the same directory, in another chain.
    let turned = put(&store, &["top", "base"], "{turned}", &["turned"]);
    let removed = store.remove_image("large", false, nobody).expect("removed");
    assert_eq!(
        done(removed, &[(&large, "image")]),
        ["untagged large:latest", "deleted image", "deleted layer"]
    );
    assert_eq!(
        std::fs::read_dir(directory.path().join("layers/sha256"))
            .expect("read")
            .count(),
        2
    );
    store
        .remove_image("turned", false, nobody)
        .expect("removed");
    assert_eq!(
        std::fs::read_dir(directory.path().join("layers/sha256"))
            .expect("read")
            .count(),
        1
    );
    store
        .remove_image(small.as_str(), false, nobody)
        .expect("removed");
    assert_eq!(
        leftovers(directory.path()),
        Vec::<std::path::PathBuf>::new()
    );
    assert!(store.image(&turned).is_err());
}

#[test]
fn a_lease_holds_layers_for_an_image_to_come() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let id = put(&store, &["base", "top"], "{}", &["one"]);
    let image = store.image(&id).expect("there");
    let lease = store.lease();
    let second = store.lease();
    store.remove_image("one", false, nobody).expect("removed");
    assert_eq!(
        store
            .remove_unused(Duration::ZERO)
            .expect("refused for now"),
        0
    );
    drop(second);
    for layer in &image.layers {
        assert!(store.has_layer(&layer.diff_id).expect("read"), "held");
    }
    // An image that needs one of them comes, then the lease goes.
    let kept = put(&store, &["base"], "{kept}", &["two"]);
    drop(lease);
    let here: Vec<_> = image
        .layers
        .iter()
        .map(|layer| store.has_layer(&layer.diff_id).expect("read"))
        .collect();
    assert_eq!(here, [true, false]);
    assert_eq!(store.image(&kept).expect("there").layers.len(), 1);
}

#[test]
fn what_never_got_an_image_goes_with_a_prune() {
    let directory = Directory::new();
    let archive = Archive::new().file("f", b"12345").finish();
    let blob = gzip(&archive);
    {
        let store = Store::open(directory.path()).expect("opened");
        put(&store, &["used"], "{}", &["one"]);
        put_layer(&store, &archive, &blob, 1000).expect("stored");
    }
    let store = Store::open(directory.path()).expect("opened again");
    assert!(
        store.has_layer(&Digest::sha256_of(&archive)).expect("read"),
        "an open does not take it at once"
    );
    assert_eq!(
        store
            .remove_unused(Duration::from_secs(3600))
            .expect("pruned"),
        0
    );
    assert_eq!(
        store.remove_unused(Duration::ZERO).expect("pruned"),
        blob.len() as u64
    );
    assert!(!store.has_layer(&Digest::sha256_of(&archive)).expect("read"));
    assert!(!store.layer_path(&Digest::sha256_of(&archive)).exists());
    // A layer, its blob, a configuration and a manifest.
    assert_eq!(leftovers(directory.path()).len(), 4);
}

#[test]
fn put_again_after_removal_under_a_snapshot() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let id = put(&store, &["a"], "{}", &["one"]);
    store
        .create_snapshot("c1", &id, Durability::Relaxed)
        .expect("made");
    store.remove_image("one", true, nobody).expect("removed");
    assert!(store.image(&id).is_err() && store.resolve("one").is_err());
    assert!(store.images().expect("listed").is_empty());
    assert!(
        store
            .create_snapshot("c2", &id, Durability::Relaxed)
            .is_err(),
        "no new ones"
    );
    assert!(
        store.snapshot("c1").expect("there").lower[0]
            .join("a")
            .exists(),
        "the container keeps its files"
    );
    put(&store, &["a"], "{}", &["again"]);
    assert_eq!(store.resolve("again").expect("found"), id);
    store
        .remove_snapshot("c1", Durability::Relaxed)
        .expect("removed");
    assert!(store.image(&id).is_ok(), "it is an image again");
}
