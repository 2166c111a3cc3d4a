//! A program in the foreground: its signals, its terminal and its end.
//!
//! Signals for this process are the program's; those of its terminal reach the
//! program anyway. The caller's terminal is raw meanwhile and is put back when
//! the program has ended, however that was.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus};
use rustix::termios::{OptionalActions, Termios};
use tare_oci::runtime::ConsoleSize;
use tare_sys::signalfd::SignalFd;

use super::Error;
use crate::container::Stdio;

const SIGCHLD: i32 = 17;
const SIGWINCH: i32 = 28;
/// What is passed on: everything that has a meaning between programs.
const PASSED: [i32; 17] = [
    1, 2, 3, 10, 12, 13, 14, 15, 18, 20, 21, 22, 23, 28, 29, 30, SIGCHLD,
];

/// This process while a program is in the foreground.
pub(super) struct Foreground {
    signals: SignalFd,
}

/// What of the caller's terminal has to be put back.
pub(super) struct Ends {
    before: Option<Termios>,
}

/// Standard streams for a program: the caller's own, or a terminal, for which
/// the caller's becomes raw when the program runs.
pub(super) fn streams(terminal: bool, detach: bool) -> Result<(Stdio, Option<Ends>), Error> {
    if terminal {
        let ends = (!detach).then_some(Ends { before: None });
        return Ok((Stdio::Terminal, ends));
    }
    let own = |fd: std::os::fd::BorrowedFd<'_>| {
        rustix::io::fcntl_dupfd_cloexec(fd, 3)
            .map_err(|error| Error::io("taking", "standard streams", error))
    };
    let stdio = Stdio::Pipes {
        stdin: own(std::io::stdin().as_fd())?,
        stdout: own(std::io::stdout().as_fd())?,
        stderr: own(std::io::stderr().as_fd())?,
    };
    Ok((stdio, None))
}

impl Foreground {
    /// Takes the signals of this process. As a subreaper it is also the parent
    /// of what the container leaves behind.
    pub(super) fn begin(subreaper: bool) -> Result<Foreground, Error> {
        let failed = |error: std::io::Error| Error::io("waiting for", "signals", error);
        if subreaper {
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
                .map_err(|error| failed(error.into()))?;
        }
        Ok(Foreground {
            signals: SignalFd::block(&PASSED).map_err(failed)?,
        })
    }

    /// Looks after the program until its end; returns its exit status, 128 and
    /// the signal's number for one that was killed.
    pub(super) fn attend(
        &mut self,
        program: (i32, &OwnedFd),
        console: Option<&OwnedFd>,
        ends: Option<Ends>,
    ) -> Result<ExitCode, Error> {
        let mut ends = ends;
        if let (Some(console), Some(ends)) = (console, &mut ends) {
            resize(console);
            ends.before = make_raw();
        }
        let ended = self.wait(program, console);
        if let Some(before) = ends.and_then(|ends| ends.before) {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, &before);
        }
        ended
    }

    fn wait(
        &mut self,
        (pid, pidfd): (i32, &OwnedFd),
        console: Option<&OwnedFd>,
    ) -> Result<ExitCode, Error> {
        let failed = |error: rustix::io::Errno| Error::io("waiting for", "the program", error);
        let stdin = std::io::stdin();
        let mut input_open = console.is_some();
        let mut output_open = console.is_some();
        loop {
            let mut waiting = vec![
                PollFd::new(pidfd, PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            ];
            if let Some(console) = console.filter(|_| output_open) {
                waiting.push(PollFd::new(console, PollFlags::IN));
                if input_open {
                    waiting.push(PollFd::new(&stdin, PollFlags::IN));
                }
            }
            match poll(&mut waiting, None) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result.map_err(failed)?,
            };
            let ready: Vec<bool> = waiting
                .iter()
                .map(|one| !one.revents().is_empty())
                .collect();
            drop(waiting);
            if ready[1] {
                self.pass_on((pid, pidfd), console);
            }
            if let Some(console) = console {
                if ready.get(3) == Some(&true) {
                    input_open = copy_input(console);
                }
                if ready.get(2) == Some(&true) {
                    output_open = copy_output(console);
                }
            }
            // The output first: what the program said last is there to be read.
            if ready[0] {
                if let Some(console) = console.filter(|_| output_open) {
                    drain(console);
                }
                return reap(pidfd);
            }
        }
    }

    fn pass_on(&mut self, (pid, pidfd): (i32, &OwnedFd), console: Option<&OwnedFd>) {
        while let Ok(Some(signal)) = self.signals.next() {
            match signal {
                // The program's end shows at its descriptor, and others that
                // were left to a subreaper are only to be reaped.
                SIGCHLD => reap_orphans(pid),
                SIGWINCH if console.is_some() => {
                    if let Some(console) = console {
                        resize(console);
                    }
                }
                _ => {
                    let _ = tare_sys::signal::send(pidfd.as_fd(), signal);
                }
            }
        }
    }
}

