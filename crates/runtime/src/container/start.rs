//! Letting the program of a container run.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Container;
use crate::error::Error;
use crate::handshake::{Heard, ParentEnd};
use crate::hook;
use crate::listener;
use crate::state_document::{self, Status};

/// How long a killed process may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

impl Container {
    /// Lets the program run, and returns when it does. Does nothing when it
    /// has been started before.
    ///
    /// # Errors
    /// When the program cannot be executed; nothing of the container is left
    /// then but this value.
    pub fn start(&mut self) -> Result<(), Error> {
        let Some(channel) = self.channel.take() else {
            return Ok(());
        };
        let started = channel
            .start(&self.filter)
            .map_err(Error::Handshake)
            .and_then(|()| self.finish(&channel));
        started.inspect_err(|_| drop(self.destroy()))
    }

    /// As [`Container::start`], for a container that waits at its gate, to
    /// which `connection` leads ([`crate::gate::reach`]).
    ///
    /// # Errors
    /// As [`Container::start`], but what is left of the container stays.
    pub fn start_at_gate(&mut self, connection: OwnedFd) -> Result<(), Error> {
        let channel = ParentEnd::open(connection)
            .map_err(Error::Handshake)?
            .ok_or(Error::Started)?;
        self.finish(&channel).inspect_err(|_| {
            // The error is told when the container has stopped.
            let _ = self.signal(9);
            let patience = Timespec::try_from(PATIENCE).unwrap_or_default();
            let mut waiting = [PollFd::new(&self.pidfd, PollFlags::IN)];
            let _ = poll(&mut waiting, Some(&patience));
        })
    }

    fn finish(&mut self, channel: &ParentEnd) -> Result<(), Error> {
        self.listener = run(channel, &self.pidfd, |listener| {
            let Some(agent) = &self.agent else {
                return Ok(Some(listener));
            };
            let state = self.state_document(Status::Created);
            agent.send(&listener, self.pid, state)?;
            Ok(None)
        })?;
        if !self.hooks.poststart.is_empty() {
            let state = self.state(Status::Running, self.pid);
            // A container whose poststart hook fails is stopped (runtime.md,
            // "Lifecycle", since 1.2.1): by those who call this.
            hook::run_all("poststart", &self.hooks.poststart, &state)?;
        }
        Ok(())
    }

    pub(super) fn state_document(&self, status: Status) -> tare_oci::runtime::State {
        state_document::document(&self.id, status, self.pid, &self.bundle, &self.annotations)
    }
}

/// Hears the child out until it is the program. A listener is given to `take`,
/// who says whether it is kept.
pub(super) fn run(
    channel: &ParentEnd,
    pidfd: &OwnedFd,
    take: impl Fn(OwnedFd) -> Result<Option<OwnedFd>, listener::Error>,
) -> Result<Option<OwnedFd>, Error> {
    let mut kept = None;
    loop {
        match channel.hear().map_err(Error::Handshake)? {
            Heard::Closed => return Ok(kept),
            Heard::Failed(failure) => return Err(Error::Process(failure)),
            Heard::Listener(number) => {
                kept = take(listener::take(pidfd, number)?)?;
                channel.taken().map_err(Error::Handshake)?;
            }
            Heard::Ready(_) | Heard::Mounted => {
                return Err(Error::Handshake(std::io::ErrorKind::InvalidData.into()));
            }
        }
    }
}
