//! The container's first process, from its birth to its program.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use rustix::process::DumpableBehavior;
use tare_oci::runtime::{NamespaceKind, Spec};
use tare_sys::namespace::{self, Kinds};
use tare_sys::{SingleThreaded, keyring};

use crate::conditions::Conditions;
use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::hook;
use crate::plan::{Namespaces, parameter_path};
use crate::process::{Ending, Prepared, Streams, write_below};
use crate::rootfs::{self, Build, CgroupView, Rootfs};
use crate::state_document::{self, Status};
use crate::terminal::Terminal;
use crate::user_namespace;

/// Everything that the process needs, made by its parent.
pub(crate) struct Plan<'a> {
    pub(crate) id: &'a str,
    pub(crate) spec: &'a Spec,
    pub(crate) rootfs: &'a Rootfs,
    pub(crate) prepared: &'a Prepared,
    /// What its programs are run under.
    pub(crate) conditions: &'a Conditions,
    /// v1 groups to enter.
    pub(crate) cgroup_entries: &'a [PathBuf],
    pub(crate) cgroup_view: &'a CgroupView,
    /// Whether it has a session keyring of its own.
    pub(crate) new_keyring: bool,
    /// For the state that hooks are told.
    pub(crate) bundle: &'a Path,
    /// Where to wait for the start.
    pub(crate) gate: Option<BorrowedFd<'a>>,
    /// Whether the parent has something to do before the process goes on.
    pub(crate) waits_to_go: bool,
    /// Whether the namespaces to join have been joined before.
    pub(crate) inside: Inside,
    /// Whether the parent sets the out-of-memory score.
    pub(crate) scored_by_parent: bool,
    pub(crate) namespaces: &'a Namespaces,
    /// What the parent has opened, mount by mount.
    pub(crate) mounts: &'a [Option<OwnedFd>],
    /// The root file system, when the parent has mounted it.
    pub(crate) root: Option<BorrowedFd<'a>>,
}

/// How far into existing namespaces a process was born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Not at all.
    Not,
    /// In all that are to be joined, by way of another process, which has also
    /// done what is to be done on the host.
    Joined,
}

