//! Making a container from a bundle: what `create` and `run` have in common.

use std::path::{Path, PathBuf};

use tare_oci::runtime::Spec;

use super::console::Receiver;
use super::flags::{Flag, Parsed};
use super::{Error, Globals, log, overwrite};
use crate::cgroup::{Driver, Place};
use crate::config;
use crate::container::{Container, Saved, Stdio};
use crate::plan;
use crate::state::{Entry, State};

pub(super) const BUNDLE: Flag = Flag::value(
    "bundle",
    "DIR",
    "the bundle, the current directory by default",
)
.short('b');
pub(super) const CONSOLE_SOCKET: Flag = Flag::value(
    "console-socket",
    "SOCKET",
    "a unix socket that receives the terminal's master",
);
pub(super) const PID_FILE: Flag =
    Flag::value("pid-file", "FILE", "where the process's number is written");
pub(super) const NO_PIVOT: Flag = Flag::switch(
    "no-pivot",
    "not supported: a root that cannot be changed for good is no protection",
);
pub(super) const NO_NEW_KEYRING: Flag =
    Flag::switch("no-new-keyring", "keep the caller's session keyring");
pub(super) const PRESERVE_FDS: Flag = Flag::value(
    "preserve-fds",
    "N",
    "how many descriptors from 3 on the program gets",
);

/// A container that has been made.
pub(super) struct Made {
    pub(super) container: Container,
    pub(super) entry: Entry,
}

