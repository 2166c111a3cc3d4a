//! Propagation between the container's mounts and the host's.

use rustix::fs::CWD;
use tare_oci::runtime::RootfsPropagation;
use tare_sys::mount::{Attributes, set_attributes};

use crate::failure::{Failure, Step};

/// Cuts the copy of the host's mounts off from the host, so that nothing done
/// here shows there.
pub(super) fn separate_from_host(propagation: Option<RootfsPropagation>) -> Result<(), Failure> {
    // As runc: everything becomes a slave of the host's mounts unless the
    // configuration wants changes to flow back.
    let kind = match propagation {
        _ if is_shared(propagation) => return Ok(()),
        Some(RootfsPropagation::Private | RootfsPropagation::Rprivate) => Attributes::PRIVATE,
        _ => Attributes::SLAVE,
    };
    let attributes = Attributes {
        propagation: kind,
        ..Attributes::default()
    };
    set_attributes(CWD, c"/", true, attributes)
        .map_err(|error| Failure::new(Step::Root, "separating it from the host", error))
}

/// Whether mounts of this namespace are still shared with the host's.
pub(super) fn is_shared(propagation: Option<RootfsPropagation>) -> bool {
    matches!(
        propagation,
        Some(RootfsPropagation::Shared | RootfsPropagation::Rshared)
    )
}

/// What the root is while things are mounted in it. It must not be shared: the
/// host would see them, and pivot_root refuses it.
pub(super) fn of_new_root(propagation: Option<RootfsPropagation>) -> Attributes {
    let kind = match propagation {
        None | Some(RootfsPropagation::Slave | RootfsPropagation::Rslave) => Attributes::SLAVE,
        _ => Attributes::PRIVATE,
    };
    Attributes {
        propagation: kind,
        ..Attributes::default()
    }
}

/// Gives the root, which is the process's own by now, its propagation.
pub(super) fn finish(propagation: Option<RootfsPropagation>) -> Result<(), Failure> {
    let Some((kind, recursive)) = propagation.and_then(in_the_end) else {
        return Ok(());
    };
    let attributes = Attributes {
        propagation: kind,
        ..Attributes::default()
    };
    set_attributes(CWD, c"/", recursive, attributes)
        .map_err(|error| Failure::new(Step::Root, "setting its propagation", error))
}

/// Propagation of the root in the end; private is what it has already.
fn in_the_end(propagation: RootfsPropagation) -> Option<(u64, bool)> {
    match propagation {
        RootfsPropagation::Shared => Some((Attributes::SHARED, false)),
        RootfsPropagation::Rshared => Some((Attributes::SHARED, true)),
        RootfsPropagation::Slave => Some((Attributes::SLAVE, false)),
        RootfsPropagation::Rslave => Some((Attributes::SLAVE, true)),
        RootfsPropagation::Unbindable => Some((Attributes::UNBINDABLE, false)),
        RootfsPropagation::Runbindable => Some((Attributes::UNBINDABLE, true)),
        RootfsPropagation::Private => Some((Attributes::PRIVATE, false)),
        RootfsPropagation::Rprivate => Some((Attributes::PRIVATE, true)),
    }
}
