//! Debian's own kernels: fetched as packages, unpacked beside the build.
//!
//! Owns `target/vm/kernel/<series>`. One that is there is used as it is; to
//! have the newest, remove it.

#[cfg(test)]
mod tests;

use super::archive::Archive;
use super::directory;
use crate::process::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// The package that always depends on the current kernel for cloud machines.
const NEWEST: &str = "linux-image-cloud-amd64";

/// A line of kernels that is chosen by its number.
#[derive(Debug)]
pub(super) struct Series {
    /// What it is chosen by.
    pub(super) name: &'static str,
    /// Where it comes from.
    suites: &'static [&'static str],
}

/// The oldest that runs containers here, that of Debian 12, the newest that
/// Debian has released.
pub(super) const ALL: &[Series] = &[
    Series {
        name: "5.10",
        suites: &["bullseye", "bullseye-security"],
    },
    Series {
        name: "6.1",
        suites: &["bookworm", "bookworm-security"],
    },
    Series {
        name: "6.12",
        suites: &["trixie", "trixie-security"],
    },
];

/// A kernel that can be booted.
#[derive(Debug)]
pub(super) struct Kernel {
    /// What `uname -r` will say.
    pub(super) release: String,
    /// The compressed kernel.
    pub(super) image: PathBuf,
    /// Its `/lib/modules/<release>`, without the index depmod makes.
    pub(super) modules: PathBuf,
}

/// The series of a name.
pub(super) fn series(name: &str) -> Result<&'static Series> {
    ALL.iter()
        .find(|series| series.name == name)
        .with_context(|| {
            let known: Vec<&str> = ALL.iter().map(|series| series.name).collect();
            format!("no kernel {name}; there are {}", known.join(", "))
        })
}

/// Fetches and unpacks the kernel unless it is there.
pub(super) fn ensure(series: &Series) -> Result<Kernel> {
    let unpacked = directory().join("kernel").join(series.name);
    if !unpacked.exists() {
        step(&format!("kernel {}", series.name));
        unpack(series, &unpacked)?;
    }
    // From Debian 13 on everything is below /usr, /lib a link on the host.
    let modules = ["lib/modules", "usr/lib/modules"]
        .iter()
        .map(|path| unpacked.join(path))
        .find(|path| path.exists())
        .with_context(|| format!("no modules in {}", unpacked.display()))?;
    let release = fs::read_dir(&modules)
        .with_context(|| format!("cannot read {}", modules.display()))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .next()
        .with_context(|| format!("no modules in {}", unpacked.display()))?;
    Ok(Kernel {
        image: unpacked.join(format!("boot/vmlinuz-{release}")),
        modules: modules.join(&release),
        release,
    })
}

fn unpack(series: &Series, unpacked: &std::path::Path) -> Result<()> {
    let unfinished = directory().join("kernel.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).context("cannot remove an unfinished kernel")?;
    }
    let archive = Archive::open(&unfinished.join("apt"), series.suites)?;
    let package = archive.dependency(NEWEST)?;
    let tree = unfinished.join("tree");
    fs::create_dir_all(&tree).context("cannot make a directory for the kernel")?;
    archive.extract(&package, &tree)?;
    let parent = unpacked.parent().context("a kernel has a directory")?;
    fs::create_dir_all(parent).context("cannot make a directory for kernels")?;
    fs::rename(&tree, unpacked)
        .with_context(|| format!("cannot rename to {}", unpacked.display()))?;
    fs::remove_dir_all(&unfinished).context("cannot remove apt's lists")
}
