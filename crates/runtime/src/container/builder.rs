//! What a container is made from.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use tare_oci::runtime::{NamespaceKind, Spec};

use super::{Container, Identity, Stdio};
use crate::cgroup::Driver;
use crate::error::Error;
use crate::rootfs::Rootfs;
use crate::seccomp::Cache;

/// The description of a container that does not exist yet.
///
/// ```no_run
/// use std::os::fd::OwnedFd;
/// use tare_oci::runtime::{Linux, Process, Root, Spec};
/// use tare_runtime::{Container, Rootfs, Stdio, defaults};
///
/// let spec = Spec {
///     version: "1.2.0".to_owned(),
///     process: Some(Process {
///         args: vec!["/bin/true".to_owned()],
///         cwd: "/".to_owned(),
///         ..Process::default()
///     }),
///     root: Some(Root::default()),
///     mounts: defaults::mounts(64 << 20),
///     linux: Some(Linux {
///         namespaces: defaults::namespaces(),
///         ..Linux::default()
///     }),
///     ..Spec::default()
/// };
/// let stream = || std::fs::File::open("/dev/null").map(OwnedFd::from);
/// let mut container = Container::builder("example", &spec)
///     .rootfs(Rootfs::Path("/srv/rootfs".into()))
///     .stdio(Stdio::Pipes {
///         stdin: stream()?,
///         stdout: stream()?,
///         stderr: stream()?,
///     })
///     .create()?;
/// container.start()?;
/// // ... reap `container.pid`, then:
/// container.destroy();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Builder<'a> {
    pub(super) id: &'a str,
    pub(super) spec: &'a Spec,
    pub(super) rootfs: Option<Rootfs>,
    pub(super) namespaces: Vec<(NamespaceKind, OwnedFd)>,
    pub(super) stdio: Option<Stdio>,
    pub(super) identity: Identity,
    pub(super) bundle: PathBuf,
    pub(super) driver: Driver,
    pub(super) gate: Option<OwnedFd>,
    pub(super) preserved: u32,
    pub(super) rootless: bool,
    pub(super) new_keyring: bool,
    pub(super) cache: Option<Cache>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(id: &'a str, spec: &'a Spec) -> Builder<'a> {
        Builder {
            id,
            spec,
            rootfs: None,
            namespaces: Vec::new(),
            stdio: None,
            identity: Identity::Configured,
            bundle: PathBuf::new(),
            driver: Driver::Cgroupfs,
            gate: None,
            preserved: 0,
            rootless: false,
            new_keyring: true,
            cache: None,
        }
    }

    /// Its root file system. Without this it is the directory `root.path`.
    #[must_use]
    pub fn rootfs(mut self, rootfs: Rootfs) -> Self {
        self.rootfs = Some(rootfs);
        self
    }

    /// Namespaces to join, whatever the configuration says of their kinds.
    #[must_use]
    pub fn join(mut self, namespaces: Vec<(NamespaceKind, OwnedFd)>) -> Self {
        self.namespaces = namespaces;
        self
    }

    /// The program's standard streams; must agree with `process.terminal`.
    /// Without this they are the caller's own.
    #[must_use]
    pub fn stdio(mut self, stdio: Stdio) -> Self {
        self.stdio = Some(stdio);
        self
    }

    /// Who the program runs as.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The bundle's directory, absolute: hooks are told, and a relative
    /// `root.path` begins there.
    #[must_use]
    pub fn bundle(mut self, bundle: &Path) -> Self {
        bundle.clone_into(&mut self.bundle);
        self
    }

    /// Who makes its control groups.
    #[must_use]
    pub fn cgroup_driver(mut self, driver: Driver) -> Self {
        self.driver = driver;
        self
    }

    /// A listening socket ([`crate::gate`]) at which the container waits for
    /// its start, so that the caller may end before.
    #[must_use]
    pub fn gate(mut self, gate: OwnedFd) -> Self {
        self.gate = Some(gate);
        self
    }

    /// How many of the caller's descriptors from 3 on the program gets.
    #[must_use]
    pub fn preserve(mut self, descriptors: u32) -> Self {
        self.preserved = descriptors;
        self
    }

    /// Whether the caller is nobody in particular on this host: what needs
    /// privilege and was not asked for is left out.
    #[must_use]
    pub fn rootless(mut self, rootless: bool) -> Self {
        self.rootless = rootless;
        self
    }

    /// Whether its processes have a session keyring of their own.
    #[must_use]
    pub fn new_keyring(mut self, new: bool) -> Self {
        self.new_keyring = new;
        self
    }

    /// Where compiled system call filters are kept for the next container.
    #[must_use]
    pub fn seccomp_cache(mut self, cache: Option<Cache>) -> Self {
        self.cache = cache;
        self
    }

    /// Makes the container up to the point where its program could run. On an
    /// error nothing of it is left: no process, no mount, no control group.
    ///
    /// Also makes the calling process undumpable for good: its copies must
    /// not be open to what runs in the container.
    ///
    /// # Errors
    /// When the configuration asks for what cannot be, or a step fails.
    pub fn create(self) -> Result<Container, Error> {
        super::create::create(self)
    }
}