impl Plan<'_> {
    /// Becomes the program. Returns only when a step has failed.
    pub(crate) fn run(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        streams: Streams,
    ) -> Failure {
        match self.prepare(proof, channel) {
            Err(failure) => failure,
            Ok(terminal) => self.prepared.become_program(
                proof,
                channel,
                Ending {
                    streams,
                    terminal,
                    gate: self.gate,
                    hooks: &|| self.run_start_hooks(),
                },
            ),
        }
    }

    fn prepare(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
    ) -> Result<Option<Terminal>, Failure> {
        if self.waits_to_go {
            channel.wait_go()?;
        }
        begin(self.cgroup_entries)?;
        if self.inside == Inside::Not {
            self.prepared.apply_score(self.scored_by_parent)?;
            if self.joins_mounts() {
                self.prepared.apply_label()?;
            }
            self.join_namespaces(proof)?;
        }
        self.make_namespaces(proof)?;
        if self.namespaces.all.contains(Kinds::USER) {
            become_root_inside()?;
        }
        close_to_others()?;
        self.name_host()?;
        if self.new_keyring {
            join_keyring(self.id)?;
        }
        self.conditions.take_on()?;
        rootfs::build(Build {
            spec: self.spec,
            bundle: self.bundle,
            rootfs: self.rootfs,
            cgroups: self.cgroup_view,
            channel,
            prepared: self.mounts,
            root: self.root,
            in_user_namespace: self.namespaces.all.contains(Kinds::USER)
                || user_namespace::is_limited(),
            own_mount_namespace: self.namespaces.all.contains(Kinds::MOUNT),
            before_pivot: &mut || {
                // While the host's /proc is still to be seen: who is root of a
                // user namespace only may not make one of his own afterwards.
                self.set_kernel_parameters()?;
                self.run_create_hooks(channel)?;
                // Not before: hooks are the host's programs, and would run
                // under it.
                if self.joins_mounts() {
                    return Ok(());
                }
                self.prepared.apply_label()
            },
        })
    }

    /// Whether the host's /proc is gone once the namespaces have been joined.
    pub(crate) fn joins_mounts(&self) -> bool {
        let mut joined = self.namespaces.join.iter();
        joined.any(|(kind, _)| *kind == NamespaceKind::Mount)
    }

    /// Hooks of both sides while everything is mounted and the root not yet
    /// changed: first the parent's, then those that run in the container's
    /// namespaces.
    fn run_create_hooks(&self, channel: &ChildEnd) -> Result<(), Failure> {
        let Some(hooks) = self.spec.hooks.as_ref().filter(|hooks| {
            !hooks.prestart.is_empty()
                || !hooks.create_runtime.is_empty()
                || !hooks.create_container.is_empty()
        }) else {
            return Ok(());
        };
        channel.mounted()?;
        let state = self.state(Status::Creating);
        hook::run_all("createContainer", &hooks.create_container, &state)
            .map_err(|failed| Failure::sentence(Step::Hook, failed.to_string()))
    }

    fn run_start_hooks(&self) -> Result<(), Failure> {
        let Some(hooks) = &self.spec.hooks else {
            return Ok(());
        };
        if hooks.start_container.is_empty() {
            return Ok(());
        }
        let state = self.state(Status::Created);
        hook::run_all("startContainer", &hooks.start_container, &state)
            .map_err(|failed| Failure::sentence(Step::Hook, failed.to_string()))
    }

    /// The state for hooks inside, who are told the process's number as it is
    /// seen there (config.md, "POSIX-platform Hooks").
    fn state(&self, status: Status) -> Vec<u8> {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        state_document::encode(self.id, status, pid, self.bundle, &self.spec.annotations)
    }

    fn linux<'a, T>(
        &'a self,
        field: impl FnOnce(&'a tare_oci::runtime::Linux) -> Option<T>,
    ) -> Option<T> {
        self.spec.linux.as_ref().and_then(field)
    }

    fn join_namespaces(&self, proof: SingleThreaded) -> Result<(), Failure> {
        for (kind, namespace) in &self.namespaces.join {
            // Children alone are born in a PID namespace: the parent saw to it.
            if *kind == NamespaceKind::Pid {
                continue;
            }
            namespace::enter(proof, namespace.as_fd(), kinds(*kind))
                .map_err(|error| Failure::new(Step::Namespace, name(*kind), error))?;
        }
        Ok(())
    }

    fn make_namespaces(&self, proof: SingleThreaded) -> Result<(), Failure> {
        if self.namespaces.new_cgroup {
            // After the groups have been entered: they are its root.
            namespace::leave(proof, Kinds::CGROUP)
                .map_err(|error| Failure::new(Step::Namespace, "cgroup", error))?;
        }
        if self.namespaces.new_time {
            self.enter_new_time_namespace(proof)
                .map_err(|error| Failure::new(Step::Namespace, "time", error))?;
        }
        Ok(())
    }

    fn enter_new_time_namespace(&self, proof: SingleThreaded) -> std::io::Result<()> {
        namespace::leave(proof, Kinds::TIME)?;
        let offsets = self.linux(|linux| Some(&linux.time_offsets));
        for (clock, offset) in offsets.into_iter().flatten() {
            let line = format!("{clock} {} {}", offset.secs, offset.nanosecs);
            std::fs::write("/proc/self/timens_offsets", line)?;
        }
        let new = rustix::fs::open(
            "/proc/self/ns/time_for_children",
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        namespace::enter(proof, new.as_fd(), Kinds::TIME)
    }

    fn name_host(&self) -> Result<(), Failure> {
        if let Some(hostname) = self
            .spec
            .hostname
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            rustix::system::sethostname(hostname.as_bytes())
                .map_err(|error| Failure::new(Step::Hostname, "host name", error))?;
        }
        if let Some(domain) = self
            .spec
            .domainname
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            rustix::system::setdomainname(domain.as_bytes())
                .map_err(|error| Failure::new(Step::Hostname, "domain name", error))?;
        }
        Ok(())
    }

    /// Kernel parameters of the new namespaces.
    fn set_kernel_parameters(&self) -> Result<(), Failure> {
        let Some(parameters) = self.linux(|linux| Some(&linux.sysctl)) else {
            return Ok(());
        };
        if parameters.is_empty() {
            return Ok(());
        }
        // Read-only paths lie on top of /proc/sys by now, and the container's
        // /proc may be anything: a fresh one is private and verified.
        let private = new_proc().map_err(|error| Failure::new(Step::Sysctl, "/proc", error))?;
        for (parameter, value) in parameters {
            let path = parameter_path(parameter);
            let path = CString::new(format!("sys/{path}"))
                .map_err(|_| Failure::sentence(Step::Sysctl, "linux.sysctl holds a NUL byte"))?;
            write_below(private.as_fd(), &path, value)
                .map_err(|error| Failure::new(Step::Sysctl, parameter, error))?;
        }
        Ok(())
    }
}

