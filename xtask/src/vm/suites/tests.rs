use super::*;

#[test]
fn programs_among_the_messages() {
    let messages = [
        ("runtime", "lib", "tare_runtime", false, None),
        ("shim", "test", "containers", true, Some("/other-package")),
        ("runtime", "test", "containers", true, Some("/containers")),
        ("runtime", "bin", "helper", true, Some("/unit-tests")),
        ("runtime", "bin", "helper", false, Some("/helper")),
    ]
    .map(|(package, kind, name, test, executable)| {
        serde_json::json!({
            "reason": "compiler-artifact",
            "package_id": format!("path+file:///src/crates/{package}#tare-{package}@0.1.0"),
            "target": {"kind": [kind], "name": name},
            "profile": {"test": test},
            "executable": executable,
        })
        .to_string()
    })
    .join("\n");
    let messages = format!("{messages}\n{{\"reason\":\"build-finished\",\"success\":true}}\n");
    let find = |kind: &str, name: &str| {
        find(&messages, "tare-runtime", |target| {
            target.kind == [kind] && target.name == name
        })
    };
    assert_eq!(find("test", "containers"), [PathBuf::from("/containers")]);
    assert_eq!(find("bin", "helper"), [PathBuf::from("/helper")]);
    assert!(find("test", "others").is_empty());
}
