//! `exec`: a further program in a running container.

use std::process::ExitCode;

use tare_oci::runtime::{Capabilities, Linux, Process};

use super::console::Receiver;
use super::flags::{Count, Flag, Parsed, Verb};
use super::foreground::{self, Foreground};
use super::launch::{
    CONSOLE_SOCKET, PID_FILE, PRESERVE_FDS, check_terminal, preserved, write_pid_file,
};
use super::{Error, Globals, overwrite};
use crate::config;
use crate::container::{ExecRequest, Identity};
use crate::state::{Entry, Status};

pub(super) const VERB: Verb = Verb {
    name: "exec",
    arguments: "<container-id> <program> [arguments]",
    about: "run a further program in a container",
    flags: &[
        CONSOLE_SOCKET,
        Flag::value("cwd", "DIR", "working directory"),
        Flag::value("env", "NAME=VALUE", "a variable; may be repeated").short('e'),
        Flag::switch("tty", "give it a terminal").short('t'),
        Flag::value("user", "UID[:GID]", "who it runs as").short('u'),
        Flag::value(
            "additional-gids",
            "GID",
            "a supplementary group; may be repeated",
        )
        .short('g'),
        Flag::value("process", "FILE", "the whole process as JSON").short('p'),
        Flag::switch("detach", "do not wait for its end").short('d'),
        PID_FILE,
        Flag::value("process-label", "LABEL", "its SELinux label"),
        Flag::value("apparmor", "PROFILE", "its AppArmor profile"),
        Flag::switch("no-new-privs", "it may not gain privileges"),
        Flag::value("cap", "CAPABILITY", "a further capability; may be repeated").short('c'),
        PRESERVE_FDS,
        Flag::value(
            "cgroup",
            "PATH",
            "a control group below the container's own, or controller:path on v1; may be repeated",
        ),
        Flag::switch("ignore-paused", "also in a paused container, to run later"),
    ],
    count: Count::AtLeast(1),
    has_command: true,
    run,
};

/// Whatever goes wrong is told apart from the program's own end.
fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    execute(globals, parsed).map_err(|error| Error::Exec(Box::new(error)))
}

fn execute(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let preserve = preserved(parsed, 0)?;
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    match entry.status(&state)? {
        Status::Creating => {
            return Err(Error::State(
                "cannot exec in a container that is being created".to_owned(),
            ));
        }
        Status::Stopped => {
            return Err(Error::State(
                "cannot exec in a stopped container".to_owned(),
            ));
        }
        Status::Paused if !parsed.has("ignore-paused") => {
            return Err(Error::State(
                "cannot exec in a paused container (use --ignore-paused to override)".to_owned(),
            ));
        }
        _ => {}
    }
    overwrite::protect(globals)?;
    let receiver = parsed.value("console-socket").map(Receiver::connect);
    let receiver = receiver.transpose()?;
    let (process, linux) = process(&entry, parsed)?;
    let detach = parsed.has("detach");
    check_terminal(process.terminal, detach, receiver.is_some())?;
    let mut foreground = if detach {
        None
    } else {
        Some(Foreground::begin(false)?)
    };
    let container = state
        .saved
        .open(
            linux.and_then(|linux| linux.seccomp).as_ref(),
            globals.store.filters().as_ref(),
        )
        .map_err(Error::Start)?;
    let (stdio, ends) = foreground::streams(process.terminal, detach)?;
    let started = container
        .exec(ExecRequest {
            process: &process,
            stdio,
            identity: Identity::Configured,
            preserve,
            ignore_paused: parsed.has("ignore-paused"),
            cgroups: parsed.values("cgroup").map(str::to_owned).collect(),
        })
        .map_err(Error::Start)?;
    let finish = || -> Result<(), Error> {
        if let (Some(receiver), Some(master)) = (&receiver, &started.console) {
            receiver.send(master)?;
        }
        write_pid_file(parsed, started.pid)
    };
    finish().inspect_err(|_| {
        let _ = tare_sys::signal::send(std::os::fd::AsFd::as_fd(&started.pidfd), 9);
    })?;
    let Some(foreground) = &mut foreground else {
        return Ok(ExitCode::SUCCESS);
    };
    foreground.attend(
        (started.pid, &started.pidfd),
        started.console.as_ref(),
        ends,
    )
}

