//! Which crate may use which: the map of docs/architecture.md as a table.
//!
//! Dependencies point downwards only. A new edge is a change of the
//! architecture: it is made here and there, or not at all.

#[cfg(test)]
mod tests;

use crate::metadata::Metadata;

/// Every crate of the workspace, with the crates it may depend on. `oci` and
/// `sys` are allowed to all the others and use nothing here.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "tare",
        &["tare-cli", "tare-daemon", "tare-runtime", "tare-shim"],
    ),
    // Interfaces.
    ("tare-cli", &["tare-engine-api"]),
    ("tare-daemon", &["tare-engine", "tare-engine-api"]),
    ("tare-shim", &["tare-runtime"]),
    // Domain.
    (
        "tare-engine",
        &[
            "tare-distribution",
            "tare-engine-api",
            "tare-network",
            "tare-runtime",
            // The engine starts shims and speaks to them; it uses the shim's
            // client module, never its process.
            "tare-shim",
            "tare-storage",
        ],
    ),
    ("tare-runtime", &[]),
    ("tare-network", &[]),
    ("tare-storage", &[]),
    ("tare-distribution", &[]),
    // Foundations.
    ("tare-engine-api", &[]),
    ("tare-oci", &[]),
    ("tare-sys", &[]),
    // Beside the product.
    ("tare-tests", &[]),
    ("xtask", &[]),
];

const FOUNDATIONS: &[&str] = &["tare-oci", "tare-sys"];

/// One line for every edge that the table does not allow.
pub(crate) fn findings(metadata: &Metadata) -> Vec<String> {
    let mut findings = Vec::new();
    for package in metadata.members() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            findings.push(format!(
                "layering: crate {} is not in the table of xtask/src/check/layering.rs",
                package.name
            ));
            continue;
        };
        let foundation = FOUNDATIONS.contains(&package.name.as_str());
        for dependency in &package.dependencies {
            // A crate may name itself in its tests; everything else counts,
            // development dependencies too.
            let own = dependency.path.is_some() && dependency.name != package.name;
            let name = dependency.name.as_str();
            if own && !allowed.contains(&name) && (foundation || !FOUNDATIONS.contains(&name)) {
                findings.push(format!(
                    "layering: {} must not depend on {}{}",
                    package.name,
                    name,
                    dependency
                        .kind
                        .as_ref()
                        .map(|kind| format!(" ({kind} dependency)"))
                        .unwrap_or_default()
                ));
            }
        }
    }
    findings
}
