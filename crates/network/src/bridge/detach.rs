//! Taking endpoints down, and the network itself.

use super::{Bridge, Errors, LINK_PREFIX, locked};
use crate::{EndpointRecord, reaper, route};

impl Bridge {
    /// Releases an endpoint's ports and address at once, and leaves the
    /// interfaces to the background thread. Safe to repeat, also when the
    /// address or the ports belong to another endpoint by now.
    ///
    /// # Errors
    /// All that went wrong; address and ports are free in any case.
    pub fn detach(&self, record: &EndpointRecord) -> Result<(), Errors> {
        let mut errors = Vec::new();
        let owner = record.owner();
        {
            let mut state = locked(&self.state);
            let owned = state.ports.owned(&owner, &record.ports);
            if !owned.is_empty() {
                let ports: Vec<_> = owned
                    .into_iter()
                    .map(|port| (record.address, port))
                    .collect();
                if let Err(failure) = locked(&self.firewall).withdraw(&ports) {
                    errors.push(failure.into());
                }
            }
            state.ports.release(&owner, &record.ports);
            state.addresses.release(&owner, record.address);
        }
        self.reaper.withdrawn(record.address, &record.ports);
        self.reaper.delete(&record.host_interface);
        Errors::check(errors)
    }

    /// Removes the bridge, its ports and its table. Containers that are still
    /// running lose their network. The kernel's settings stay as they are. The
    /// bridge cannot be used afterwards.
    ///
    /// # Errors
    /// All that went wrong; the rest is removed.
    pub fn destroy(&self) -> Result<(), Errors> {
        let mut errors = Vec::new();
        if let Err(failure) = locked(&self.firewall).remove() {
            errors.push(failure.into());
        }
        self.reaper.finish();
        let mut route = locked(&self.route);
        let links = route::list_links(&mut route).unwrap_or_else(|failure| {
            errors.push(failure.into());
            Vec::new()
        });
        let ports = links
            .iter()
            .filter(|link| link.master == Some(self.index) && link.name.starts_with(LINK_PREFIX));
        let mut doomed: Vec<_> = ports.map(|link| link.name.as_str()).collect();
        doomed.push(&self.name);
        if let Err(failure) = reaper::delete_links(&mut route, reaper::group(self.index), &doomed) {
            errors.push(failure.into());
        }
        Errors::check(errors)
    }
}