fn resize(console: &OwnedFd) {
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdin()) {
        let size = ConsoleSize {
            height: size.ws_row.into(),
            width: size.ws_col.into(),
        };
        let _ = crate::resize(console, size);
    }
}

/// Makes the caller's terminal raw; none when it has none.
fn make_raw() -> Option<Termios> {
    let before = rustix::termios::tcgetattr(std::io::stdin()).ok()?;
    let mut raw = before.clone();
    raw.make_raw();
    rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, &raw).ok()?;
    Some(before)
}

/// Copies what was typed; false at its end.
fn copy_input(console: &OwnedFd) -> bool {
    let mut buffer = [0; 4096];
    match std::io::stdin().read(&mut buffer) {
        Ok(0) | Err(_) => {
            // The end of a terminal's input is a character.
            let _ = rustix::io::write(console, &[4]);
            false
        }
        Ok(length) => write_all(console, &buffer[..length]),
    }
}

fn write_all(console: &OwnedFd, mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        match rustix::io::write(console, rest) {
            Ok(length) => rest = &rest[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Copies what the program says; false when nobody has the terminal any more.
fn copy_output(console: &OwnedFd) -> bool {
    let mut buffer = [0; 8192];
    match rustix::io::read(console, &mut buffer) {
        Ok(length) if length > 0 => {
            let mut output = std::io::stdout();
            output.write_all(&buffer[..length]).is_ok() && output.flush().is_ok()
        }
        Err(rustix::io::Errno::INTR) => true,
        _ => false,
    }
}

/// Copies what is there already.
fn drain(console: &OwnedFd) {
    let now = rustix::event::Timespec::default();
    loop {
        let mut waiting = [PollFd::new(console, PollFlags::IN)];
        let ready = poll(&mut waiting, Some(&now)).unwrap_or(0) > 0;
        if !ready || !copy_output(console) {
            return;
        }
    }
}

fn reap(pidfd: &OwnedFd) -> Result<ExitCode, Error> {
    let status = loop {
        match rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {
            Err(rustix::io::Errno::INTR) => {}
            result => {
                break result.map_err(|error| Error::io("reaping", "the program", error))?;
            }
        }
    };
    Ok(ExitCode::from(status.as_ref().map_or(0, code)))
}

fn code(status: &WaitIdStatus) -> u8 {
    let number = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 255,
    };
    u8::try_from(number & 0xff).unwrap_or(u8::MAX)
}

/// Reaps what a subreaper was left, but not the program itself: each child by
/// its number.
fn reap_orphans(program: i32) {
    let children = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    for pid in children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
    {
        if pid != program
            && let Some(pid) = Pid::from_raw(pid)
        {
            let now = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let _ = rustix::process::waitid(WaitId::Pid(pid), now);
        }
    }
}
