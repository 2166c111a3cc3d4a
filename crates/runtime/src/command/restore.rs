//! `restore`: brings a container back from the files of `checkpoint`, by criu.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tare_oci::runtime::Spec;
use tare_sys::SingleThreaded;
use tare_sys::mount::Attributes;
use tare_sys::namespace::{self, Kinds};

use super::criu::{
    AUTO_DEDUP, Criu, DESCRIPTORS, EMPTY_NS, EXT_UNIX, FILE_LOCKS, IMAGE_PATH, LAZY, LSM_MOUNT,
    LSM_PROFILE, MANAGE_CGROUPS, SHELL_JOB, TCP, WORK_PATH, check_privilege, external_mounts,
    image_directory,
};
use super::delete::remove;
use super::flags::{Count, Flag, Parsed, Verb};
use super::foreground::Foreground;
use super::launch::{BUNDLE, NO_PIVOT, PID_FILE, bundle, driver, write_pid_file};
use super::{Error, Globals, log};
use crate::cgroup::{Cgroup, Place};
use crate::container::Saved;
use crate::state::{Entry, State};
use crate::{config, plan};

pub(super) const VERB: Verb = Verb {
    name: "restore",
    arguments: "<container-id>",
    about: "bring a container back from a checkpoint (needs criu)",
    flags: &[
        BUNDLE,
        IMAGE_PATH,
        WORK_PATH,
        Flag::switch("detach", "do not wait for the program's end").short('d'),
        PID_FILE,
        Flag::switch("no-subreaper", "leave orphans of the container to others"),
        NO_PIVOT,
        TCP,
        EXT_UNIX,
        SHELL_JOB,
        LAZY,
        FILE_LOCKS,
        MANAGE_CGROUPS,
        EMPTY_NS,
        AUTO_DEDUP,
        LSM_PROFILE,
        LSM_MOUNT,
    ],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    if parsed.has("no-pivot") {
        return Err(Error::Usage("--no-pivot is not supported".to_owned()));
    }
    check_privilege()?;
    let bundle = bundle(parsed)?;
    let document = config::read(&bundle)?;
    let spec = config::parse(&document)?;
    if spec
        .linux
        .as_ref()
        .is_some_and(|linux| linux.intel_rdt.is_some())
    {
        return Err(Error::Usage(
            "linux.intelRdt: a container that is restored cannot have a class of service"
                .to_owned(),
        ));
    }
    let images = image_directory(parsed);
    if !images.join("inventory.img").exists() {
        return Err(Error::Usage(format!(
            "{} holds no checkpoint: name one by --image-path",
            images.display()
        )));
    }
    let entry = globals.store.claim(parsed.id())?;
    let foreground = if parsed.has("detach") {
        None
    } else {
        Some(Foreground::begin(!parsed.has("no-subreaper"))?)
    };
    let restored = restore(globals, parsed, &entry, &bundle, &document, &spec)
        .inspect_err(|_| drop(entry.remove()))?;
    write_pid_file(parsed, restored.saved.pid)
        .inspect_err(|_| drop(remove(globals, &entry, &restored)))?;
    let Some(mut foreground) = foreground else {
        return Ok(ExitCode::SUCCESS);
    };
    // A child of this process: also one that has ended is still there.
    let pid = restored.saved.pid;
    let ended = Pid::from_raw(pid)
        .ok_or(Errno::SRCH)
        .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()))
        .map_err(|error| Error::io("waiting for", "the program", error))
        .and_then(|pidfd| foreground.attend((pid, &pidfd), None, None));
    remove(globals, &entry, &restored)?;
    ended
}

