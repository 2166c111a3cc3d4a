use std::process::{Command, Stdio};

use serde_json::Value;

use super::*;
use crate::config::{self, Context};

fn own(rootless: bool) -> Value {
    let has_cgroup_namespace = Layout::detect().expect("groups").hierarchies.is_empty();
    let mut spec = example(has_cgroup_namespace);
    if rootless {
        let user = rustix::process::geteuid().as_raw();
        make_rootless(&mut spec, user, rustix::process::getegid().as_raw());
    }
    serde_json::from_slice(&encode(&spec)).expect("JSON")
}

fn runcs(directory: &Path, flags: &[&str]) -> Value {
    let _ = std::fs::remove_file(directory.join("config.json"));
    let status = Command::new("runc")
        .arg("spec")
        .args(flags)
        .current_dir(directory)
        .stdin(Stdio::null())
        .status()
        .expect("runc must be installed");
    assert!(status.success());
    let text = std::fs::read(directory.join("config.json")).expect("written");
    serde_json::from_slice(&text).expect("JSON")
}

/// Where the two documents differ, as JSON pointers.
fn differences(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in names {
                let path = format!("{path}/{name}");
                let value = |object: &serde_json::Map<String, Value>| {
                    object.get(name).cloned().unwrap_or(Value::Null)
                };
                differences(&value(one), &value(other), &path, found);
            }
        }
        _ if one == other => {}
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn the_configuration_is_runcs_but_for_names() {
    let directory = std::env::temp_dir().join(format!("tare-spec-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    for (rootless, flags) in [(false, &[][..]), (true, &["--rootless"][..])] {
        let mut found = Vec::new();
        differences(&own(rootless), &runcs(&directory, flags), "", &mut found);
        // Of 1.1 only; 1.2 has them no more.
        found.retain(|path| path != "/process/capabilities/ambient");
        assert_eq!(found, ["/hostname", "/ociVersion"], "rootless: {rootless}");
    }
    std::fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn what_is_written_is_valid_and_indented_by_tabs() {
    for rootless in [false, true] {
        let mut spec = example(true);
        if rootless {
            make_rootless(&mut spec, 1000, 100);
        }
        let text = encode(&spec);
        assert!(text.starts_with(b"{\n\t\"ociVersion\": \"1."));
        let read = config::parse(&text).expect("its own form");
        assert_eq!(read, spec);
        let context = Context {
            rootless,
            ..Context::default()
        };
        config::validate(&read, &context).expect("valid");
        assert_eq!(config::warnings(&read), [""; 0]);
    }
}