/// The process to run, and the container's configuration for its filter.
fn process(entry: &Entry, parsed: &Parsed) -> Result<(Process, Option<Linux>), Error> {
    let spec = entry.read_config()?;
    let linux = spec.linux;
    if let Some(path) = parsed.value("process") {
        let document = std::fs::read(path).map_err(|source| Error::io("reading", path, source))?;
        let mut process = config::parse_process(path, &document)?;
        if let Some(first) = spec.process {
            inherit(&mut process, first);
        }
        return Ok((process, linux));
    }
    let mut process = spec
        .process
        .ok_or_else(|| Error::State("the container has no process to go by".to_owned()))?;
    process.args = parsed.arguments[1..].to_vec();
    if process.args.is_empty() {
        return Err(Error::Usage("process args cannot be empty".to_owned()));
    }
    // What is a matter of the first process alone.
    process.oom_score_adj = None;
    process.terminal = parsed.has("tty");
    if let Some(cwd) = parsed.value("cwd") {
        cwd.clone_into(&mut process.cwd);
    }
    process.env.extend(parsed.values("env").map(str::to_owned));
    if let Some(label) = parsed.value("process-label") {
        process.selinux_label = Some(label.to_owned());
    }
    if let Some(profile) = parsed.value("apparmor") {
        process.apparmor_profile = Some(profile.to_owned());
    }
    if parsed.value("no-new-privs").is_some() {
        process.no_new_privileges = parsed.has("no-new-privs");
    }
    if let Some(user) = parsed.value("user") {
        // Numbers only: a name means something in the container alone.
        let (user, group) = match user.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (user, None),
        };
        process.user.uid = id(user)?;
        if let Some(group) = group {
            process.user.gid = id(group)?;
        }
    }
    for group in parsed.values("additional-gids") {
        process.user.additional_gids.push(id(group)?);
    }
    add_capabilities(&mut process, parsed)?;
    Ok((process, linux))
}

/// What a description of its own does not say is the container's, as runc has
/// it: leaving out a profile must not mean to be rid of it.
fn inherit(process: &mut Process, first: Process) {
    let said = |label: &Option<String>| label.as_deref().is_some_and(|label| !label.is_empty());
    if !said(&process.apparmor_profile) {
        process.apparmor_profile = first.apparmor_profile;
    }
    if !said(&process.selinux_label) {
        process.selinux_label = first.selinux_label;
    }
    if process.capabilities.is_none() {
        process.capabilities = first.capabilities;
    }
    if process.rlimits.is_empty() {
        process.rlimits = first.rlimits;
    }
    if process.exec_cpu_affinity.is_none() {
        process.exec_cpu_affinity = first.exec_cpu_affinity;
    }
}

/// The number of a user or group: digits and nothing else. What is more than
/// the kernel has is no number of anybody, least of all root's (CVE-2026-30892,
/// CVE-2026-46680).
fn id(text: &str) -> Result<u32, Error> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|id| is_number && *id != u32::MAX)
        .ok_or_else(|| Error::Usage(format!("{text:?} is not the number of a user or group")))
}

/// Adds capabilities to those that the program has and may have; they are not
/// inheritable (CVE-2022-29162).
fn add_capabilities(process: &mut Process, parsed: &Parsed) -> Result<(), Error> {
    for name in parsed.values("cap") {
        if crate::capability::number(name).is_none() {
            return Err(Error::Usage(format!("unknown capability {name:?}")));
        }
        let sets: &mut Capabilities = process.capabilities.get_or_insert_default();
        for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
            set.push(name.to_owned());
        }
        // Without this a program of somebody who is not root would not have
        // it; only what the container's program passes on is passed on here.
        if sets.inheritable.iter().any(|one| one == name) {
            sets.ambient.push(name.to_owned());
        }
    }
    Ok(())
}
