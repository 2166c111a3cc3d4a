//! Test programs that need nothing but a kernel and busybox: they run in the
//! machine as they run here.

use crate::process::output;
use crate::workspace::cargo;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::PathBuf;

/// Package and name of the integration tests, and what they are called inside.
const SUITES: &[(&str, &str, &str)] = &[("tare-runtime", "containers", "runtime")];

/// A test program.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) executable: PathBuf,
}

/// What cargo says about one artifact; the rest of its messages is skipped.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The test programs, as the last build of the workspace left them.
pub(super) fn executables() -> Result<Vec<Suite>> {
    let messages = output(cargo().args([
        "build",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--message-format=json",
    ]))?;
    SUITES
        .iter()
        .map(|(package, target, name)| {
            let executable = find(&messages, package, target)
                .with_context(|| format!("{package} has no tests called {target}"))?;
            Ok(Suite { name, executable })
        })
        .collect()
}

fn find(messages: &str, package: &str, target: &str) -> Option<PathBuf> {
    let directory = format!("/crates/{}#", package.trim_start_matches("tare-"));
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter(|artifact| {
            artifact.package_id.contains(&directory)
                && artifact.target.name == target
                && artifact.target.kind == ["test"]
        })
        .find_map(|artifact| artifact.executable)
}

#[cfg(test)]
mod tests {
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
}
