use super::findings;
use crate::metadata::{Dependency, Metadata, Package};

fn workspace(edges: &[(&str, &str, Option<&str>)]) -> Metadata {
    let mut packages: Vec<Package> = Vec::new();
    for (from, to, kind) in edges {
        for name in [from, to] {
            if !packages.iter().any(|package| package.name == **name) {
                packages.push(Package {
                    id: (*name).to_owned(),
                    name: (*name).to_owned(),
                    version: "0.1.0".to_owned(),
                    license: None,
                    source: None,
                    dependencies: Vec::new(),
                });
            }
        }
        if let Some(package) = packages.iter_mut().find(|package| package.name == *from) {
            package.dependencies.push(Dependency {
                name: (*to).to_owned(),
                kind: kind.map(str::to_owned),
                path: Some(format!("crates/{to}")),
            });
        }
    }
    Metadata {
        workspace_members: packages.iter().map(|package| package.id.clone()).collect(),
        packages,
    }
}

#[test]
fn the_table_decides_every_edge() {
    let table = [
        ("tare-cli", "tare-engine-api", None, true),
        ("tare-cli", "tare-engine", None, false),
        ("tare-cli", "tare-sys", None, true),
        ("tare-daemon", "tare-storage", None, false),
        ("tare-engine", "tare-storage", None, true),
        ("tare-engine", "tare-daemon", None, false),
        ("tare-runtime", "tare-shim", None, false),
        ("tare-runtime", "tare-storage", Some("dev"), false),
        ("tare-storage", "tare-oci", None, true),
        ("tare-oci", "tare-sys", None, false),
        ("tare-sys", "tare-oci", None, false),
        ("tare-sys", "tare-engine-api", Some("build"), false),
        ("tare-tests", "tare-engine", Some("dev"), false),
    ];
    for (from, to, kind, allowed) in table {
        let found = findings(&workspace(&[(from, to, kind)]));
        assert_eq!(found.is_empty(), allowed, "{from} → {to}: {found:?}");
        if !allowed {
            assert!(
                found[0].contains(from) && found[0].contains(to),
                "{found:?}"
            );
        }
    }
}

#[test]
fn an_unknown_crate_is_reported() {
    let found = findings(&workspace(&[("tare-common", "tare-oci", None)]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("tare-common"), "{found:?}");
}

#[test]
fn this_workspace_obeys() {
    let metadata = Metadata::read().expect("cargo metadata");
    assert_eq!(findings(&metadata), Vec::<String>::new());
}
