//! What is accepted as other runtimes accept it, but not without a word.

use tare_oci::runtime::{NamespaceKind, Spec};

use super::namespaces::path_of;
use crate::capability;

/// Warnings about a configuration that [`validate`](super::validate) accepts,
/// each one line. Where runc has the same its text is runc's.
#[must_use]
pub fn warnings(spec: &Spec) -> Vec<String> {
    let mut warnings = Vec::new();
    for mount in &spec.mounts {
        if !mount.destination.starts_with('/') {
            warnings.push(format!(
                "mount destination {} is not absolute. Support for non-absolute mount \
                 destinations will be removed in a future release.",
                mount.destination.escape_default()
            ));
        }
    }
    let unknown = unknown_capabilities(spec);
    if !unknown.is_empty() {
        warnings.push(format!(
            "ignoring unknown or unavailable capabilities: [{}]",
            unknown.join(" ").escape_default()
        ));
    }
    let Some(linux) = &spec.linux else {
        return warnings;
    };
    // containerd and CRI-O send the mappings of a namespace together with its
    // path, because old runtimes wanted them.
    let joins = linux
        .namespaces
        .iter()
        .any(|namespace| namespace.kind == NamespaceKind::User && path_of(namespace).is_some());
    if joins && !(linux.uid_mappings.is_empty() && linux.gid_mappings.is_empty()) {
        warnings.push(
            "config.json has both a user namespace to join and ID mappings: those of the \
             namespace count"
                .to_owned(),
        );
    }
    let memory = linux
        .resources
        .as_ref()
        .and_then(|resources| resources.memory.as_ref());
    if memory.is_some_and(|memory| memory.kernel.is_some()) {
        warnings.push("Kernel memory settings are ignored and will be removed".to_owned());
    }
    warnings
}

/// Names of capabilities that are none, once each, in the order of the sets.
fn unknown_capabilities(spec: &Spec) -> Vec<&str> {
    let sets = spec
        .process
        .iter()
        .flat_map(|process| &process.capabilities)
        .flat_map(|sets| {
            [
                &sets.bounding,
                &sets.effective,
                &sets.inheritable,
                &sets.permitted,
                &sets.ambient,
            ]
        });
    let mut unknown: Vec<&str> = Vec::new();
    for name in sets.flatten() {
        if capability::number(name).is_none() && !unknown.contains(&name.as_str()) {
            unknown.push(name);
        }
    }
    unknown
}
