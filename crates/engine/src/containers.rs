//! Containers: the table of them, and one file for each thing done to one.
//!
//! # State
//!
//! The database row ([`record`]) is the truth; [`Container`] holds a copy and
//! what lives only as long as the process: the connection to the shim and the
//! clients that wait. Whoever changes the state of a container holds its
//! `operation` lock; the inner mutex is only ever held for a look or a copy.

mod attach;
mod bindings;
mod create;
mod devices;
mod exit;
mod hosts;
mod human;
mod image_defaults;
mod inspect;
mod join;
mod kill;
mod list;
mod logs;
mod mounts;
mod name;
mod record;
mod remove;
mod resize;
mod resources;
mod seccomp_profile;
pub(crate) mod security;
pub(crate) mod spec;
mod start;
mod stop;
mod supported;
mod table;
mod wait;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use attach::{AttachOptions, Attached};
pub use list::ListOptions;
pub use logs::{LogOptions, Logs};
pub use remove::RemoveOptions;

pub(crate) use attach::half;
pub(crate) use exit::Exit;
pub(crate) use logs::DEFAULT_DRIVER as DEFAULT_LOG_DRIVER;
pub(crate) use name::new_id;
pub(crate) use record::{Record, Records, State, Status, load, migrate, update};
pub(crate) use table::Containers;

use crate::shim::Shim;

/// One container as the running engine sees it.
pub(crate) struct Container {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// Serialises what changes the container's state.
    pub(crate) operation: tokio::sync::Mutex<()>,
    live: Mutex<Live>,
    /// What waiting clients look at.
    pub(crate) phase: watch::Sender<Phase>,
}

/// The record and what belongs to this process.
pub(crate) struct Live {
    pub(crate) record: Record,
    /// The shim, while there is one: from the start on until the exit is on
    /// record, which may be later than the end.
    pub(crate) shim: Option<Arc<Shim>>,
    /// Streams attached before the start; the shim gets them with it.
    pub(crate) attachments: Vec<tare_shim::client::Attachment>,
}

/// A summary of the life of a container, for those who wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phase {
    pub(crate) running: bool,
    /// How often its program has ended.
    pub(crate) exits: u64,
    pub(crate) exit_code: i64,
    pub(crate) removed: bool,
}

impl Container {
    /// A container of `record`, not yet connected to a shim.
    pub(crate) fn new(record: Record) -> Arc<Self> {
        let phase = Phase {
            running: record.state.status == Status::Running,
            exit_code: record.state.exit_code,
            ..Phase::default()
        };
        Arc::new(Self {
            id: record.id.clone(),
            operation: tokio::sync::Mutex::new(()),
            live: Mutex::new(Live {
                record,
                shim: None,
                attachments: Vec::new(),
            }),
            phase: watch::Sender::new(phase),
        })
    }

    /// The state, for a look or a short change; never across an await.
    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the record.
    pub(crate) fn record(&self) -> Record {
        self.live().record.clone()
    }

    /// The shim of a running container.
    pub(crate) fn shim(&self) -> Option<Arc<Shim>> {
        let live = self.live();
        if live.record.state.status == Status::Running {
            live.shim.clone()
        } else {
            None
        }
    }

    /// Whether its program runs.
    pub(crate) fn is_running(&self) -> bool {
        self.live().record.state.status == Status::Running
    }

    /// Whether the run number `starts` is under way.
    pub(crate) fn is_in_run(&self, starts: u64) -> bool {
        let live = self.live();
        live.record.starts == starts && live.record.state.status == Status::Running
    }

    /// Waits for the end of the run that is under way when this is called; the
    /// next one may have begun by the time that the caller goes on.
    pub(crate) fn end_of_run(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut phase = self.phase.subscribe();
        let exits = phase.borrow().exits;
        async move {
            // The receiver outlives the container's entry in the table, so a
            // closed channel means that it is gone.
            let over = |phase: &Phase| !phase.running || phase.removed || phase.exits != exits;
            let _ = phase.wait_for(over).await;
        }
    }
}