fn restore(
    globals: &Globals,
    parsed: &Parsed,
    entry: &Entry,
    bundle: &Path,
    document: &[u8],
    spec: &Spec,
) -> Result<State, Error> {
    let id = parsed.id();
    let driver = driver(globals);
    let path = plan::cgroup_path(spec, id, driver);
    let root = spec.root.as_ref().map_or("", |root| root.path.as_str());
    let mut state = State {
        saved: Saved::planned(
            id,
            bundle.to_owned(),
            Place::plan(&path, id, driver, globals.rootless)?,
        ),
        rootfs: bundle.join(root),
        created: log::now_exactly(),
        rootless: globals.rootless,
        resources: plan::resources(spec),
    };
    entry.write_state(&state)?;
    entry.write_config(document)?;
    let cgroup = Cgroup::create(&path, id, driver, globals.rootless)?;
    let finished = cgroup
        .close_devices(&state.resources)
        .and_then(|()| cgroup.set_up(&state.resources))
        .map_err(Error::from)
        .and_then(|()| execute(globals, parsed, &state.rootfs, spec, &cgroup))
        .and_then(|pid| {
            state.saved = Saved::of_process(id, bundle, pid, cgroup.place(), spec)
                .map_err(|source| Error::io("reading the process", "/proc", source))?;
            Ok(entry.write_state(&state)?)
        });
    finished.inspect_err(|_| {
        let _ = cgroup.kill();
        let _ = cgroup.remove();
    })?;
    Ok(state)
}

/// Runs criu, and returns the number of the first process.
fn execute(
    globals: &Globals,
    parsed: &Parsed,
    rootfs: &Path,
    spec: &Spec,
    cgroup: &Cgroup,
) -> Result<i32, Error> {
    mount_root(rootfs)?;
    let mut criu = Criu::new(globals, parsed, "restore")?;
    let images = image_directory(parsed);
    let pid_file = std::path::absolute(images.join(format!(".{}.pid", parsed.id())))
        .map_err(|source| Error::io("naming", &images, source))?;
    let _ = std::fs::remove_file(&pid_file);
    // Its parent is this process, which waits for its end or leaves it.
    criu.argument("--restore-detached")
        .argument("--restore-sibling")
        .argument("--pidfile")
        .argument(&pid_file)
        .argument("--root")
        .argument(rootfs)
        .argument("--cgroup-root")
        .argument(cgroup.path());
    for (place, source) in external_mounts(spec, None, cgroup) {
        criu.external_mount(&place, source);
    }
    for (flag, option) in [
        ("lsm-profile", "--lsm-profile"),
        ("lsm-mount-context", "--lsm-mount-context"),
    ] {
        if let Some(value) = parsed.value(flag) {
            criu.argument(option).argument(value);
        }
    }
    for (number, name) in descriptors(&images)?.iter().enumerate() {
        // What was the outside's, ours takes its place.
        if name.starts_with("pipe:") || name.starts_with("file[") {
            criu.argument("--inherit-fd")
                .argument(format!("fd[{number}]:{name}"));
        }
    }
    criu.streams([Stdio::inherit(), Stdio::inherit(), Stdio::inherit()]);
    let ran = criu.run().and_then(|()| {
        let text = std::fs::read_to_string(&pid_file)
            .map_err(|source| Error::io("reading", &pid_file, source))?;
        text.trim()
            .parse()
            .map_err(|_| Error::Unavailable(format!("criu wrote {text:?} as the process's number")))
    });
    let _ = std::fs::remove_file(&pid_file);
    ran
}

/// criu wants a root that is a mount. This process leaves the host's mount
/// namespace for that: nothing of it shows there, and it goes with the process.
fn mount_root(rootfs: &Path) -> Result<(), Error> {
    let failed = |source: std::io::Error| Error::io("mounting", rootfs, source);
    let proof = SingleThreaded::verify().map_err(failed)?;
    namespace::leave(proof, Kinds::MOUNT).map_err(failed)?;
    let slave = Attributes {
        propagation: Attributes::SLAVE,
        ..Attributes::default()
    };
    tare_sys::mount::set_attributes(rustix::fs::CWD, c"/", true, slave).map_err(failed)?;
    rustix::mount::mount_bind_recursive(rootfs, rootfs).map_err(|error| failed(error.into()))
}

fn descriptors(images: &Path) -> Result<Vec<String>, Error> {
    let path: PathBuf = images.join(DESCRIPTORS);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        result => result.map_err(|source| Error::io("reading", &path, source))?,
    };
    serde_json::from_slice(&text).map_err(|source| Error::Json {
        document: path.display().to_string(),
        source,
    })
}
