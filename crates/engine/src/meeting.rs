//! Finding a container's shim again: at the start of the engine, and when a
//! connection to one was lost.
//!
//! A shim is only given up as dead when nothing listens where it should. One
//! that does not answer (it is stopped, or this process is out of descriptors)
//! may have a container that runs, and that must not be killed for it.

use rustix::io::Errno;
use std::sync::Arc;

use tare_shim::client;

use crate::containers::Exit;
use crate::engine::Engine;
use crate::shim::Shim;

/// What became of a shim.
pub(crate) enum Met {
    /// Its container runs, with this process ID.
    Running(Arc<Shim>, i32),
    /// Its container has ended; it waits for its release.
    Ended(Arc<Shim>, Exit),
    /// There is none; the exit that it kept, if it came to that.
    Gone(Option<Exit>),
    /// Nobody knows yet.
    Silent,
}

impl Engine {
    /// Connects to the shim of a container and asks for its state.
    pub(crate) async fn meet(&self, id: &str) -> Met {
        let directory = self.shim_directory(id);
        let meeting = async {
            let shim = Shim::connect(&directory).await?;
            let state = shim.state().await?;
            Ok((shim, state))
        };
        match meeting.await {
            Ok((shim, state)) => {
                for exec in state.execs {
                    if let Some(exit) = exec.exit {
                        self.inner.execs.ended(&exec.exec_id, exit.code.into());
                    }
                }
                match state.exit {
                    Some(exit) => Met::Ended(shim, Exit::from(&exit)),
                    None => {
                        let pid = state.pid.and_then(|pid| i32::try_from(pid).ok());
                        Met::Running(shim, pid.unwrap_or(0))
                    }
                }
            }
            Err(error) if nobody_listens(&error) => {
                Met::Gone(client::stored_exit(&directory).as_ref().map(Exit::from))
            }
            Err(error) => {
                tracing::warn!(container = id, %error, "the shim does not answer");
                Met::Silent
            }
        }
    }
}

fn nobody_listens(error: &client::Error) -> bool {
    match error {
        client::Error::Connect { source, .. } => {
            matches!(*source, Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR)
        }
        client::Error::Ended { .. } => true,
        _ => false,
    }
}
