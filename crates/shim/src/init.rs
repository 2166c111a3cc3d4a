//! The small init of `--init`: process 1 of a container whose program is not
//! made for it.
//!
//! It is the shim's own executable, bound read-only into the container at a
//! place on its /dev, so that nothing of it is in the image and nothing in the
//! container can write to it. It runs the program in a process group of its
//! own, passes every signal on to it, reaps what is orphaned, and ends as the
//! program ends; the kernel then ends the rest.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitOptions};
use tare_oci::runtime::{Mount, Spec};
use tare_sys::SingleThreaded;
use tare_sys::clone::{exit_immediately, fork};
use tare_sys::signalfd::SignalFd;

/// The first argument of a shim's executable that is to be an init.
pub(crate) const ARGUMENT: &str = "--init";

const SIGCHLD: i32 = 17;
/// Signals of a fault of our own: blocked, they would end us silently.
const FAULTS: [i32; 6] = [4, 5, 7, 8, 11, 31];

/// Puts an executable, which is this one by its path on the host, in front of a
/// container's program. The shim cannot tell the path: its own /proc/self/exe
/// is a file of a mount without a place.
pub(crate) fn put_in_front(spec: &mut Spec, executable: &Path) -> io::Result<()> {
    let executable = executable
        .to_str()
        .ok_or_else(|| io::Error::other("its path is not UTF-8"))?
        .to_owned();
    // A /dev of the container's own is gone with it; without one, the place is
    // made in its layer, as Docker's is.
    let own_devices = spec
        .mounts
        .iter()
        .any(|mount| mount.destination == "/dev" && mount.kind.as_deref() == Some("tmpfs"));
    let destination = if own_devices {
        "/dev/tare-init"
    } else {
        "/sbin/tare-init"
    };
    spec.mounts.push(Mount {
        destination: destination.to_owned(),
        kind: Some("bind".to_owned()),
        source: Some(executable),
        options: ["bind", "ro", "nosuid", "nodev", "private"]
            .map(str::to_owned)
            .into(),
        ..Mount::default()
    });
    if let Some(process) = &mut spec.process {
        let front = [destination, "shim", ARGUMENT, "--"].map(str::to_owned);
        process.args.splice(0..0, front);
    }
    Ok(())
}

/// Runs `-- program arguments…` as a container's init does.
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tare-init: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString]) -> io::Result<u8> {
    let [separator, program, arguments @ ..] = arguments else {
        return Err(io::Error::other("the program is missing"));
    };
    if separator != "--" {
        return Err(io::Error::other("it is started by a container only"));
    }
    let proof = SingleThreaded::verify()?;
    let all: Vec<i32> = (1..=64).filter(|signal| !FAULTS.contains(signal)).collect();
    let signals = SignalFd::block(&all)?;
    // Not by clone3, which the default system call filter keeps from containers.
    let Some(child) = fork(proof)? else {
        let error = become_program(proof, program, arguments);
        eprintln!(
            "tare-init: cannot run {}: {error}",
            program.to_string_lossy()
        );
        exit_immediately(if error.kind() == io::ErrorKind::NotFound {
            127
        } else {
            126
        });
    };
    let program = Pid::from_raw(child).ok_or(io::ErrorKind::NotFound)?;
    let pidfd = rustix::process::pidfd_open(program, PidfdFlags::empty())?;
    loop {
        match poll(&mut [PollFd::new(&signals, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        while let Some(signal) = signals.next()? {
            if signal != SIGCHLD {
                // It may have ended just now.
                let _ = tare_sys::signal::send(pidfd.as_fd(), signal);
            }
        }
        if let Some(code) = reap(child)? {
            return Ok(code);
        }
    }
}

fn become_program(proof: SingleThreaded, program: &OsString, arguments: &[OsString]) -> io::Error {
    // A group of its own gets what a terminal sends; signals are blocked still,
    // so taking the terminal over does not stop us. Without one, nothing is
    // lost.
    if rustix::process::setpgid(None, None).is_ok() {
        let _ = rustix::termios::tcsetpgrp(io::stdin(), rustix::process::getpid());
    }
    tare_sys::signal::reset(proof);
    Command::new(program).args(arguments).exec()
}

/// Reaps all that have ended; the program's exit code if it is among them.
fn reap(program: i32) -> io::Result<Option<u8>> {
    let mut code = None;
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid.as_raw_pid() == program => {
                code = status
                    .exit_status()
                    .or_else(|| Some(128 + status.terminating_signal()?));
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(Errno::CHILD) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(code.map(|code| u8::try_from(code & 255).unwrap_or(255)))
}
