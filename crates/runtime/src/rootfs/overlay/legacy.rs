//! The overlay root on kernels before 6.8, which take the layers in one value
//! that only mount(2) has room for.

use std::fmt::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{MountFlags, OpenTreeFlags, UnmountFlags};

use super::{is_plain, link, open};
use crate::failure::{Failure, Step};

/// The kernel takes a page of options, terminator included.
const MAXIMUM_OPTIONS: usize = 4096;
/// The first kernel that takes layers one at a time.
const SUCCESSOR: (u32, u32) = (6, 8);

/// Whether the running kernel wants this way.
pub(super) fn is_needed() -> bool {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    version(&release).is_some_and(|version| version < SUCCESSOR)
}

/// Major and minor number of a kernel release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Mounts an overlay and takes it off its place again. The mounts of this
/// namespace must not show on the host any more.
pub(super) fn mount(
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    volatile: bool,
    label: Option<&str>,
) -> Result<OwnedFd, Failure> {
    let failed = |error: Errno| Failure::new(Step::Root, upper.display().to_string(), error);
    let mut held = Vec::new();
    let mut options = options(lower, upper, work, &mut held, false).map_err(failed)?;
    if options.len() >= MAXIMUM_OPTIONS {
        options = self::options(lower, upper, work, &mut held, true).map_err(failed)?;
    }
    if volatile {
        options.push_str(",volatile");
    }
    if let Some(label) = label {
        let _ = write!(options, ",context=\"{label}\"");
    }
    if options.len() >= MAXIMUM_OPTIONS {
        return Err(Failure::sentence(
            Step::Root,
            "the image has more layers than this kernel can mount: flatten it, or use Linux 6.8 or later",
        ));
    }
    let options = std::ffi::CString::new(options).map_err(|_| failed(Errno::INVAL))?;
    // Any directory will do as its place for a moment: this one is ours.
    rustix::mount::mount(
        c"overlay",
        upper,
        c"overlay",
        MountFlags::empty(),
        Some(options.as_c_str()),
    )
    .map_err(failed)?;
    let tree = rustix::mount::open_tree(
        CWD,
        upper,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    );
    rustix::mount::unmount(upper, UnmountFlags::DETACH).map_err(failed)?;
    tree.map_err(failed)
}

/// The options as one text; with `linked`, all layers by short links.
fn options(
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    held: &mut Vec<OwnedFd>,
    linked: bool,
) -> Result<String, Errno> {
    let mut name = |path: &Path, linked: bool| {
        if !linked && is_plain(path) {
            return Ok(path.display().to_string());
        }
        let place = open(path)?;
        let link = link(&place);
        held.push(place);
        Ok(link)
    };
    let layers: Vec<_> = lower
        .iter()
        .map(|path| name(path, linked))
        .collect::<Result<_, Errno>>()?;
    Ok(format!(
        "index=off,metacopy=off,redirect_dir=off,lowerdir={},upperdir={},workdir={}",
        layers.join(":"),
        name(upper, false)?,
        name(work, false)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        for (release, older) in [
            ("5.10.0-33-amd64", true),
            ("6.1.0-56-cloud-amd64", true),
            ("6.7.12", true),
            ("6.8.0", false),
            ("6.18.44", false),
            ("10.0-rc1", false),
        ] {
            assert_eq!(version(release).unwrap() < SUCCESSOR, older, "{release}");
        }
    }
}
