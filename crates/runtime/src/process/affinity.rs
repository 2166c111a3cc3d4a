//! On which CPUs a further program of a container is prepared and run
//! (`process.execCPUAffinity`).
//!
//! The caller itself moves to the initial CPUs for as long as it takes to make
//! the process, which is born there; a process that is born in its v2 control
//! group could not be moved before it is in there. A CPU-sensitive container is
//! spared the runtime's work that way.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tare_oci::runtime::ExecCpuAffinity;

use crate::error::Error;
use crate::failure::{Failure, Step};
use crate::number_list::Numbers;

const INITIAL: &str = "process.execCPUAffinity.initial";
const FINAL: &str = "process.execCPUAffinity.final";

/// The CPUs of a further program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Affinity {
    initial: Option<(String, CpuSet)>,
    last: Option<(String, CpuSet)>,
}

/// The caller on the initial CPUs.
#[derive(Debug)]
#[must_use = "the caller stays on the initial CPUs"]
pub(crate) struct Moved {
    before: Option<CpuSet>,
}

impl Affinity {
    /// Reads the configured lists; an empty one is none.
    pub(super) fn of(configured: Option<&ExecCpuAffinity>) -> Result<Affinity, Error> {
        let Some(configured) = configured else {
            return Ok(Affinity::default());
        };
        Ok(Affinity {
            initial: set(INITIAL, configured.initial.as_deref())?,
            last: set(FINAL, configured.last.as_deref())?,
        })
    }

    /// Moves the caller to the initial CPUs.
    pub(crate) fn begin(&self) -> Result<Moved, Error> {
        let Some((list, cpus)) = &self.initial else {
            return Ok(Moved { before: None });
        };
        let refused = |error| Error::configuration(INITIAL, format!("{list:?}: {error}"));
        let before = sched_getaffinity(None).map_err(refused)?;
        sched_setaffinity(None, cpus).map_err(refused)?;
        Ok(Moved {
            before: Some(before),
        })
    }

    /// Moves the process, which has entered its control groups, to where its
    /// program is to run: the final CPUs, and without those all that its groups
    /// allow.
    pub(crate) fn settle(&self) -> Result<(), Failure> {
        let (list, cpus) = match (&self.last, &self.initial) {
            (Some((list, cpus)), _) => (list.as_str(), *cpus),
            (None, Some(_)) => {
                let mut all = CpuSet::new();
                (0..CpuSet::MAX_CPU).for_each(|cpu| all.set(cpu));
                ("all", all)
            }
            (None, None) => return Ok(()),
        };
        sched_setaffinity(None, &cpus).map_err(|error| {
            Failure::sentence(Step::Scheduling, format!("{FINAL}: {list:?}: {error}"))
        })
    }
}

impl Moved {
    /// Moves the caller back.
    pub(crate) fn back(self) -> Result<(), Error> {
        match &self.before {
            Some(before) => {
                sched_setaffinity(None, before).map_err(|error| Error::Clone(error.into()))
            }
            None => Ok(()),
        }
    }
}

fn set(field: &str, list: Option<&str>) -> Result<Option<(String, CpuSet)>, Error> {
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return Ok(None);
    };
    let numbers = Numbers::parse(list).map_err(|reason| Error::configuration(field, reason))?;
    let mut cpus = CpuSet::new();
    for cpu in numbers.iter() {
        if cpu >= CpuSet::MAX_CPU {
            return Err(Error::configuration(
                field,
                format!("{list:?}: there is no CPU {cpu}"),
            ));
        }
        cpus.set(cpu);
    }
    Ok(Some((list.to_owned(), cpus)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calling thread's CPUs as the kernel says.
    fn own() -> String {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("status");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.expect("a list").trim().to_owned()
    }

    #[test]
    fn the_caller_is_moved_and_moved_back() {
        let before = own();
        let first = before.split([',', '-']).next().expect("a CPU").to_owned();
        let affinity = Affinity::of(Some(&ExecCpuAffinity {
            initial: Some(first.clone()),
            last: None,
        }))
        .expect("a list");
        let moved = affinity.begin().expect("moves");
        assert_eq!(own(), first);
        moved.back().expect("moves back");
        assert_eq!(own(), before);
    }

    #[test]
    fn cpus_that_are_not_there_are_refused() {
        let of = |list: &str| {
            Affinity::of(Some(&ExecCpuAffinity {
                initial: Some(list.to_owned()),
                last: None,
            }))
        };
        let error = of("0,2000").expect_err("beyond all");
        assert_eq!(
            error.to_string(),
            "process.execCPUAffinity.initial: \"0,2000\": there is no CPU 2000"
        );
        let error = of("1023").expect("a list").begin().expect_err("not there");
        assert!(
            error
                .to_string()
                .starts_with("process.execCPUAffinity.initial: \"1023\": "),
            "{error}"
        );
    }
}
