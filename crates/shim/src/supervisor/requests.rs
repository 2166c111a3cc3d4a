//! What the engine asks, and what it is answered.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::net::SendFlags;
use tare_oci::runtime::Process;

use super::Supervisor;
use super::child::{Child, Life};
use crate::container::StreamKind;
use crate::packet::{PacketSocket, Received};
use crate::protocol::{
    Answer, Channels, Exec, ExecState, Failure, Numbered, Reason, Refusal, Request, Started, State,
    Target, TerminalSize,
};
use crate::streams::{Attached, InputRules, Streams};

const SIGKILL: i32 = 9;

type Outcome = Result<Answer, Failure>;

impl Supervisor {
    /// Serves what a connection asks; false when the connection is over.
    pub(super) fn serve(&mut self, connection: &mut PacketSocket) -> bool {
        loop {
            let received = connection.receive::<Numbered<Request<'static>>>();
            let (request, descriptors) = match received {
                Ok(Received::Message(request, descriptors)) => (request, descriptors),
                Ok(Received::Nothing) => return true,
                Ok(Received::Closed) => return false,
                Err(error) => {
                    eprintln!("{error}");
                    return false;
                }
            };
            let answer = Numbered {
                number: request.number,
                body: self.answer(request.body, descriptors),
            };
            // An engine asks and waits; one that does not take its answers is
            // no reason to wait here.
            let sent = connection.send(&answer, &[], SendFlags::DONTWAIT);
            if let Err(error) = sent {
                eprintln!("{error}");
                return false;
            }
        }
    }

    fn answer(&mut self, request: Request<'_>, mut descriptors: Vec<OwnedFd>) -> Outcome {
        match request {
            Request::Start(_) => Err(refuse(Reason::Exists, "the container has been started")),
            Request::Subscribe => {
                self.subscribe(only(&mut descriptors)?);
                Ok(Answer::Done)
            }
            Request::Attach(channels) => {
                let stream = only(&mut descriptors)?;
                self.attach(channels, stream)
            }
            Request::Exec(exec) => self.exec(*exec, descriptors),
            Request::Resize { target, size } => self.resize(&target, size),
            Request::Signal { target, signal } => self.signal(&target, signal),
            Request::SignalAll { signal } => {
                self.require_running()?;
                self.container.signal_all(signal).map_err(failed)?;
                self.thaw_to_die(signal)?;
                Ok(Answer::Done)
            }
            Request::Pause => self.pause(true),
            Request::Resume => self.pause(false),
            Request::State => Ok(Answer::State(self.state())),
            Request::Release => self.release(),
        }
    }

    fn attach(&mut self, channels: Channels, stream: OwnedFd) -> Outcome {
        let init = &mut self.children[0];
        if let Life::Reported { .. } = init.life {
            return Err(refuse(Reason::NotRunning, "the container has ended"));
        }
        init.streams.attach(Attached::new(stream, channels));
        Ok(Answer::Done)
    }

    fn exec(&mut self, exec: Exec<'_>, streams: Vec<OwnedFd>) -> Outcome {
        self.require_running()?;
        let target = Target::Exec(exec.exec_id.into_owned());
        if self.children.iter().any(|child| child.target == target) {
            return Err(refuse(Reason::Exists, "an exec with this ID exists"));
        }
        if streams.len() != exec.attachments.len() {
            return Err(refuse(
                Reason::Invalid,
                "streams and attachments differ in number",
            ));
        }
        let attached: Vec<Attached> = streams
            .into_iter()
            .zip(exec.attachments)
            .map(|(stream, channels)| Attached::new(stream, channels))
            .collect();
        let process: Process = exec.process.into_owned();
        let kind = if exec.terminal {
            StreamKind::Terminal(exec.size)
        } else if attached.is_empty() && !exec.open_stdin {
            StreamKind::Nothing
        } else {
            StreamKind::Pipes {
                open_stdin: exec.open_stdin,
            }
        };
        let started = self.container.exec(process, kind).map_err(Failure::Start)?;
        let input = InputRules {
            open: exec.open_stdin,
            once: true,
        };
        let pid = started.pid;
        self.supervise(started.listener);
        let (streams, error) = match Streams::new(started.ends, input, None, attached) {
            Ok(streams) => (streams, None),
            Err(error) => {
                // It cannot be served, and is not left running unserved.
                let _ = tare_sys::signal::send(started.pidfd.as_fd(), SIGKILL);
                (Streams::none(), Some(error))
            }
        };
        self.children
            .push(Child::new(target, pid, started.pidfd, streams));
        match error {
            None => Ok(Answer::Started(Started { pid })),
            Some(error) => Err(failed(error)),
        }
    }

