use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use tare_oci::{Descriptor, Digest};

use super::*;
use crate::fixture::{Archive, Directory, gzip};

#[test]
fn a_second_engine_is_told_where_it_went_wrong() {
    let directory = Directory::new();
    let first = Store::open(directory.path()).expect("opened");
    let error = Store::open(directory.path()).expect_err("locked");
    let root = directory.path().display();
    assert_eq!(
        error.to_string(),
        format!(
            "data root {root} is in use by another engine: stop it, or choose another with --data-root"
        )
    );
    let clone = first.clone();
    drop(first);
    assert!(Store::open(directory.path()).is_err(), "a clone keeps it");
    drop(clone);
    Store::open(directory.path()).expect("free again");
    let file = directory.path().join("file");
    fs::write(&file, b"").expect("written");
    assert!(
        Store::open(&file.join("below"))
            .expect_err("no directory")
            .to_string()
            .starts_with("open data root: create")
    );
}

#[test]
fn opening_removes_what_has_no_record() {
    let directory = Directory::new();
    let kept = Store::open(directory.path())
        .expect("opened")
        .put_blob(b"kept")
        .expect("stored");
    let hex = "0".repeat(64);
    let garbage = [
        format!("blobs/sha256/{hex}"),
        format!("layers/sha256/{hex}"),
        "containers/deadbeef".to_owned(),
        "ingest/7".to_owned(),
        "ingest/odd".to_owned(),
    ];
    for path in &garbage {
        let path = directory.path().join(path);
        fs::create_dir_all(path.join("deeper")).expect("made");
        fs::write(path.join("deeper/file"), b"x").expect("written");
    }
    let store = Store::open(directory.path()).expect("opened again");
    store.wait_for_removals();
    for path in &garbage {
        assert!(!directory.path().join(path).exists(), "{path}");
    }
    assert_eq!(
        fs::read_dir(directory.path().join("ingest"))
            .expect("read")
            .count(),
        0
    );
    assert_eq!(store.read_blob(&kept, 100).expect("kept"), b"kept");
}

/// The child of the test below: stores layers and removes images until it is
/// killed.
fn work_until_killed(root: &Path) {
    let store = Store::open(root).expect("opened");
    let mut archive = Archive::new();
    for number in 0..200 {
        archive = archive.file(
            &format!("file-{number}"),
            format!("{number}").repeat(1000).as_bytes(),
        );
    }
    let archive = archive.finish();
    let step = |name: &str| println!("step: {name}");
    step("opened");
    for round in 0_u64.. {
        let archive = [
            Archive::new()
                .file("round", &round.to_le_bytes())
                .unfinished(),
            archive.clone(),
        ]
        .concat();
        let blob = gzip(&archive);
        let descriptor = Descriptor::of("", &blob);
        let lease = store.lease();
        let mut writer = store
            .layer_writer(&descriptor, &Digest::sha256_of(&archive))
            .expect("begun");
        writer.write_all(&blob).expect("written");
        let layer = writer.finish().expect("stored");
        step("layer stored");
        let image = crate::NewImage {
            id: store
                .put_blob(format!("{round}").as_bytes())
                .expect("stored"),
            manifest: None,
            layers: vec![crate::ImageLayer {
                diff_id: layer.diff_id,
                blob: Some(descriptor.digest),
            }],
            platform: tare_oci::Platform::host(),
            created: 0,
            labels: std::collections::BTreeMap::new(),
        };
        store
            .put_image(&image, &["work".parse().expect("a reference")])
            .expect("recorded");
        step("image recorded");
        drop(lease);
        let container = format!("c{round}");
        store
            .create_snapshot(&container, &image.id, database::Durability::Relaxed)
            .expect("made");
        step("snapshot made");
        if round % 2 == 0 {
            store
                .remove_image("work", true, |_| Vec::new())
                .expect("removed");
            step("image removed");
        }
        store
            .remove_snapshot(&container, database::Durability::Relaxed)
            .expect("removed");
    }
}

