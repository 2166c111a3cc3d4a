//! Debian's own kernel: fetched as a package, unpacked beside the build.

#[cfg(test)]
mod tests;

use super::directory;
use crate::process::{output, run, step};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that always depends on the current kernel for cloud machines.
const NEWEST: &str = "linux-image-cloud-amd64";

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

/// Fetches and unpacks the kernel unless it is there.
pub(super) fn ensure() -> Result<Kernel> {
    newest_unpacked().or_else(|_| {
        // The lists of packages are missing or name what is no longer there.
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        newest_unpacked()
    })
}

fn newest_unpacked() -> Result<Kernel> {
    let package = newest()?;
    let unpacked = directory().join("kernel").join(&package);
    if !unpacked.exists() {
        step(&format!("kernel {package}"));
        unpack(&package, &unpacked)?;
    }
    let modules = unpacked.join("lib/modules");
    let release = fs::read_dir(&modules)
        .with_context(|| format!("cannot read {}", modules.display()))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .next()
        .with_context(|| format!("no modules in {package}"))?;
    Ok(Kernel {
        image: unpacked.join(format!("boot/vmlinuz-{release}")),
        modules: modules.join(&release),
        release,
    })
}

/// The name of the newest kernel's package.
fn newest() -> Result<String> {
    let text = output(Command::new("apt-cache").args(["depends", "--important", NEWEST]))?;
    dependency(&text)
        .map(str::to_owned)
        .with_context(|| format!("{NEWEST} depends on no kernel:\n{text}"))
}

/// The first package that `apt-cache depends` lists.
fn dependency(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "))
        .filter(|name| name.starts_with("linux-image-"))
}

fn unpack(package: &str, directory: &Path) -> Result<()> {
    let unfinished = directory.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).context("cannot remove an unfinished kernel")?;
    }
    let download = unfinished.join("download");
    fs::create_dir_all(&download).with_context(|| format!("cannot make {}", download.display()))?;
    // apt's own user may not write here.
    run(Command::new("apt-get")
        .current_dir(&download)
        .args(["--quiet", "--option=APT::Sandbox::User=root", "download"])
        .arg(package))?;
    let archives: Vec<PathBuf> = fs::read_dir(&download)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let [archive] = archives.as_slice() else {
        bail!("apt-get download {package} left {archives:?}");
    };
    run(Command::new("dpkg-deb")
        .arg("--extract")
        .arg(archive)
        .arg(&unfinished))?;
    fs::remove_dir_all(&download).context("cannot remove the package")?;
    fs::rename(&unfinished, directory)
        .with_context(|| format!("cannot rename to {}", directory.display()))
}
