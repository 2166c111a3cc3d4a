//! The configured mounts, in order.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tare_oci::runtime::{Mount, Spec};
use tare_sys::mount::Attributes;

use super::options::MountOptions;
use super::{bind, cgroup, change, filesystem, proc_guard, remount};
use crate::failure::{Failure, Step};

/// What a mount of type `cgroup` shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct CgroupView {
    /// v1 hierarchies.
    pub(crate) hierarchies: Vec<CgroupHierarchyView>,
    /// What is shown of the v2 hierarchy, when that is the only one.
    pub(crate) unified: Option<PathBuf>,
}

/// One v1 hierarchy.
#[derive(Debug, Clone)]
pub(crate) struct CgroupHierarchyView {
    /// Name of its directory under /sys/fs/cgroup.
    pub(crate) name: String,
    /// Controllers, or `name=...`.
    pub(crate) controllers: Vec<String>,
    /// The container's group on the host.
    pub(crate) path: PathBuf,
}

/// What all mounts have in common.
pub(super) struct Context<'a> {
    /// The root file system, attached.
    pub(super) root: BorrowedFd<'a>,
    /// Where relative sources begin.
    pub(super) bundle: &'a Path,
    /// Label of new file systems.
    pub(super) label: Option<&'a str>,
    /// What is shown of the control groups.
    pub(super) cgroups: &'a CgroupView,
    /// Whether the kernel will forbid some mounts, which are replaced then.
    pub(super) in_user_namespace: bool,
    /// Whether the mounts of this namespace have been cut off from the host's.
    pub(super) own_mount_namespace: bool,
    /// Whether they have been left shared with the host's.
    pub(super) shared_with_host: bool,
}

impl Context<'_> {
    /// Sees to it that what is mounted below a copy of a host's mount does not
    /// show on the host. A copy made in this namespace is cut off already,
    /// where the namespace is the container's own; one made by the parent is
    /// not.
    pub(super) fn cut_off(&self, tree: BorrowedFd<'_>, by_parent: bool) -> Result<(), Errno> {
        let wanted = self.shared_with_host && self.own_mount_namespace && !self.in_user_namespace;
        if wanted || self.own_mount_namespace && !by_parent {
            return Ok(());
        }
        let slave = Attributes {
            propagation: Attributes::SLAVE,
            ..Attributes::default()
        };
        change(tree, true, slave)
    }
}

/// Why a mount was not made.
pub(super) enum Refusal {
    /// The kernel's answer, and what its file system has to say about it.
    Kernel(Errno, String),
    /// A reason of ours.
    Sentence(String),
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Refusal {
        Refusal::Kernel(error, String::new())
    }
}

/// What the steps after the mounts need of them.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// Its /dev, when that is a tmpfs made here and so known to be empty.
    pub(super) dev: Option<OwnedFd>,
    /// Whether /dev is a bind mount: then it is taken as it is.
    pub(super) dev_is_bind: bool,
    /// Its /dev/pts.
    pub(super) pts: Option<OwnedFd>,
    /// Mounts that become read-only when everything in them has been made.
    read_only_later: Vec<(String, OwnedFd)>,
}

impl Attached {
    /// Makes those mounts read-only that are to be.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let attributes = Attributes {
            set: Attributes::RDONLY,
            ..Attributes::default()
        };
        for (destination, mount) in &self.read_only_later {
            change(mount.as_fd(), false, attributes).map_err(|error| {
                Failure::new(
                    Step::Mount,
                    format!("\"{destination}\" read-only in the end"),
                    error,
                )
            })?;
        }
        Ok(())
    }
}

