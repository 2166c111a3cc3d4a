//! The table of execs: what was asked for, and how far each has come.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tare_engine_api::ExecConfig;

use crate::error::{Error, Result};

/// How long an exec can be inspected after its end, as in Docker.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How often those that ended before are forgotten, at the most.
const SWEEP: Duration = Duration::from_secs(30);

/// One exec.
#[derive(Clone, Debug)]
pub(super) struct Exec {
    pub(super) container: String,
    pub(super) config: ExecConfig,
    pub(super) stage: Stage,
    pub(super) pid: i64,
    pub(super) exit_code: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Made,
    Running,
    Ended(Instant),
}

impl Exec {
    fn end(&mut self, code: i64) {
        self.stage = Stage::Ended(Instant::now());
        self.exit_code = Some(code);
        self.pid = 0;
    }
}

/// All execs of an engine by ID.
#[derive(Default)]
pub(crate) struct Execs {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<String, Exec>,
    swept: Option<Instant>,
}

impl Execs {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one that has not been started.
    pub(super) fn insert(&self, id: &str, container: &str, config: ExecConfig) {
        let exec = Exec {
            container: container.to_owned(),
            config,
            stage: Stage::Made,
            pid: 0,
            exit_code: None,
        };
        let mut table = self.table();
        table.sweep(Instant::now());
        table.by_id.insert(id.to_owned(), exec);
    }

    /// Takes an exec for its start, which only the first comer may do.
    pub(super) fn begin(&self, id: &str) -> Result<Exec> {
        let mut table = self.table();
        let exec = table.by_id.get_mut(id).ok_or_else(|| missing(id))?;
        let refusal = match exec.stage {
            Stage::Made => {
                exec.stage = Stage::Running;
                return Ok(exec.clone());
            }
            Stage::Running => "is already running",
            Stage::Ended(_) => "has already run",
        };
        Err(Error::conflict(format!(
            "Error: Exec command {id} {refusal}"
        )))
    }

    /// Its process exists, unless its end has been reported meanwhile.
    pub(super) fn started(&self, id: &str, pid: i64) {
        if let Some(exec) = self.table().by_id.get_mut(id)
            && exec.stage == Stage::Running
        {
            exec.pid = pid;
        }
    }

    /// A process has ended.
    pub(crate) fn ended(&self, id: &str, code: i64) {
        if let Some(exec) = self.table().by_id.get_mut(id) {
            exec.end(code);
        }
    }

    /// A container has ended, and its processes with it.
    pub(crate) fn container_ended(&self, container: &str) {
        for exec in self.table().by_id.values_mut() {
            if exec.container == container && exec.stage == Stage::Running {
                exec.end(137);
            }
        }
    }

    /// A container is gone.
    pub(crate) fn forget(&self, container: &str) {
        let mut table = self.table();
        table.by_id.retain(|_, exec| exec.container != container);
    }

    /// IDs of a container's execs that have not ended, `None` when there are
    /// none.
    pub(crate) fn unfinished(&self, container: &str) -> Option<Vec<String>> {
        let table = self.table();
        let ids: Vec<_> = table
            .by_id
            .iter()
            .filter(|(_, exec)| {
                exec.container == container && !matches!(exec.stage, Stage::Ended(_))
            })
            .map(|(id, _)| id.clone())
            .collect();
        (!ids.is_empty()).then_some(ids)
    }

    pub(super) fn get(&self, id: &str) -> Result<Exec> {
        let table = self.table();
        table.by_id.get(id).cloned().ok_or_else(|| missing(id))
    }
}

impl Table {
    /// Forgets what has ended long ago. Only a new exec makes the table grow,
    /// so only then is this needed.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now < swept + SWEEP) {
            return;
        }
        self.swept = Some(now);
        self.by_id.retain(|_, exec| match exec.stage {
            Stage::Ended(at) => now < at + REMEMBERED,
            _ => true,
        });
    }
}

fn missing(id: &str) -> Error {
    Error::not_found(format!("No such exec instance: {id}"))
}

#[cfg(test)]
mod tests;
