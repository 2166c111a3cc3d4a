//! The end of a process.
//!
//! The exit of an exec is reported at once, after what its pipes hold: its
//! children may keep them open for as long as they like, and its attachments
//! stay until they are closed. The exit of the init is reported when its
//! output has ended, which the kernel sees to by killing the PID namespace
//! first; for a container in the host's, what is left in its control group is
//! killed here, and two seconds are the limit, as with Docker.

use std::time::{Duration, Instant};

use rustix::process::{WaitId, WaitIdOptions};

use super::child::Life;
use super::{RETRY, Supervisor};
use crate::clock;
use crate::protocol::{Event, Exit, Target};

/// How long output may be held open after the init's end.
const PATIENCE: Duration = Duration::from_secs(2);

impl Supervisor {
    /// A pidfd is readable: reaps the process.
    pub(super) fn child_ended(&mut self, index: usize) {
        let child = &mut self.children[index];
        let Life::Running(pidfd) = &child.life else {
            return;
        };
        let status = rustix::process::waitid(
            WaitId::PidFd(std::os::fd::AsFd::as_fd(pidfd)),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
        );
        let status = match status {
            Ok(Some(status)) => Some(status),
            Ok(None) => return,
            Err(error) => {
                eprintln!("cannot collect the status of {}: {error}", child.pid);
                None
            }
        };
        let signal = status
            .as_ref()
            .and_then(|status| status.terminating_signal());
        let code = match (&status, signal) {
            (_, Some(signal)) => 128 + signal,
            (Some(status), None) => status.exit_status().unwrap_or(255),
            (None, None) => 255,
        };
        let exit = Exit {
            code: u8::try_from(code & 255).unwrap_or(255),
            signal,
            at: clock::now(),
            oom_killed: self.container.oom_killed(),
        };
        let is_init = child.target == Target::Init;
        if is_init {
            self.container.kill_rest();
        }
        child.streams.process_ended(&mut self.buffer);
        child.life = Life::Ended(exit, Instant::now() + PATIENCE);
        if is_init {
            self.report_init();
        } else {
            self.report(index);
        }
    }

    /// Reports the init's exit when its output has ended, or must be given up.
    pub(super) fn report_init(&mut self) {
        let init = &mut self.children[0];
        let Some(deadline) = init.deadline() else {
            return;
        };
        if !init.streams.output_ended() {
            if Instant::now() < deadline {
                return;
            }
            init.streams.abandon_output();
        }
        // Whoever learns of the exit may use the ports again.
        self.held.clear();
        self.report(0);
        self.remove_cgroup();
    }

    fn report(&mut self, index: usize) {
        let child = &mut self.children[index];
        let Life::Ended(exit, _) = &child.life else {
            return;
        };
        let exit = exit.clone();
        let target = child.target.clone();
        if target == Target::Init
            && let Err(error) = self.directory.store_exit(&exit)
        {
            eprintln!("cannot keep the exit status on disk: {error}");
        }
        let event = Event::Exited {
            target,
            exit: exit.clone(),
        };
        let told = self.tell(&event);
        let child = &mut self.children[index];
        child.life = Life::Reported { exit, told };
        child.streams.exit_reported();
    }

    /// Removes the control group; processes killed just now may keep it for a
    /// moment.
    pub(super) fn remove_cgroup(&mut self) {
        self.removal = match self.container.remove_cgroup() {
            Ok(()) => None,
            Err(error) => {
                if self.removal.is_none() {
                    eprintln!("will try again: {error}");
                }
                Some(Instant::now() + RETRY)
            }
        };
    }
}
