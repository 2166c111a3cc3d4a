//! How many descriptors may be open: a handful for each container and each
//! client, so the engine wants all that it can have. Its containers get what
//! the engine was started with: programs that walk through all possible
//! descriptors would otherwise be slow.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tare_oci::runtime::ResourceLimit;

/// The name of the limit in a container's configuration.
pub(crate) const KIND: &str = "RLIMIT_NOFILE";

/// Raises the engine's soft limit to the hard one; returns both as they were.
pub(crate) fn raise() -> ResourceLimit {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        maximum: before.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open descriptors could not be raised");
    }
    let number = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    ResourceLimit {
        kind: KIND.to_owned(),
        hard: number(before.maximum),
        soft: number(before.current),
    }
}
