//! The configured mounts, in order.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{CWD, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, open_tree,
};
use tare_oci::runtime::{Mount, Spec};
use tare_sys::mount::Attributes;

use super::resolve::{self, Missing};
use super::{MountOptions, attach, cgroup, change, copy_up};
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

/// What the steps after the mounts need of them.
#[derive(Debug, Default)]
pub(crate) struct Attached {
    /// Its /dev, when that is a tmpfs made here and so known to be empty.
    pub(crate) dev: Option<OwnedFd>,
    /// Whether /dev is a bind mount: then it is taken as it is.
    pub(crate) dev_is_bind: bool,
    /// Its /dev/pts.
    pub(crate) pts: Option<OwnedFd>,
}

/// Makes and attaches all mounts of the configuration.
pub(super) fn attach_all(
    spec: &Spec,
    root: BorrowedFd<'_>,
    label: Option<&str>,
    cgroups: &CgroupView,
    prepared: &[Option<OwnedFd>],
) -> Result<Attached, Failure> {
    let mut attached = Attached::default();
    for (index, mount) in spec.mounts.iter().enumerate() {
        let prepared = prepared.get(index).and_then(Option::as_ref);
        let options = MountOptions::parse(&mount.options).map_err(|option| {
            Failure::sentence(
                Step::Mount,
                format!(
                    "error mounting {}: option {option} is not supported",
                    describe(mount)
                ),
            )
        })?;
        let made = attach_one(mount, &options, root, label, cgroups, prepared)
            .map_err(|error| Failure::new(Step::Mount, describe(mount), error))?;
        // The last mount at a place is the one that is seen.
        match normal(&mount.destination).as_str() {
            "/dev" => {
                let kind = kind(mount, &options);
                attached.dev = made.filter(|_| kind == "tmpfs" && !options.copy_up);
                attached.dev_is_bind = kind == "bind";
            }
            "/dev/pts" => attached.pts = made.filter(|_| kind(mount, &options) == "devpts"),
            _ => {}
        }
    }
    Ok(attached)
}

/// A mount for people: `"proc" to rootfs at "/proc"`.
fn describe(mount: &Mount) -> String {
    let source = mount.source.as_deref().unwrap_or("none");
    format!("\"{source}\" to rootfs at \"{}\"", mount.destination)
}

fn kind<'a>(mount: &'a Mount, options: &MountOptions) -> &'a str {
    match mount.kind.as_deref() {
        _ if options.bind.is_some() => "bind",
        None | Some("" | "none") => "bind",
        Some(kind) => kind,
    }
}

/// A path with single slashes and none at its end, for comparison only.
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
    options: &MountOptions,
    root: BorrowedFd<'_>,
    label: Option<&str>,
    cgroups: &CgroupView,
    prepared: Option<&OwnedFd>,
) -> Result<Option<OwnedFd>, Errno> {
    let made = match kind(mount, options) {
        "bind" => bind(mount, options, root, prepared)?,
        "cgroup" | "cgroup2" => {
            cgroup::attach(mount, options, root, cgroups)?;
            return Ok(None);
        }
        kind => new_file_system(kind, mount, options, root, label)?,
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

/// See [`super::prepare`].
pub(super) fn prepare(
    spec: &Spec,
    has_user_namespace: bool,
) -> Result<Vec<Option<OwnedFd>>, Failure> {
    let mut prepared = Vec::new();
    for mount in &spec.mounts {
        // What the options are is judged where the mounts are made.
        let options = MountOptions::parse(&mount.options).unwrap_or_default();
        prepared.push(if has_user_namespace && kind(mount, &options) == "bind" {
            let tree = open_source(mount, &options)
                .map_err(|error| Failure::new(Step::Mount, describe(mount), error))?;
            Some(tree)
        } else {
            None
        });
    }
    Ok(prepared)
}

/// Opens the source of a bind mount as a detached mount.
fn open_source(mount: &Mount, options: &MountOptions) -> Result<OwnedFd, Errno> {
    let source = mount.source.as_deref().ok_or(Errno::INVAL)?;
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if options.bind != Some(false) {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, source, flags)
}

/// Makes a directory or file of the host visible.
fn bind(
    mount: &Mount,
    options: &MountOptions,
    root: BorrowedFd<'_>,
    prepared: Option<&OwnedFd>,
) -> Result<OwnedFd, Errno> {
    let tree = match prepared {
        Some(tree) => rustix::io::fcntl_dupfd_cloexec(tree, 3)?,
        None => open_source(mount, options)?,
    };
    change(tree.as_fd(), false, options.attributes)?;
    change(tree.as_fd(), true, options.recursive)?;
    let is_directory = resolve::is_directory(tree.as_fd())?;
    let missing = if is_directory {
        Missing::Directory
    } else {
        Missing::File
    };
    let (place, _) = resolve::ensure(root, &mount.destination, missing)?;
    // Neither goes onto the other; the kernel's own answer says less.
    if resolve::is_directory(place.as_fd())? != is_directory {
        return Err(Errno::NOTDIR);
    }
    attach(tree.as_fd(), place.as_fd())?;
    Ok(tree)
}

/// Makes a new file system of the given type.
fn new_file_system(
    kind: &str,
    mount: &Mount,
    options: &MountOptions,
    root: BorrowedFd<'_>,
    label: Option<&str>,
) -> Result<OwnedFd, Errno> {
    let (place, existed) = resolve::ensure(root, &mount.destination, Missing::Directory)?;
    if !resolve::is_directory(place.as_fd())? {
        return Err(Errno::NOTDIR);
    }
    if matches!(kind, "proc" | "sysfs") {
        // A link there would put the one place where every mask and every
        // later check expects it somewhere else.
        resolve::open_with(
            root,
            &mount.destination,
            OFlags::PATH,
            ResolveFlags::NO_SYMLINKS,
        )?;
    }
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    let context = context.as_fd();
    if let Some(source) = mount.source.as_deref().filter(|source| !source.is_empty()) {
        fsconfig_set_string(context, c"source", source)?;
    }
    for (key, value) in &options.data {
        match value {
            Some(value) => fsconfig_set_string(context, key.as_str(), value.as_str())?,
            None => fsconfig_set_flag(context, key.as_str())?,
        }
    }
    if kind == "tmpfs" && existed && options.data_value("mode").is_none() {
        // The new directory looks like the one that it covers.
        let mode = resolve::status(place.as_fd())?.st_mode & 0o7777;
        fsconfig_set_string(context, c"mode", format!("{mode:o}"))?;
    }
    if let Some(label) = label
        && matches!(kind, "tmpfs" | "devpts" | "mqueue")
    {
        fsconfig_set_string(context, c"context", label)?;
    }
    fsconfig_create(context)?;
    let wanted = options.attributes.set | options.recursive.set;
    let flags = MountAttrFlags::from_bits_retain(u32::try_from(wanted).unwrap_or(0));
    if options.copy_up && kind == "tmpfs" && existed {
        let made = fsmount(
            context,
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::empty(),
        )?;
        copy_up::copy(place.as_fd(), made.as_fd())?;
        change(made.as_fd(), false, options.attributes)?;
        attach(made.as_fd(), place.as_fd())?;
        return Ok(made);
    }
    let made = fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, flags)?;
    attach(made.as_fd(), place.as_fd())?;
    Ok(made)
}
