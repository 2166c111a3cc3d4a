//! Becoming like the caller, in everything that socket(2) asks for: network
//! and user namespace, users, groups, capabilities, label. What the caller
//! may not have, the kernel then refuses by itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Gid, Uid};
use rustix::process::DumpableBehavior;
use rustix::thread::{CapabilitySet, CapabilitySets};
use tare_sys::SingleThreaded;
use tare_sys::namespace::{self, Kinds};

use super::{Mapping, Status};

const EPERM: i32 = 1;
const EACCES: i32 = 13;

/// Where and as whom the caller runs; None where it is as the shim does.
#[derive(Debug)]
pub(in crate::socketcall) struct Identity {
    pub(super) status: Status,
    pub(super) network: Option<OwnedFd>,
    pub(super) user: Option<OwnedFd>,
    /// Users and groups of that user namespace.
    pub(super) mappings: Option<(Mapping, Mapping)>,
    pub(super) label: Option<String>,
}

impl Identity {
    /// Makes the process like it, for good.
    pub(in crate::socketcall) fn take_on(&self, proof: SingleThreaded) -> io::Result<()> {
        // Root can enter any network, but not from inside a user namespace
        // that the network does not belong to; others can only from inside.
        let entered = self.enter_network(proof);
        // A label that forbids privileges forbids them from here on. It cannot
        // come last: after a change of user the file is out of reach.
        if let Some(label) = &self.label {
            take_label(label)?;
        }
        // A user namespace made without privileges cannot change them, and
        // has no numbers for most.
        let groups = rustix::process::getgroups()?;
        let same_groups = groups.iter().map(|group| group.as_raw()).eq(self
            .status
            .supplementary
            .iter()
            .copied());
        if let Some(user) = &self.user {
            namespace::enter(proof, user.as_fd(), Kinds::USER)?;
        }
        entered.or_else(|_| self.enter_network(proof))?;
        self.take_numbers(same_groups)?;
        let capabilities = CapabilitySet::from_bits_retain(self.status.capabilities);
        rustix::thread::set_capabilities(
            None,
            CapabilitySets {
                effective: capabilities,
                permitted: capabilities,
                inheritable: CapabilitySet::empty(),
            },
        )?;
        // The change of user may have undone it, and a process of that user
        // must not reach this one, in which is still what the shim holds.
        Ok(rustix::process::set_dumpable_behavior(
            DumpableBehavior::NotDumpable,
        )?)
    }

    fn enter_network(&self, proof: SingleThreaded) -> io::Result<()> {
        match &self.network {
            Some(network) => namespace::enter(proof, network.as_fd(), Kinds::NETWORK),
            None => Ok(()),
        }
    }

    /// Users and groups, in the numbers of the user namespace that the
    /// process is in by now.
    fn take_numbers(&self, same_groups: bool) -> io::Result<()> {
        let inside = |mapping: Option<&Mapping>, number| match mapping {
            None => Ok(number),
            Some(mapping) => mapping
                .inside(number)
                .ok_or_else(|| io::Error::from_raw_os_error(EPERM)),
        };
        let users = self.mappings.as_ref().map(|(users, _)| users);
        let groups = self.mappings.as_ref().map(|(_, groups)| groups);
        rustix::thread::set_keep_capabilities(true)?;

        if !same_groups {
            let supplementary: Vec<Gid> = self
                .status
                .supplementary
                .iter()
                .map(|&group| inside(groups, group).map(Gid::from_raw))
                .collect::<io::Result<_>>()?;
            rustix::thread::set_thread_groups(&supplementary)?;
        }
        // The file system's number is what a socket is owned by; it follows
        // the effective one.
        let [real, _, saved, file_system] = self.status.groups;
        rustix::thread::set_thread_res_gid(
            Gid::from_raw(inside(groups, real)?),
            Gid::from_raw(inside(groups, file_system)?),
            Gid::from_raw(inside(groups, saved)?),
        )?;
        let [real, _, saved, file_system] = self.status.users;
        Ok(rustix::thread::set_thread_res_uid(
            Uid::from_raw(inside(users, real)?),
            Uid::from_raw(inside(users, file_system)?),
            Uid::from_raw(inside(users, saved)?),
        )?)
    }
}

/// Takes a security module's label, so that its rules about sockets are asked
/// for the container and not for the shim.
fn take_label(label: &str) -> io::Result<()> {
    let label = label.trim_end_matches(['\n', '\0']);
    // AppArmor shows a profile with its mode, and has a word for the change;
    // others take the label itself.
    let words = match label.rsplit_once(" (") {
        Some((profile, _)) => format!("changeprofile {profile}"),
        None if label == "unconfined" => format!("changeprofile {label}"),
        None => label.to_owned(),
    };
    std::fs::write("/proc/self/attr/current", words)
        .map_err(|_| io::Error::from_raw_os_error(EACCES))
}
