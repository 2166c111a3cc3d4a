use super::{LIMIT, findings};

#[test]
fn a_long_file_is_found_and_a_short_one_is_not() {
    let root = std::env::temp_dir().join(format!("xtask-sizes-{}", std::process::id()));
    let nested = root.join("crates/a/src");
    std::fs::create_dir_all(&nested).expect("directory");
    std::fs::write(nested.join("long.rs"), "//\n".repeat(LIMIT + 1)).expect("file");
    std::fs::write(nested.join("short.rs"), "//\n".repeat(LIMIT)).expect("file");
    std::fs::write(nested.join("long.txt"), "//\n".repeat(LIMIT + 1)).expect("file");
    let found = findings(&root);
    std::fs::remove_dir_all(&root).expect("removal");
    let found = found.expect("findings");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("crates/a/src/long.rs has 801 lines"),
        "{found:?}"
    );
}

#[test]
fn this_repository_obeys() {
    let found = findings(&crate::workspace::root()).expect("findings");
    assert_eq!(found, Vec::<String>::new());
}
