//! Resource limits of a process.

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tare_oci::runtime::ResourceLimit;

use crate::error::Error;
use crate::failure::{Failure, Step};

/// A limit, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    name: String,
    resource: Resource,
    soft: u64,
    hard: u64,
}

/// The kernel's limit of a name.
pub(crate) fn resource(name: &str) -> Option<Resource> {
    Some(match name {
        "RLIMIT_AS" => Resource::As,
        "RLIMIT_CORE" => Resource::Core,
        "RLIMIT_CPU" => Resource::Cpu,
        "RLIMIT_DATA" => Resource::Data,
        "RLIMIT_FSIZE" => Resource::Fsize,
        "RLIMIT_LOCKS" => Resource::Locks,
        "RLIMIT_MEMLOCK" => Resource::Memlock,
        "RLIMIT_MSGQUEUE" => Resource::Msgqueue,
        "RLIMIT_NICE" => Resource::Nice,
        "RLIMIT_NOFILE" => Resource::Nofile,
        "RLIMIT_NPROC" => Resource::Nproc,
        "RLIMIT_RSS" => Resource::Rss,
        "RLIMIT_RTPRIO" => Resource::Rtprio,
        "RLIMIT_RTTIME" => Resource::Rttime,
        "RLIMIT_SIGPENDING" => Resource::Sigpending,
        "RLIMIT_STACK" => Resource::Stack,
        _ => return None,
    })
}

impl Limit {
    /// Checks a configured limit.
    pub(crate) fn check(limit: &ResourceLimit) -> Result<Limit, Error> {
        let refuse = |reason: &str| {
            Error::configuration("process.rlimits", format!("{}: {reason}", limit.kind))
        };
        let resource = resource(&limit.kind).ok_or_else(|| refuse("no such limit"))?;
        if limit.soft > limit.hard {
            return Err(refuse("the soft limit is above the hard limit"));
        }
        Ok(Limit {
            name: limit.kind.clone(),
            resource,
            soft: limit.soft,
            hard: limit.hard,
        })
    }

    /// Sets the limit for the calling process.
    pub(crate) fn apply(&self) -> Result<(), Failure> {
        self.apply_to(None)
    }

    /// Sets the limit for a process, or for the calling one.
    pub(crate) fn apply_to(&self, pid: Option<Pid>) -> Result<(), Failure> {
        // All ones is the kernel's "no limit", which rustix spells None.
        let value = |value: u64| (value != u64::MAX).then_some(value);
        let wanted = Rlimit {
            current: value(self.soft),
            maximum: value(self.hard),
        };
        let set = prlimit(pid, self.resource, wanted).map(drop);
        set.map_err(|error| {
            let present = getrlimit(self.resource).maximum;
            let raised = present.is_some_and(|present| self.hard > present);
            if error == rustix::io::Errno::PERM && raised {
                Failure::sentence(
                    Step::ResourceLimit,
                    format!(
                        "error setting rlimit type {}: the hard limit {} is above the engine's own \
                         of {} and raising it needs CAP_SYS_RESOURCE: operation not permitted",
                        self.name,
                        value(self.hard).map_or("unlimited".to_owned(), |hard| hard.to_string()),
                        present.unwrap_or_default(),
                    ),
                )
            } else {
                Failure::new(Step::ResourceLimit, &self.name, error)
            }
        })
    }
}
