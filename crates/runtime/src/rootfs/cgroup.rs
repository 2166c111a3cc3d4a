//! Mounts of type `cgroup`: what the container sees of its control groups.
//!
//! Its own group becomes visible by a bind mount of that group's directory: new
//! mounts of a v1 hierarchy would wait for the kernel to finish with groups
//! that are being removed, up to 10 ms on a busy host.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, open_tree,
};
use tare_oci::runtime::Mount;
use tare_sys::mount::Attributes;

use super::change;
use super::mounts::{CgroupHierarchyView, Context, Refusal, check_place};
use super::options::MountOptions;
use super::resolve::{self, Missing};

/// Attaches the container's view of its control groups.
pub(super) fn attach(
    mount: &Mount,
    options: &MountOptions,
    context: &Context<'_>,
) -> Result<OwnedFd, Refusal> {
    if let Some((option, _)) = options.data.first() {
        return Err(Refusal::Sentence(format!(
            "control groups are shown as they are: option {option} is not supported"
        )));
    }
    let (place, _) = resolve::ensure(context.root, &mount.destination, Missing::Directory)?;
    check_place(context, place.as_fd(), None)?;
    let set = options.own_attributes().set;
    if let Some(group) = &context.cgroups.unified {
        let made = match bind(group, set, context) {
            // Who may not make groups has none to show, and must not be shown
            // those of the host's user instead (CVE-2023-25809).
            Err(Errno::NOENT) if context.in_user_namespace => new_tmpfs(set | Attributes::RDONLY)?,
            result => result?,
        };
        super::attach(made.as_fd(), place.as_fd())?;
        return Ok(made);
    }
    // v1: a small tmpfs with one directory for each hierarchy.
    let outer = new_tmpfs(set & !Attributes::RDONLY)?;
    super::attach(outer.as_fd(), place.as_fd())?;
    for hierarchy in &context.cgroups.hierarchies {
        attach_hierarchy(hierarchy, outer.as_fd(), set, context)?;
    }
    let attributes = Attributes {
        set: set & Attributes::RDONLY,
        ..Attributes::default()
    };
    change(outer.as_fd(), false, attributes)?;
    Ok(outer)
}

fn attach_hierarchy(
    hierarchy: &CgroupHierarchyView,
    outer: BorrowedFd<'_>,
    set: u64,
    context: &Context<'_>,
) -> Result<(), Errno> {
    let name = hierarchy.name.as_str();
    rustix::fs::mkdirat(outer, name, Mode::from_raw_mode(0o755))?;
    let place = resolve::open_without_links(outer, name)?;
    super::attach(bind(&hierarchy.path, set, context)?.as_fd(), place.as_fd())?;
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

fn new_tmpfs(set: u64) -> Result<OwnedFd, Errno> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"tmpfs")?;
    fsconfig_set_string(&context, c"mode", c"755")?;
    fsconfig_create(&context)?;
    let flags = MountAttrFlags::from_bits_retain(u32::try_from(set).unwrap_or(0));
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags)
}

fn bind(group: &Path, set: u64, context: &Context<'_>) -> Result<OwnedFd, Errno> {
    let tree = open_tree(
        CWD,
        group,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )?;
    let attributes = Attributes {
        set,
        ..Attributes::default()
    };
    change(tree.as_fd(), false, attributes)?;
    context.cut_off(tree.as_fd(), false)?;
    Ok(tree)
}
