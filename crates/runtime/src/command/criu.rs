//! The program `criu`, which writes a container's processes to files and brings
//! them back. It is the host's, and is executed: what it does (parasite code,
//! the inside of sockets) is its own art.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tare_oci::runtime::{Mount, Spec};

use super::flags::{Flag, Parsed};
use super::{Error, Globals};
use crate::cgroup::Cgroup;
use crate::rootfs::is_bind;

/// The file that says where the first process's standard streams went.
pub(super) const DESCRIPTORS: &str = "descriptors.json";
/// How many lines of criu's log are shown when it fails.
const SHOWN: usize = 3;

/// Flags of both commands, which are criu's own under runc's names.
pub(super) const IMAGE_PATH: Flag = Flag::value(
    "image-path",
    "DIR",
    "where the checkpoint is; `checkpoint` by default",
);
pub(super) const WORK_PATH: Flag = Flag::value("work-path", "DIR", "where criu keeps its log");
pub(super) const TCP: Flag = Flag::switch("tcp-established", "also established TCP connections");
pub(super) const EXT_UNIX: Flag = Flag::switch("ext-unix-sk", "also sockets to the outside");
pub(super) const SHELL_JOB: Flag = Flag::switch("shell-job", "also terminals of the outside");
pub(super) const LAZY: Flag = Flag::switch("lazy-pages", "bring memory when it is touched");
pub(super) const FILE_LOCKS: Flag = Flag::switch("file-locks", "also locks of files");
pub(super) const MANAGE_CGROUPS: Flag = Flag::value(
    "manage-cgroups-mode",
    "soft|full|strict|ignore",
    "how criu treats control groups",
);
pub(super) const EMPTY_NS: Flag = Flag::value(
    "empty-ns",
    "network",
    "a namespace whose content is not kept; may be repeated",
);
pub(super) const AUTO_DEDUP: Flag =
    Flag::switch("auto-dedup", "drop memory that a later checkpoint has");
pub(super) const LSM_PROFILE: Flag = Flag::value(
    "lsm-profile",
    "TYPE:NAME",
    "security profile of the restored",
);
pub(super) const LSM_MOUNT: Flag = Flag::value(
    "lsm-mount-context",
    "CONTEXT",
    "security context of restored mounts",
);

/// One execution of criu.
pub(super) struct Criu {
    command: Command,
    program: PathBuf,
    log: PathBuf,
}

impl Criu {
    /// `criu <action>` with what both actions share.
    pub(super) fn new(globals: &Globals, parsed: &Parsed, action: &str) -> Result<Criu, Error> {
        let images = image_directory(parsed);
        let work = parsed
            .value("work-path")
            .map_or(images.clone(), PathBuf::from);
        std::fs::create_dir_all(&work).map_err(|source| Error::io("making", &work, source))?;
        let log = format!("{action}.log");
        let mut command = Command::new(&globals.criu);
        command
            .arg(action)
            .arg("--images-dir")
            .arg(&images)
            .arg("--work-dir")
            .arg(&work)
            .args(["--log-file", &log, "-v4"])
            // The mode is an optional argument: only one word names it.
            .arg(format!("--manage-cgroups={}", cgroup_mode(parsed)?));
        for (flag, option) in [
            ("tcp-established", "--tcp-established"),
            ("ext-unix-sk", "--ext-unix-sk"),
            ("shell-job", "--shell-job"),
            ("lazy-pages", "--lazy-pages"),
            ("file-locks", "--file-locks"),
            ("auto-dedup", "--auto-dedup"),
        ] {
            if parsed.has(flag) {
                command.arg(option);
            }
        }
        for namespace in parsed.values("empty-ns") {
            if namespace != "network" {
                return Err(Error::Usage(format!(
                    "--empty-ns takes network, not {namespace:?}"
                )));
            }
            command.args(["--empty-ns", "net"]);
        }
        Ok(Criu {
            command,
            program: globals.criu.clone(),
            log: work.join(log),
        })
    }

