//! The engine's images against a real store, Debian's `docker-registry` and skopeo.

mod broken;
mod embedded;
mod load;
mod names;
mod pull;
mod stage;

#[path = "../../../distribution/tests/registry/image.rs"]
#[allow(
    dead_code,
    reason = "this program needs part of what the registry client's tests need"
)]
mod image;
#[path = "../../../distribution/tests/registry/proxy.rs"]
#[allow(
    dead_code,
    reason = "this program needs part of what the registry client's tests need"
)]
mod proxy;
#[path = "../../../distribution/tests/registry/registry.rs"]
#[allow(
    dead_code,
    reason = "this program needs part of what the registry client's tests need"
)]
mod registry;
