//! Capability sets.

use std::io;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
};
use tare_oci::runtime::Capabilities;

/// All capabilities by name, in the order of their numbers.
pub const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// The five sets of a process, as bits by capability number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    pub(crate) bounding: u64,
    pub(crate) effective: u64,
    pub(crate) permitted: u64,
    pub(crate) inheritable: u64,
    pub(crate) ambient: u64,
}

/// The number of a capability by its name (`CAP_CHOWN`, in any case).
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    let index = NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    u32::try_from(index).ok()
}

/// The capabilities that the calling process could ever have, as names: what
/// a privileged container gets.
///
/// # Errors
/// When the kernel does not tell.
pub fn available() -> io::Result<Vec<&'static str>> {
    let bounding = bounding_set()?;
    Ok(NAMES
        .into_iter()
        .enumerate()
        .filter(|(number, _)| bounding & (1 << number) != 0)
        .map(|(_, name)| name)
        .collect())
}

fn bounding_set() -> io::Result<u64> {
    let mut set = 0;
    for number in 0..NAMES.len() {
        match rustix::thread::capability_is_in_bounding_set(CapabilitySet::from_bits_retain(
            1 << number,
        )) {
            Ok(true) => set |= 1 << number,
            Ok(false) => {}
            // The kernel has fewer capabilities than we know.
            Err(rustix::io::Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(set)
}

impl Sets {
    /// Reads the configured names. A capability that the kernel or the
    /// caller's bounding set lacks is left out, as Docker 26 does; an unknown
    /// name is ignored, as the specification has it since 1.1.
    pub(crate) fn parse(configured: Option<&Capabilities>) -> io::Result<Sets> {
        let Some(configured) = configured else {
            return Ok(Sets::default());
        };
        let can = bounding_set()?;
        let bits = |names: &[String]| {
            names
                .iter()
                .filter_map(|name| number(name))
                .fold(0u64, |bits, number| bits | 1 << number)
                & can
        };
        let permitted = bits(&configured.permitted);
        let inheritable = bits(&configured.inheritable);
        Ok(Sets {
            bounding: bits(&configured.bounding),
            // What is not permitted cannot be effective, and ambient only what
            // is both permitted and inheritable; the kernel would refuse.
            effective: bits(&configured.effective) & permitted,
            permitted,
            inheritable,
            ambient: bits(&configured.ambient) & permitted & inheritable,
        })
    }

    /// Takes everything out of the bounding set that does not belong there.
    /// Needs CAP_SETPCAP, so it comes before the change of user.
    pub(crate) fn limit_bounding(&self) -> rustix::io::Result<()> {
        for number in 0..64 {
            if self.bounding & (1 << number) != 0 {
                continue;
            }
            match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number))
            {
                Ok(()) => {}
                Err(rustix::io::Errno::INVAL) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Puts the other sets in force, with `extra` on top of those that exec
    /// computes anew from the bounding set.
    pub(crate) fn apply(&self, extra: u64) -> rustix::io::Result<()> {
        let now = capabilities(None)?.permitted.bits();
        let extra = extra & now;
        set_capabilities(
            None,
            CapabilitySets {
                effective: CapabilitySet::from_bits_retain(self.effective | extra),
                permitted: CapabilitySet::from_bits_retain(self.permitted | extra),
                inheritable: CapabilitySet::from_bits_retain(self.inheritable),
            },
        )?;
        clear_ambient_capability_set()?;
        for number in 0..64 {
            if self.ambient & (1 << number) != 0 {
                configure_capability_in_ambient_set(
                    CapabilitySet::from_bits_retain(1 << number),
                    true,
                )?;
            }
        }
        Ok(())
    }
}
