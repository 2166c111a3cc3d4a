//! Hooks: programs of the host or of the container, executed at points of the
//! container's life with its state on their standard input.
//!
//! A hook's output is kept in memory and shown when it fails. Nothing of a hook
//! is left behind: one that is too slow is killed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::MemfdFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tare_oci::runtime::Hook;

/// How much of a failed hook's output is shown, in bytes.
const SHOWN: usize = 1024;

/// Why a hook failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be executed.
    #[error("executing it: {0}")]
    Execute(#[source] io::Error),
    /// It ended with an exit status, or by a signal.
    #[error("{status}{output}")]
    Status {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// It took longer than it may.
    #[error("not finished after {0} s")]
    Timeout(i64),
    /// It could not be waited for, or talked to.
    #[error("waiting for it: {0}")]
    Wait(#[source] io::Error),
}

/// A hook that failed, and which.
#[derive(Debug, thiserror::Error)]
#[error("error running {point} hook #{index} ({path}): {source}")]
pub struct Failed {
    /// `createRuntime` and so on.
    pub point: &'static str,
    /// Its place in the list, from 0.
    pub index: usize,
    /// Its program.
    pub path: String,
    /// What went wrong.
    pub source: Error,
}

/// Runs the hooks of one point in their order, until one fails.
pub(crate) fn run_all(point: &'static str, hooks: &[Hook], state: &[u8]) -> Result<(), Failed> {
    for (index, hook) in hooks.iter().enumerate() {
        run(hook, state).map_err(|source| Failed {
            point,
            index,
            path: hook.path.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Runs all hooks of one point, whatever becomes of them, and returns the
/// failures.
pub(crate) fn run_each(point: &'static str, hooks: &[Hook], state: &[u8]) -> Vec<Failed> {
    hooks
        .iter()
        .enumerate()
        .filter_map(|(index, hook)| {
            run(hook, state).err().map(|source| Failed {
                point,
                index,
                path: hook.path.clone(),
                source,
            })
        })
        .collect()
}

fn run(hook: &Hook, state: &[u8]) -> Result<(), Error> {
    let wait = |error: io::Error| Error::Wait(error);
    let mut input = memory(c"hook-state").map_err(wait)?;
    input.write_all(state).map_err(wait)?;
    input.seek(SeekFrom::Start(0)).map_err(wait)?;
    let output = memory(c"hook-output").map_err(wait)?;

    let mut command = Command::new(&hook.path);
    if let Some((name, arguments)) = hook.args.split_first() {
        command.arg0(name).args(arguments);
    }
    // The environment is the configured one, without the runtime's own.
    command.env_clear().envs(
        hook.env
            .iter()
            .filter_map(|variable| variable.split_once('=')),
    );
    command
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output.try_clone().map_err(wait)?))
        .stderr(Stdio::from(output.try_clone().map_err(wait)?));
    // Who runs a container in the foreground takes its signals by blocking them.
    let spawned = tare_sys::signal::unblock_in(&mut command).spawn();
    let mut child = spawned.map_err(Error::Execute)?;
    let status = match hook.timeout {
        Some(seconds) => match wait_at_most(&mut child, seconds).map_err(wait)? {
            Some(status) => status,
            None => {
                // It may have children that hold on to nothing of ours.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::Timeout(seconds));
            }
        },
        None => child.wait().map_err(wait)?,
    };
    if status.success() {
        return Ok(());
    }
    Err(Error::Status {
        status,
        output: last_words(output),
    })
}

fn memory(name: &std::ffi::CStr) -> io::Result<File> {
    Ok(File::from(rustix::fs::memfd_create(
        name,
        MemfdFlags::CLOEXEC,
    )?))
}

/// The exit status, or none when it takes longer.
fn wait_at_most(child: &mut Child, seconds: i64) -> io::Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidData)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let limit = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    // One beyond all time is none.
    let Some(deadline) = std::time::Instant::now().checked_add(limit) else {
        return child.wait().map(Some);
    };
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut waiting = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        match poll(&mut waiting, Some(&left)) {
            Ok(0) => return Ok(None),
            Ok(_) => return child.wait().map(Some),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The end of a failed hook's output, on one line.
fn last_words(mut output: File) -> String {
    let mut text = Vec::new();
    let length = output.metadata().map_or(0, |metadata| metadata.len());
    let from = length.saturating_sub(SHOWN as u64);
    if output.seek(SeekFrom::Start(from)).is_err() || output.read_to_end(&mut text).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    let line = lines.join(" ").trim().to_owned();
    if line.is_empty() {
        line
    } else {
        format!(": {line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Hook {
        Hook {
            path: "/bin/sh".to_owned(),
            args: vec!["hook".to_owned(), "-c".to_owned(), script.to_owned()],
            env: vec!["ONLY=this=value".to_owned()],
            timeout: None,
        }
    }

    #[test]
    fn a_hook_gets_the_state_its_arguments_and_only_its_environment() {
        let hook = shell(
            "read state; test \"$state\" = '{\"id\":1}' && test \"$0\" = hook || exit 3
             test \"$ONLY\" = this=value && test -z \"$HOME\"",
        );
        run(&hook, b"{\"id\":1}").expect("succeeds");
    }

    #[test]
    fn a_failure_names_the_hook_and_shows_what_it_said() {
        let hooks = [shell("true"), shell("echo first; echo second >&2; exit 7")];
        let error = run_all("createRuntime", &hooks, b"{}").expect_err("fails");
        assert_eq!(
            error.to_string(),
            "error running createRuntime hook #1 (/bin/sh): exit status: 7: first second"
        );
    }

    #[test]
    fn a_slow_hook_is_killed() {
        let mut hook = shell("exec sleep 1000");
        hook.timeout = Some(1);
        assert!(matches!(run(&hook, b"{}"), Err(Error::Timeout(1))));
    }

    #[test]
    fn a_timeout_may_be_longer_than_time() {
        let mut hook = shell("true");
        hook.timeout = Some(i64::MAX);
        run(&hook, b"{}").expect("succeeds");
    }

    #[test]
    fn those_that_may_fail_are_all_run() {
        let missing = Hook {
            path: "/no/such/hook".to_owned(),
            ..Hook::default()
        };
        let failures = run_each("poststop", &[missing, shell("exit 1")], b"{}");
        assert_eq!(failures.len(), 2);
        assert!(matches!(failures[0].source, Error::Execute(_)));
    }
}
