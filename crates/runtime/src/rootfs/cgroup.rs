//! Mounts of type `cgroup`: what the container sees of its control groups.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, open_tree,
};
use tare_oci::runtime::Mount;
use tare_sys::mount::{Attributes, set_attributes};

use super::MountOptions;
use super::mounts::{CgroupHierarchyView, CgroupView};
use super::resolve::{self, Missing};

/// Attaches the container's view of its control groups.
pub(super) fn attach(
    mount: &Mount,
    options: &MountOptions,
    root: BorrowedFd<'_>,
    view: &CgroupView,
) -> Result<(), Errno> {
    let (place, _) = resolve::ensure(root, &mount.destination, Missing::Directory)?;
    let set = options.attributes.set | options.recursive.set;
    if let Some(group) = &view.unified {
        let made = if view.own_namespace {
            new(c"cgroup2", None, set)?
        } else {
            bind(group, set)?
        };
        return super::attach(made.as_fd(), place.as_fd());
    }
    // v1: a small tmpfs with one directory for each hierarchy.
    let outer = {
        let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, c"source", c"tmpfs")?;
        fsconfig_set_string(&context, c"mode", c"755")?;
        fsconfig_create(&context)?;
        fsmount(
            &context,
            FsMountFlags::FSMOUNT_CLOEXEC,
            flags(set & !Attributes::RDONLY),
        )?
    };
    super::attach(outer.as_fd(), place.as_fd())?;
    for hierarchy in &view.hierarchies {
        attach_hierarchy(hierarchy, outer.as_fd(), view.own_namespace, set)?;
    }
    if set & Attributes::RDONLY != 0 {
        let attributes = Attributes {
            set: Attributes::RDONLY,
            ..Attributes::default()
        };
        set_attributes(outer.as_fd(), c"", false, attributes)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    }
    Ok(())
}

fn attach_hierarchy(
    hierarchy: &CgroupHierarchyView,
    outer: BorrowedFd<'_>,
    own_namespace: bool,
    set: u64,
) -> Result<(), Errno> {
    let name = hierarchy.name.as_str();
    rustix::fs::mkdirat(outer, name, Mode::from_raw_mode(0o755))?;
    let place = resolve::open_without_links(outer, name)?;
    let made = if own_namespace {
        new(c"cgroup", Some(&hierarchy.controllers), set)?
    } else {
        bind(&hierarchy.path, set)?
    };
    super::attach(made.as_fd(), place.as_fd())?;
    // "cpu,cpuacct" is also found as "cpu" and as "cpuacct".
    if hierarchy.controllers.len() > 1 {
        for controller in &hierarchy.controllers {
            if controller != name {
                rustix::fs::symlinkat(name, outer, controller.as_str())?;
            }
        }
    }
    Ok(())
}

fn new(kind: &std::ffi::CStr, controllers: Option<&[String]>, set: u64) -> Result<OwnedFd, Errno> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"cgroup")?;
    for controller in controllers.unwrap_or_default() {
        match controller.split_once('=') {
            Some((key, value)) => fsconfig_set_string(&context, key, value)?,
            None => fsconfig_set_flag(&context, controller.as_str())?,
        }
    }
    if controllers.is_some_and(|list| list.iter().any(|one| one.starts_with("name="))) {
        fsconfig_set_flag(&context, c"none")?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags(set))
}

fn bind(group: &std::path::Path, set: u64) -> Result<OwnedFd, Errno> {
    let tree = open_tree(
        CWD,
        group,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )?;
    let attributes = Attributes {
        set,
        ..Attributes::default()
    };
    set_attributes(tree.as_fd(), c"", false, attributes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    Ok(tree)
}

fn flags(set: u64) -> MountAttrFlags {
    MountAttrFlags::from_bits_retain(u32::try_from(set).unwrap_or(0))
}