/// What the rows say there is, by path.
fn recorded(store: &Store) -> BTreeSet<PathBuf> {
    let columns =
        |connection: &rusqlite::Connection| -> Result<BTreeSet<PathBuf>, database::Error> {
            let mut paths = BTreeSet::new();
            for (query, directory) in [
                ("SELECT digest FROM blobs", "blobs"),
                ("SELECT diff_id FROM layers", "layers"),
                ("SELECT container FROM snapshots", "containers"),
            ] {
                let mut statement = connection.prepare(query)?;
                for name in statement.query_map([], |row| row.get::<_, String>(0))? {
                    paths.insert(store.root().join(directory).join(name?.replace(':', "/")));
                }
            }
            Ok(paths)
        };
    store.database().read(columns).expect("read")
}

#[test]
fn killed_at_any_moment_nothing_is_lost_or_left() {
    const ROOT: &str = "TARE_STORAGE_TEST_ROOT";
    if let Some(root) = std::env::var_os(ROOT) {
        return work_until_killed(Path::new(&root));
    }
    let directory = Directory::new();
    let mut states = BTreeSet::new();
    // More rounds, with ever shorter pauses, where the machine is too fast or
    // too slow for the first to meet different moments.
    for round in 0..240_u64 {
        if round >= 24 && states.len() > 2 {
            break;
        }
        let longest = 20_000 >> (round / 24);
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "store::tests::killed_at_any_moment_nothing_is_lost_or_left",
                "--nocapture",
            ])
            .env(ROOT, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut output = std::io::BufReader::new(child.stdout.take().expect("piped"));
        // So many steps, and then somewhere within the next.
        for _ in 0..=round % 12 {
            let mut line = String::new();
            while !line.contains("step: ") {
                line.clear();
                let length = std::io::BufRead::read_line(&mut output, &mut line).expect("readable");
                assert!(length > 0, "the child ended early");
            }
        }
        std::thread::sleep(Duration::from_micros(round * 7919 % longest));
        child.kill().expect("killed");
        assert_eq!(
            child.wait().expect("ended").signal(),
            Some(9),
            "it was at work"
        );

        let store = Store::open(directory.path()).expect("opened after the kill");
        store.wait_for_removals();
        let recorded = recorded(&store);
        let found: BTreeSet<_> = crate::fixture::leftovers(directory.path())
            .into_iter()
            .collect();
        assert_eq!(found, recorded, "round {round}: files and rows agree");
        for image in store.images().expect("listed") {
            store
                .read_blob(&image.id, 100)
                .expect("the configuration is whole");
            for layer in &image.layers {
                let files = fs::read_dir(store.layer_path(&layer.diff_id))
                    .expect("unpacked")
                    .count();
                assert_eq!(files, 201, "round {round}: the layer is complete");
                store
                    .read_blob(layer.blob.as_ref().expect("known"), 1 << 30)
                    .expect("the blob is whole");
            }
        }
        states.insert((recorded.len(), store.images().expect("listed").len()));
        // A snapshot whose container died with the engine is the engine's to remove.
        let containers: Vec<String> = recorded
            .iter()
            .filter(|path| path.starts_with(directory.path().join("containers")))
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .collect();
        for container in containers {
            store
                .remove_snapshot(&container, database::Durability::Relaxed)
                .expect("removed");
        }
        for image in store.images().expect("listed") {
            store
                .remove_image(image.id.as_str(), true, |_| Vec::new())
                .expect("removed");
        }
        store.remove_unused(Duration::ZERO).expect("pruned");
        store.wait_for_removals();
        assert_eq!(
            crate::fixture::leftovers(directory.path()),
            Vec::<PathBuf>::new(),
            "round {round}: all space is back"
        );
    }
    assert!(
        states.len() > 2,
        "the kills met different moments: {states:?}"
    );
}
