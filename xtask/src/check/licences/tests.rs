use super::Policy;
use crate::metadata::{Metadata, Package};

const POLICY: &str = r#"
[licenses]
allow = [
  "Apache-2.0",
  # a comment with "Quotes"
  "MIT",
  "Apache-2.0 WITH LLVM-exception",
]
[bans]
deny = [
  { crate = "ring", reason = "one provider" },
]
[sources]
allow-registry = ["https://github.com/rust-lang/crates.io-index"]
"#;

fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Metadata {
    Metadata {
        packages: vec![Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            dependencies: Vec::new(),
        }],
        workspace_members: Vec::new(),
    }
}

#[test]
fn expressions_are_satisfied_or_refused() {
    let policy = Policy::parse(POLICY).expect("policy");
    let table = [
        ("MIT", true),
        ("Quotes", false),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0-only", false),
        ("(GPL-3.0-only OR MIT) AND Apache-2.0", true),
        ("(GPL-3.0-only OR LGPL-2.1-only) AND Apache-2.0", false),
        ("GPL-3.0-only OR MIT AND Apache-2.0", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("", false),
        ("(MIT", false),
    ];
    for (expression, allowed) in table {
        assert_eq!(policy.allows(expression), allowed, "{expression}");
    }
}

#[test]
fn banned_crates_unknown_sources_and_silence_are_found() {
    let policy = Policy::parse(POLICY).expect("policy");
    let registry = Some("registry+https://github.com/rust-lang/crates.io-index");
    let table = [
        (package("serde", Some("MIT"), registry), None),
        (package("ring", Some("MIT"), registry), Some("bans: ring")),
        (package("serde", None, registry), Some("licences: serde")),
        (
            package("serde", Some("MIT"), Some("git+https://example.org/serde")),
            Some("sources: serde"),
        ),
    ];
    for (metadata, expected) in table {
        let found = policy.findings(&metadata);
        match expected {
            None => assert!(found.is_empty(), "{found:?}"),
            Some(start) => assert!(found.len() == 1 && found[0].starts_with(start), "{found:?}"),
        }
    }
}

#[test]
fn a_policy_without_its_lists_is_refused() {
    Policy::parse("[licenses]\nallow = [\"MIT\"]\n").expect_err("no bans, no sources");
}

#[test]
fn this_workspace_obeys() {
    let text =
        std::fs::read_to_string(crate::workspace::root().join("deny.toml")).expect("deny.toml");
    let policy = Policy::parse(&text).expect("policy");
    let metadata = Metadata::read().expect("cargo metadata");
    assert!(metadata.packages.len() > 100, "{}", metadata.packages.len());
    assert_eq!(policy.findings(&metadata), Vec::<String>::new());
}
