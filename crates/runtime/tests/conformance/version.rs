//! config.md, "Specification version".

use serde_json::json;

use crate::bundle::Bundle;

tests!(version:
    those_of_one_major_version_are_accepted,
    what_is_not_semver_is_an_error,
    another_major_version_is_an_error,
    it_is_required,
);

/// Specification version: within a major version they are compatible.
fn those_of_one_major_version_are_accepted() {
    for version in [
        "1.0.0",
        "1.0.2-dev",
        "1.1.0",
        "1.2.0",
        "1.2.1",
        "1.0.0-rc5+build.7",
    ] {
        let mut bundle = Bundle::new("echo ran");
        bundle.set("/ociVersion", json!(version));
        assert_eq!(bundle.output(), "ran", "{version}");
    }
}

/// Specification version: it MUST be in SemVer 2.0.0 format.
fn what_is_not_semver_is_an_error() {
    for version in [
        "", "1", "1.2", "v1.2.0", "1.2.0.0", "one", "1.2.x", "1.02.0", "1.2.0-",
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/ociVersion", json!(version));
        bundle.refused();
    }
}

/// Specification version: another major version is another specification.
fn another_major_version_is_an_error() {
    for version in ["2.0.0", "11.0.0"] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/ociVersion", json!(version));
        bundle.refused();
    }
}

/// Specification version: it is required.
fn it_is_required() {
    let mut bundle = Bundle::sleeping();
    bundle.remove("/ociVersion");
    bundle.refused();
}
