use super::*;

#[test]
fn test_program_among_the_messages() {
    let messages = r#"
{"reason":"compiler-artifact","package_id":"path+file:///src/crates/runtime#tare-runtime@0.1.0","target":{"kind":["lib"],"name":"tare_runtime"},"executable":null}
{"reason":"compiler-artifact","package_id":"path+file:///src/crates/shim#tare-shim@0.1.0","target":{"kind":["test"],"name":"containers"},"executable":"/wrong"}
{"reason":"compiler-artifact","package_id":"path+file:///src/crates/runtime#tare-runtime@0.1.0","target":{"kind":["test"],"name":"containers"},"executable":"/right"}
{"reason":"build-finished","success":true}
"#;
    assert_eq!(
        find(messages, "tare-runtime", "containers"),
        Some(PathBuf::from("/right"))
    );
    assert_eq!(find(messages, "tare-runtime", "others"), None);
}
