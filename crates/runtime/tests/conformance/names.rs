//! config.md, "Hostname" and "Domainname".

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;

tests!(names:
    hostname_is_seen_inside_and_only_there,
    domainname_is_seen_inside_and_only_there,
    hostname_is_the_hosts_when_it_is_not_set,
    hostname_without_a_namespace_does_not_change_the_hosts,
    domainname_without_a_namespace_does_not_change_the_hosts,
    a_hostname_that_is_too_long_is_an_error,
);

fn host(name: &str) -> String {
    let path = format!("/proc/sys/kernel/{name}");
    let text = fs::read_to_string(path).expect("a name");
    text.trim_end().to_owned()
}

/// Hostname: it is the name as processes in the container see it.
fn hostname_is_seen_inside_and_only_there() {
    let before = host("hostname");
    let mut bundle = Bundle::new("hostname");
    bundle.set("/hostname", json!("inside.example"));
    assert_eq!(bundle.output(), "inside.example");
    assert_eq!(host("hostname"), before);
}

/// Domainname: likewise.
fn domainname_is_seen_inside_and_only_there() {
    let before = host("domainname");
    let mut bundle = Bundle::new("cat /proc/sys/kernel/domainname");
    bundle.set("/domainname", json!("domain.example"));
    assert_eq!(bundle.output(), "domain.example");
    assert_eq!(host("domainname"), before);
}

/// Hostname: it is optional; a new namespace begins with the host's.
fn hostname_is_the_hosts_when_it_is_not_set() {
    assert_eq!(Bundle::new("hostname").output(), host("hostname"));
}

/// Hostname: the namespace may be the runtime's; a container must not rename
/// the host by accident, so that is an error.
fn hostname_without_a_namespace_does_not_change_the_hosts() {
    let before = host("hostname");
    let mut bundle = Bundle::sleeping();
    bundle.without_namespace("uts");
    bundle.set("/hostname", json!("outside"));
    bundle.refused();
    assert_eq!(host("hostname"), before);
}

/// Domainname: likewise.
fn domainname_without_a_namespace_does_not_change_the_hosts() {
    let before = host("domainname");
    let mut bundle = Bundle::sleeping();
    bundle.without_namespace("uts");
    bundle.set("/domainname", json!("outside"));
    bundle.refused();
    assert_eq!(host("domainname"), before);
}

/// Valid values: the kernel's limit is 64 bytes.
fn a_hostname_that_is_too_long_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/hostname", json!("x".repeat(65)));
    bundle.refused();
}