/// Makes a container from a bundle; `stdio` makes its standard streams, which
/// may be a terminal. On an error nothing of it is left.
pub(super) fn launch(
    globals: &Globals,
    parsed: &Parsed,
    detach: bool,
    stdio: impl FnOnce(bool) -> Result<Option<Stdio>, Error>,
) -> Result<Made, Error> {
    if parsed.has("no-pivot") {
        return Err(Error::Usage(
            "--no-pivot is not supported: mount the bundle on something other than the host's \
             initial ram disk"
                .to_owned(),
        ));
    }
    let activated = activated();
    let preserved = preserved(parsed, activated)?;
    overwrite::protect(globals)?;
    let receiver = parsed.value("console-socket").map(Receiver::connect);
    let receiver = receiver.transpose()?;
    let bundle = bundle(parsed)?;
    let document = config::read(&bundle)?;
    let mut spec = config::parse(&document)?;
    if let Some(process) = spec.process.as_mut().filter(|_| activated > 0) {
        process.env.push(format!("LISTEN_FDS={activated}"));
        process.env.push("LISTEN_PID=1".to_owned());
    }
    for warning in config::warnings(&spec) {
        globals.log.warning(&warning);
    }
    let terminal = spec
        .process
        .as_ref()
        .is_some_and(|process| process.terminal);
    check_terminal(terminal, detach, receiver.is_some())?;

    let entry = globals.store.claim(parsed.id())?;
    let made = stdio(terminal).and_then(|stdio| {
        let container = make(
            globals, parsed, &entry, &bundle, &document, &spec, preserved, stdio,
        )?;
        globals.log.debug(&format!(
            "made container {} with process {} in control group {}",
            parsed.id(),
            container.pid,
            container.cgroup.path().display()
        ));
        finish(parsed, receiver.as_ref(), &container).inspect_err(|_| drop(container.destroy()))?;
        Ok(container)
    });
    match made {
        Ok(container) => Ok(Made { container, entry }),
        Err(error) => {
            // The first error is the one to report.
            let _ = entry.remove();
            Err(error)
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "they are the parts of one description, used here only"
)]
fn make(
    globals: &Globals,
    parsed: &Parsed,
    entry: &Entry,
    bundle: &Path,
    document: &[u8],
    spec: &Spec,
    preserved: u32,
    stdio: Option<Stdio>,
) -> Result<Container, Error> {
    let id = parsed.id();
    let driver = driver(globals);
    let mut state = State {
        saved: Saved::planned(
            id,
            bundle.to_owned(),
            Place::plan(
                &plan::cgroup_path(spec, id, driver),
                id,
                driver,
                globals.rootless,
            )?,
        ),
        rootfs: spec
            .root
            .as_ref()
            .map_or_else(PathBuf::new, |root| bundle.join(&root.path)),
        created: log::now_exactly(),
        rootless: globals.rootless,
        resources: plan::resources(spec),
    };
    // First, so that what a killed creator leaves can be found.
    entry.write_state(&state)?;
    entry.write_config(document)?;
    let gate = entry.make_gate()?;
    let mut builder = Container::builder(id, spec)
        .bundle(bundle)
        .cgroup_driver(driver)
        .rootless(globals.rootless)
        .preserve(preserved)
        .new_keyring(!parsed.has("no-new-keyring"))
        .seccomp_cache(globals.store.filters())
        .gate(gate);
    if let Some(stdio) = stdio {
        builder = builder.stdio(stdio);
    }
    let container = builder.create().map_err(Error::Start)?;
    let saved = container
        .save()
        .map_err(|source| Error::io("reading the process", "/proc", source))
        .inspect_err(|_| drop(container.destroy()))?;
    state.saved = saved;
    entry
        .write_state(&state)
        .inspect_err(|_| drop(container.destroy()))?;
    Ok(container)
}

fn finish(
    parsed: &Parsed,
    receiver: Option<&Receiver>,
    container: &Container,
) -> Result<(), Error> {
    if let (Some(receiver), Some(master)) = (receiver, &container.console) {
        receiver.send(master)?;
    }
    write_pid_file(parsed, container.pid)
}

/// Writes the number of a process, as a whole: who waits for the file reads a
/// number.
pub(super) fn write_pid_file(parsed: &Parsed, pid: i32) -> Result<(), Error> {
    let Some(path) = parsed.value("pid-file").map(Path::new) else {
        return Ok(());
    };
    let write = || -> std::io::Result<()> {
        let name = path.file_name().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        let temporary = path.with_file_name(temporary);
        // What a killed command has left; and never through a link, where the
        // directory is open to others.
        let _ = std::fs::remove_file(&temporary);
        let mut file = std::fs::File::create_new(&temporary)?;
        std::io::Write::write_all(&mut file, pid.to_string().as_bytes())?;
        std::fs::rename(&temporary, path).inspect_err(|_| drop(std::fs::remove_file(&temporary)))
    };
    write().map_err(|source| Error::io("writing", path, source))
}

/// How many descriptors from 3 on are the container's by socket activation
/// (sd_listen_fds(3)): none that are meant for another process, whose
/// environment has been passed on.
fn activated() -> u32 {
    let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    match number("LISTEN_PID") {
        Some(pid) if pid == std::process::id() => number("LISTEN_FDS").unwrap_or(0),
        _ => 0,
    }
}

/// The number of descriptors to pass on, all of which must be open: first those
/// of socket activation, then those that were asked for.
pub(super) fn preserved(parsed: &Parsed, activated: u32) -> Result<u32, Error> {
    let wanted = match parsed.value("preserve-fds") {
        None => 0,
        Some(text) => text.parse::<u32>().map_err(|_| {
            Error::Usage(format!("--preserve-fds: {text:?} is not a number of files"))
        })?,
    };
    let total = activated.saturating_add(wanted);
    for number in 3..total.saturating_add(3) {
        let path = format!("/proc/self/fd/{number}");
        if rustix::fs::readlink(path.as_str(), Vec::new()).is_err() {
            return Err(Error::Usage(format!(
                "--preserve-fds: please check that preserved-fd {number} (of {total}) is present: \
                 it is not open"
            )));
        }
    }
    Ok(total)
}

/// Who makes control groups.
pub(super) fn driver(globals: &Globals) -> Driver {
    if globals.systemd_cgroup {
        Driver::Systemd
    } else {
        Driver::Cgroupfs
    }
}

pub(super) fn bundle(parsed: &Parsed) -> Result<PathBuf, Error> {
    let path = parsed.value("bundle").filter(|path| !path.is_empty());
    let path = Path::new(path.unwrap_or("."));
    path.canonicalize()
        .map_err(|source| Error::io("using the bundle", path, source))
}

/// A terminal whose master nobody gets makes no sense, nor the other way round.
pub(super) fn check_terminal(terminal: bool, detach: bool, receiver: bool) -> Result<(), Error> {
    if terminal && detach && !receiver {
        return Err(Error::State(
            "cannot allocate tty without setting --console-socket: nobody would have its other end"
                .to_owned(),
        ));
    }
    if receiver && !(terminal && detach) {
        return Err(Error::State(
            "cannot use --console-socket without detaching and process.terminal".to_owned(),
        ));
    }
    Ok(())
}