/// Makes and attaches all mounts of the configuration. Those in `prepared`
/// have been opened before.
pub(super) fn attach_all(
    spec: &Spec,
    prepared: &[Option<OwnedFd>],
    context: &Context<'_>,
) -> Result<Attached, Failure> {
    let mut attached = Attached::default();
    for (index, mount) in spec.mounts.iter().enumerate() {
        let mut options = MountOptions::parse(&mount.options);
        let kind = kind(mount, &options);
        let place = normal(&mount.destination);
        // As runc: files are still to be made in it, and a tmpfs may get
        // directories for the mounts that come after it.
        let later = options.attributes.set & Attributes::RDONLY != 0
            && !options.remount
            && (kind == "tmpfs" || place == "/dev");
        if later {
            options.attributes.set &= !Attributes::RDONLY;
        }
        let prepared = prepared.get(index).and_then(Option::as_ref);
        let made = attach_one(mount, kind, &options, prepared.map(AsFd::as_fd), context)
            .map_err(|refusal| failure(mount, refusal))?;
        if later && let Some(made) = &made {
            let copy = made
                .try_clone()
                .map_err(|error| Failure::new(Step::Mount, describe(mount), error))?;
            attached
                .read_only_later
                .push((mount.destination.clone(), copy));
        }
        if options.remount {
            continue;
        }
        // The last mount at a place is the one that is seen.
        match place.as_str() {
            "/dev" => {
                attached.dev = made.filter(|_| kind == "tmpfs" && !options.copy_up);
                attached.dev_is_bind = kind == "bind";
            }
            "/dev/pts" => attached.pts = made.filter(|_| kind == "devpts"),
            _ => {}
        }
    }
    Ok(attached)
}

fn failure(mount: &Mount, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Kernel(error, text) => {
            Failure::new(Step::Mount, format!("{}{text}", describe(mount)), error)
        }
        Refusal::Sentence(text) => Failure::sentence(
            Step::Mount,
            format!("error mounting {}: {text}", describe(mount)),
        ),
    }
}

/// A mount for people: `"proc" to rootfs at "/proc"`.
pub(super) fn describe(mount: &Mount) -> String {
    let source = mount.source.as_deref().unwrap_or("none");
    format!("\"{source}\" to rootfs at \"{}\"", mount.destination)
}

/// Whether it makes something of the host visible.
pub(crate) fn is_bind(mount: &Mount) -> bool {
    kind(mount, &MountOptions::parse(&mount.options)) == "bind"
}

/// What kind of mount it is: a file system's type, or `bind`.
pub(super) fn kind<'a>(mount: &'a Mount, options: &MountOptions) -> &'a str {
    match mount.kind.as_deref() {
        _ if options.bind.is_some() => "bind",
        None | Some("" | "none") => "bind",
        Some(kind) => kind,
    }
}

/// A path with single slashes and none at its end, for comparison only. As
/// the specification has it, a relative one begins at the root.
fn normal(path: &str) -> String {
    let mut normal = String::new();
    for component in path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
    {
        normal.push('/');
        normal.push_str(component);
    }
    normal
}

fn attach_one(
    mount: &Mount,
    kind: &str,
    options: &MountOptions,
    prepared: Option<BorrowedFd<'_>>,
    context: &Context<'_>,
) -> Result<Option<OwnedFd>, Refusal> {
    if options.id_map.is_some() && kind != "bind" {
        return Err(Refusal::Sentence(
            "id-mapped mounts are only supported for bind-mounts".to_owned(),
        ));
    }
    if options.copy_up && kind != "tmpfs" {
        return Err(Refusal::Sentence(format!(
            "the option tmpcopyup is for tmpfs, not for {kind}"
        )));
    }
    let made = if options.remount {
        remount::apply(mount, kind, options, context.root)?
    } else {
        match kind {
            "bind" => bind::attach(mount, options, prepared, context)?,
            "cgroup" | "cgroup2" => cgroup::attach(mount, options, context)?,
            kind => filesystem::attach(kind, mount, options, context)?,
        }
    };
    for (propagation, recursive) in &options.propagation {
        let attributes = Attributes {
            propagation: *propagation,
            ..Attributes::default()
        };
        change(made.as_fd(), *recursive, attributes)?;
    }
    Ok(Some(made))
}

/// Refuses places that must not be mounted over.
pub(super) fn check_place(
    context: &Context<'_>,
    place: BorrowedFd<'_>,
    source: Option<BorrowedFd<'_>>,
) -> Result<(), Refusal> {
    let path = super::resolve::path_inside(context.root, place)?;
    if path == "/" {
        return Err(Refusal::Sentence(
            "it would cover the root file system".to_owned(),
        ));
    }
    proc_guard::check(&path, source).map_err(Refusal::Sentence)
}
