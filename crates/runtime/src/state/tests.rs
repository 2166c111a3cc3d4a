use super::*;

#[test]
fn ids_are_file_names_of_one_kind() {
    for good in ["a", "a.b", "..a", "x_y+z-1", &"i".repeat(1024)] {
        check_id(good).expect(good);
    }
    for bad in [".", "..", "a/b", "a b", "ä", "a\0", &"i".repeat(1025)] {
        assert!(matches!(check_id(bad), Err(Error::InvalidId(_))), "{bad}");
    }
    assert!(matches!(check_id(""), Err(Error::EmptyId)));
}

#[test]
fn a_private_root_is_the_callers_own() {
    let place = std::env::temp_dir().join(format!("tare-private-{}", std::process::id()));
    fs::create_dir(&place).expect("a directory");
    let root = place.join("root");
    let store = Store::private(root.clone());
    assert_eq!(store.ids().expect("nothing is there"), []);
    store.claim("x").expect("free");
    let mode = fs::metadata(&root).expect("made").mode() & 0o7777;
    assert_eq!(mode, 0o1700);
    let refused = || {
        let results = [
            store.claim("y").err(),
            store.entry("x").err(),
            store.ids().err(),
        ];
        results
            .iter()
            .all(|error| matches!(error, Some(Error::NotPrivate { .. })))
    };
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(&root, open).expect("its owner may");
    assert!(refused(), "others may write");
    fs::rename(&root, place.join("other")).expect("moved");
    std::os::unix::fs::symlink(place.join("other"), &root).expect("a link");
    assert!(refused(), "a link");
    fs::remove_dir_all(&place).expect("clean");
}

#[test]
fn an_id_is_claimed_once() {
    let root = std::env::temp_dir().join(format!("tare-state-{}", std::process::id()));
    let store = Store::new(root.join("a/b"));
    assert!(matches!(store.entry("x"), Err(Error::Missing)));
    assert_eq!(store.ids().expect("readable"), []);
    let entry = store.claim("x").expect("free");
    assert!(matches!(store.claim("x"), Err(Error::Exists)));
    assert!(matches!(entry.read_state(), Err(Error::Missing)));
    let ids = store.ids().expect("readable");
    assert_eq!(ids.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ["x"]);
    entry.remove().expect("removed");
    entry.remove().expect("removed again");
    fs::remove_dir_all(&root).expect("clean");
}