    fn resize(&self, target: &Target, size: TerminalSize) -> Outcome {
        let child = self.find(target)?;
        match child.streams.resize(size) {
            Ok(true) => Ok(Answer::Done),
            Ok(false) => Err(refuse(Reason::NoTerminal, "the process has no terminal")),
            Err(error) => Err(failed(error)),
        }
    }

    fn signal(&mut self, target: &Target, signal: i32) -> Outcome {
        let child = self.find(target)?;
        let Some(pidfd) = child.running() else {
            return Err(refuse(Reason::NotRunning, "the process has ended"));
        };
        tare_sys::signal::send(pidfd.as_fd(), signal).map_err(failed)?;
        self.thaw_to_die(signal)?;
        Ok(Answer::Done)
    }

    fn pause(&mut self, pause: bool) -> Outcome {
        self.require_running()?;
        let done = if pause {
            self.container.freeze()
        } else {
            self.container.thaw()
        };
        done.map_err(failed)?;
        self.paused = pause;
        Ok(Answer::Done)
    }

    /// A process frozen by a v1 control group does not even die; as Docker, a
    /// container that is killed is thawed.
    fn thaw_to_die(&mut self, signal: i32) -> Result<(), Failure> {
        if self.paused && signal == SIGKILL {
            self.container.thaw().map_err(failed)?;
            self.paused = false;
        }
        Ok(())
    }

    fn state(&self) -> State {
        let init = &self.children[0];
        State {
            id: self.container.id().to_owned(),
            pid: init.exit().is_none().then_some(init.pid),
            paused: self.paused,
            exit: init.exit().cloned(),
            execs: self.children[1..]
                .iter()
                .filter_map(|child| match &child.target {
                    Target::Init => None,
                    Target::Exec(exec_id) => Some(ExecState {
                        exec_id: exec_id.clone(),
                        pid: child.pid,
                        exit: child.exit().cloned(),
                    }),
                })
                .collect(),
        }
    }

    fn release(&mut self) -> Outcome {
        if !matches!(self.children[0].life, Life::Reported { .. }) {
            return Err(refuse(Reason::Running, "the container runs still"));
        }
        if self.removal.is_some() {
            self.remove_cgroup();
        }
        self.directory.remove().map_err(failed)?;
        for child in &mut self.children {
            child.streams.abandon_output();
        }
        self.released = Some(Instant::now());
        Ok(Answer::Done)
    }

    fn find(&self, target: &Target) -> Result<&Child, Failure> {
        self.children
            .iter()
            .find(|child| child.target == *target)
            .ok_or_else(|| refuse(Reason::NotFound, "no such process"))
    }

    fn require_running(&self) -> Result<(), Failure> {
        match self.children[0].life {
            Life::Running(_) => Ok(()),
            _ => Err(refuse(Reason::NotRunning, "the container has ended")),
        }
    }
}

fn only(descriptors: &mut Vec<OwnedFd>) -> Result<OwnedFd, Failure> {
    match (descriptors.pop(), descriptors.is_empty()) {
        (Some(descriptor), true) => Ok(descriptor),
        _ => Err(refuse(
            Reason::Invalid,
            "one descriptor belongs to this request",
        )),
    }
}

fn refuse(reason: Reason, message: &str) -> Failure {
    Failure::Refused(Refusal {
        reason,
        message: message.to_owned(),
    })
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(Refusal {
        reason: Reason::Failed,
        message: error.to_string(),
    })
}
