//! The container's first process, from its birth to its program.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use tare_oci::runtime::{NamespaceKind, PersonalityDomain, Spec};
use tare_sys::namespace::{self, Kinds};
use tare_sys::{SingleThreaded, keyring, scheduling};

use crate::failure::{Failure, Step};
use crate::handshake::ChildEnd;
use crate::plan::parameter_path;
use crate::process::{Prepared, Streams, write_below};
use crate::rootfs::{self, CgroupView, Rootfs};
use crate::terminal::Terminal;

/// Everything that the process needs, made by its parent.
pub(crate) struct Plan<'a> {
    pub(crate) id: &'a str,
    pub(crate) spec: &'a Spec,
    pub(crate) rootfs: &'a Rootfs,
    pub(crate) prepared: &'a Prepared,
    /// v1 groups to enter.
    pub(crate) cgroup_entries: &'a [PathBuf],
    pub(crate) cgroup_view: &'a CgroupView,
    /// Sources of mounts, opened by the parent.
    pub(crate) mounts: &'a [Option<OwnedFd>],
    /// Namespaces to join.
    pub(crate) join: &'a [(NamespaceKind, OwnedFd)],
    /// Whether a cgroup namespace is to be made.
    pub(crate) new_cgroup_namespace: bool,
    /// Whether a time namespace is to be made.
    pub(crate) new_time_namespace: bool,
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
            Ok(terminal) => self
                .prepared
                .become_program(proof, channel, streams, terminal),
        }
    }

    fn prepare(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
    ) -> Result<Option<Terminal>, Failure> {
        begin(self.cgroup_entries)?;
        self.prepared.apply_on_host()?;
        self.enter_namespaces(proof)?;
        self.name_host()?;
        join_keyring(self.id)?;
        if let Some(personality) = self.linux(|linux| linux.personality.as_ref()) {
            let domain = match personality.domain {
                PersonalityDomain::Linux => 0,
                PersonalityDomain::Linux32 => 8,
            };
            scheduling::set_personality(domain).map_err(|error| {
                Failure::new(Step::Scheduling, "setting the personality", error)
            })?;
        }
        let terminal = rootfs::build(rootfs::Build {
            spec: self.spec,
            rootfs: self.rootfs,
            cgroups: self.cgroup_view,
            channel,
            prepared: self.mounts,
            root: None,
            in_user_namespace: crate::user_namespace::is_limited(),
            own_mount_namespace: true,
            before_pivot: &mut || Ok(()),
        })?;
        self.set_kernel_parameters()?;
        Ok(terminal)
    }

    fn linux<'a, T>(
        &'a self,
        field: impl FnOnce(&'a tare_oci::runtime::Linux) -> Option<T>,
    ) -> Option<T> {
        self.spec.linux.as_ref().and_then(field)
    }

    fn enter_namespaces(&self, proof: SingleThreaded) -> Result<(), Failure> {
        for (kind, namespace) in self.join {
            // Children alone are born in a PID namespace: the parent saw to it.
            if *kind == NamespaceKind::Pid {
                continue;
            }
            namespace::enter(proof, namespace.as_fd(), kinds(*kind))
                .map_err(|error| Failure::new(Step::Namespace, name(*kind), error))?;
        }
        if self.new_cgroup_namespace {
            // After the groups have been entered: they are its root.
            namespace::leave(proof, Kinds::CGROUP)
                .map_err(|error| Failure::new(Step::Namespace, "cgroup", error))?;
        }
        if self.new_time_namespace {
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