    pub(super) fn argument(&mut self, argument: impl AsRef<std::ffi::OsStr>) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// A mount that is the outside's: `value` is its name in the checkpoint, or
    /// on the way back what takes its place.
    pub(super) fn external_mount(&mut self, key: &str, value: impl AsRef<Path>) -> &mut Self {
        let value = value.as_ref().display();
        self.argument("--external")
            .argument(format!("mnt[{key}]:{value}"))
    }

    /// Standard streams for what criu brings back.
    pub(super) fn streams(&mut self, [input, output, error]: [Stdio; 3]) -> &mut Self {
        self.command.stdin(input).stdout(output).stderr(error);
        self
    }

    pub(super) fn run(&mut self) -> Result<(), Error> {
        let status = tare_sys::signal::unblock_in(&mut self.command)
            .status()
            .map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => Error::Unavailable(format!(
                    "{} is not installed, and checkpoint and restore need it: install the package \
                 criu, or name the program by --criu",
                    self.program.display()
                )),
                _ => Error::io("executing", &self.program, source),
            })?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Unavailable(format!(
            "criu failed ({status}): {}; its log is {}",
            self.last_errors(),
            self.log.display()
        )))
    }

    /// What criu's log says last about errors.
    fn last_errors(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let errors: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once("Error").map(|(_, error)| error.trim()))
            .collect();
        let from = errors.len().saturating_sub(SHOWN);
        if errors.is_empty() {
            "it says nothing of the reason".to_owned()
        } else {
            errors[from..].join("; ")
        }
    }
}

/// Refuses who is not the host's root, whom criu does not serve.
pub(super) fn check_privilege() -> Result<(), Error> {
    if rustix::process::geteuid().is_root() && !crate::user_namespace::is_limited() {
        return Ok(());
    }
    Err(Error::Unavailable(
        "checkpoint and restore need root privileges on the host".to_owned(),
    ))
}

pub(super) fn image_directory(parsed: &Parsed) -> PathBuf {
    PathBuf::from(parsed.value("image-path").unwrap_or("checkpoint"))
}

fn cgroup_mode(parsed: &Parsed) -> Result<&str, Error> {
    match parsed.value("manage-cgroups-mode") {
        None => Ok("soft"),
        Some(mode @ ("soft" | "full" | "strict" | "ignore")) => Ok(mode),
        Some(other) => Err(Error::Usage(format!(
            "invalid manage-cgroups-mode {other:?}"
        ))),
    }
}

/// The mounts of a container that come from outside, and where: bind mounts,
/// the view of its control groups, and what covers masked files. Which paths are
/// files shows in the live container's root; on the way back every one may be,
/// and a name that is not needed does no harm.
pub(super) fn external_mounts(
    spec: &Spec,
    live: Option<&Path>,
    cgroup: &Cgroup,
) -> Vec<(String, PathBuf)> {
    let mut mounts = Vec::new();
    for mount in &spec.mounts {
        match mount.kind.as_deref() {
            Some("cgroup" | "cgroup2") => add_groups(mount, cgroup, &mut mounts),
            _ if is_bind(mount) => mounts.push((
                mount.destination.clone(),
                PathBuf::from(mount.source.as_deref().unwrap_or_default()),
            )),
            _ => {}
        }
    }
    let masked = spec.linux.iter().flat_map(|linux| &linux.masked_paths);
    for path in masked {
        // Directories are covered by file systems of their own.
        let is_file = live.is_none_or(|root| {
            std::fs::metadata(root.join(path.trim_start_matches('/')))
                .is_ok_and(|metadata| !metadata.is_dir())
        });
        if is_file {
            mounts.push((path.clone(), PathBuf::from("/dev/null")));
        }
    }
    mounts
}

fn add_groups(mount: &Mount, cgroup: &Cgroup, mounts: &mut Vec<(String, PathBuf)>) {
    let layout = cgroup.layout();
    let place = mount.destination.trim_end_matches('/');
    if layout.hierarchies.is_empty() {
        mounts.extend(
            cgroup
                .unified_directory()
                .map(|group| (place.to_owned(), group)),
        );
        return;
    }
    for hierarchy in &layout.hierarchies {
        mounts.push((
            format!("{place}/{}", hierarchy.name()),
            cgroup.directory(hierarchy),
        ));
    }
}
