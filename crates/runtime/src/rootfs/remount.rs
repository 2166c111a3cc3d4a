//! `remount`: changes to what is mounted at a place already.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::mount::{FsPickFlags, fsconfig_reconfigure, fspick};
use tare_oci::runtime::Mount;
use tare_sys::mount::Attributes;

use super::bind::{self, change_unlocked};
use super::filesystem;
use super::mounts::Refusal;
use super::options::MountOptions;
use super::resolve;

/// Changes the mount at the destination: with `bind` only the mount, else
/// also its file system. Unlike mount(2), what no option speaks of stays.
pub(super) fn apply(
    mount: &Mount,
    kind: &str,
    options: &MountOptions,
    root: BorrowedFd<'_>,
) -> Result<OwnedFd, Refusal> {
    let place = resolve::open(root, &mount.destination)?;
    if kind == "bind" && options.bind.is_some() {
        bind::check(options).map_err(Refusal::Sentence)?;
    } else {
        reconfigure(place.as_fd(), options)?;
    }
    change_unlocked(place.as_fd(), false, options.attributes)?;
    change_unlocked(place.as_fd(), true, options.recursive)?;
    Ok(place)
}

fn reconfigure(place: BorrowedFd<'_>, options: &MountOptions) -> Result<(), Refusal> {
    let access = options.attributes.clear & Attributes::RDONLY != 0;
    if !access && options.data.is_empty() && options.super_block.is_empty() {
        return Ok(());
    }
    let context = fspick(
        place,
        c"",
        FsPickFlags::FSPICK_EMPTY_PATH | FsPickFlags::FSPICK_CLOEXEC,
    )?;
    let context = context.as_fd();
    let set = || {
        filesystem::set_data(context, options)?;
        filesystem::set_super_block(context, options)?;
        if access {
            let read_only = options.attributes.set & Attributes::RDONLY != 0;
            filesystem::set_access(context, read_only)?;
        }
        fsconfig_reconfigure(context)
    };
    set().map_err(|error| Refusal::Kernel(error, filesystem::messages(context)))
}