/// What every process of a container begins with.
pub(crate) fn begin(cgroup_entries: &[PathBuf]) -> Result<(), Failure> {
    // Modes are given exactly where files are made; the program's own mask is
    // set in the end.
    rustix::process::umask(Mode::empty());
    rustix::process::setsid()
        .map_err(|error| Failure::new(Step::Identity, "leading a session", error))?;
    enter_groups(cgroup_entries)
}

/// Enters v1 control groups.
pub(crate) fn enter_groups(cgroup_entries: &[PathBuf]) -> Result<(), Failure> {
    for path in cgroup_entries {
        // "0" is the writer itself, which spares it a wait: see
        // `Cgroup::entries`.
        let enter = || {
            let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            rustix::io::write(&file, b"0")
        };
        enter().map_err(|error| Failure::new(Step::Cgroup, path.display().to_string(), error))?;
    }
    Ok(())
}

/// Enters a v2 control group.
pub(crate) fn enter_unified(group: &OwnedFd) -> Result<(), Failure> {
    let enter = || {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(group, "cgroup.procs", flags, Mode::empty())?;
        rustix::io::write(&file, b"0")
    };
    enter()
        .map(drop)
        .map_err(|error| Failure::new(Step::Cgroup, "cgroup.procs", error))
}

/// Takes on the IDs that are root's in the user namespace. Until then the
/// process has those of its maker, which may have no meaning inside.
pub(crate) fn become_root_inside() -> Result<(), Failure> {
    let failed = |what: &'static str| move |error: Errno| Failure::new(Step::Identity, what, error);
    match rustix::thread::set_thread_groups(&[]) {
        // Who is not root on the host keeps his groups.
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(failed("leaving the groups")(error)),
    }
    let group = Gid::ROOT;
    rustix::thread::set_thread_res_gid(group, group, group).map_err(failed(
        "becoming root of the user namespace, whose gidMappings must map 0",
    ))?;
    let user = Uid::ROOT;
    rustix::thread::set_thread_res_uid(user, user, user).map_err(failed(
        "becoming root of the user namespace, whose uidMappings must map 0",
    ))
}

/// Puts the process out of reach of those that are in the container already;
/// see [`crate::container`].
pub(crate) fn close_to_others() -> Result<(), Failure> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Failure::new(Step::Identity, "closing itself to others", error))
}

/// The container's keys are its own: a session keyring is shared by default.
pub(crate) fn join_keyring(id: &str) -> Result<(), Failure> {
    let name = CString::new(format!("_ses.{id}"))
        .map_err(|_| Failure::sentence(Step::Keyring, "the ID holds a NUL byte"))?;
    match keyring::join_session(&name) {
        // A kernel without keyrings, or an engine in a container that may not
        // use them: then there is nothing to share.
        Err(error) if matches!(error.raw_os_error(), Some(ENOSYS | EPERM)) => Ok(()),
        result => result.map_err(|error| Failure::new(Step::Keyring, id, error)),
    }
}

const ENOSYS: i32 = rustix::io::Errno::NOSYS.raw_os_error();
const EPERM: i32 = rustix::io::Errno::PERM.raw_os_error();

/// A procfs that nobody else sees and nothing is mounted on.
fn new_proc() -> Result<OwnedFd, rustix::io::Errno> {
    let context = fsopen(c"proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )
}

/// The kernel's flag for a kind of namespace.
pub(crate) fn kinds(kind: NamespaceKind) -> Kinds {
    match kind {
        NamespaceKind::Pid => Kinds::PID,
        NamespaceKind::Network => Kinds::NETWORK,
        NamespaceKind::Mount => Kinds::MOUNT,
        NamespaceKind::Ipc => Kinds::IPC,
        NamespaceKind::Uts => Kinds::UTS,
        NamespaceKind::User => Kinds::USER,
        NamespaceKind::Cgroup => Kinds::CGROUP,
        NamespaceKind::Time => Kinds::TIME,
    }
}

/// The name of a kind of namespace in the configuration.
pub(crate) fn name(kind: NamespaceKind) -> &'static str {
    match kind {
        NamespaceKind::Pid => "pid",
        NamespaceKind::Network => "network",
        NamespaceKind::Mount => "mount",
        NamespaceKind::Ipc => "ipc",
        NamespaceKind::Uts => "uts",
        NamespaceKind::User => "user",
        NamespaceKind::Cgroup => "cgroup",
        NamespaceKind::Time => "time",
    }
}
