//! After a start: the kernel made to agree with the engine's records.

use std::collections::HashSet;

use super::{Bridge, Errors, LINK_PREFIX, locked};
use crate::EndpointRecord;
use crate::route::{self, Link};

/// What a reconciliation found and did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Interfaces without a record, which are being removed.
    pub removed: Vec<String>,
    /// IDs of containers whose interface is missing: they have no network.
    pub disconnected: Vec<String>,
}

impl Bridge {
    /// Rebuilds the books from the records of the containers that live, puts
    /// exactly their published ports in the firewall (in one transaction), and
    /// removes interfaces of ours that belong to none of them.
    ///
    /// To be called after [`Bridge::open`] and before the first attach, whose
    /// endpoint would otherwise be taken for a leftover.
    ///
    /// # Errors
    /// All that went wrong; the rest is done. A record whose address is taken or
    /// outside the subnet is reported and its ports are not published, as they
    /// would lead to another container.
    pub fn reconcile(&self, records: &[EndpointRecord]) -> Result<Reconciled, Errors> {
        let mut errors = Vec::new();
        let mut state = locked(&self.state);
        let mut ports = Vec::new();
        for record in records {
            let owner = record.owner();
            if let Err(error) = state.addresses.restore(&owner, record.address) {
                errors.push(error.into());
                continue;
            }
            for binding in &record.ports {
                match state.ports.restore(&owner, binding) {
                    Ok(()) => ports.push((record.address, binding)),
                    Err(error) => errors.push(error.into()),
                }
            }
        }
        if let Err(failure) = locked(&self.firewall).replace(&ports) {
            errors.push(failure.into());
        }
        let links = route::list_links(&mut locked(&self.route));
        drop(state);
        let reconciled = match links {
            Ok(links) => self.compare(&links, records),
            Err(failure) => {
                errors.push(failure.into());
                Reconciled::default()
            }
        };
        for name in &reconciled.removed {
            self.reaper.delete(name);
        }
        Errors::check(errors).map(|()| reconciled)
    }

    fn compare(&self, links: &[Link], records: &[EndpointRecord]) -> Reconciled {
        let known: HashSet<_> = records
            .iter()
            .map(|record| record.host_interface.as_str())
            .collect();
        let ours: HashSet<_> = links
            .iter()
            .filter(|link| link.master == Some(self.index) && link.name.starts_with(LINK_PREFIX))
            .map(|link| link.name.as_str())
            .collect();
        let missing = records
            .iter()
            .filter(|record| !ours.contains(record.host_interface.as_str()));
        Reconciled {
            removed: ours
                .difference(&known)
                .map(|name| (*name).to_owned())
                .collect(),
            disconnected: missing.map(|record| record.container_id.clone()).collect(),
        }
    }
}
