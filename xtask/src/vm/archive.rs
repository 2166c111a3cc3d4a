//! Debian's archive, asked about releases that this host does not follow: with
//! lists of its own, so that apt's configuration here stays what it is.
//!
//! Owns the directory it is given, which holds nothing afterwards that is worth
//! keeping: the lists are of the day.

#[cfg(test)]
mod tests;

use crate::process::{output, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What signs every release of Debian's.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Security updates are in an archive of their own, and in suites named so.
const SECURITY: &str = "-security";

/// An archive whose lists have been fetched.
#[derive(Debug)]
pub(super) struct Archive {
    directory: PathBuf,
}

impl Archive {
    /// Fetches the lists of the named suites from where this host gets its
    /// own packages.
    pub(super) fn open(directory: &Path, suites: &[&str]) -> Result<Self> {
        let uris = output(Command::new("apt-get").args(["update", "--print-uris"]))?;
        let mut sources = String::new();
        for suite in suites {
            let name = match suite.ends_with(SECURITY) {
                true => "debian-security",
                false => "debian",
            };
            let mirror = mirror(&uris, name)
                .with_context(|| format!("apt has no source of {name}:\n{uris}"))?;
            sources.push_str(&format!(
                "deb [target=Packages signed-by={KEYS}] {mirror} {suite} main\n"
            ));
        }
        for part in ["lists/partial", "cache/archives/partial"] {
            let path = directory.join(part);
            fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        fs::write(directory.join("sources.list"), sources).context("cannot write sources.list")?;
        let archive = Self {
            directory: directory.to_owned(),
        };
        run(archive.apt("apt-get").args(["update", "--quiet"]))?;
        Ok(archive)
    }

    /// The name of the package that `package` depends on first.
    pub(super) fn dependency(&self, package: &str) -> Result<String> {
        let text = output(
            self.apt("apt-cache")
                .args(["depends", "--important", package]),
        )?;
        dependency(&text)
            .map(str::to_owned)
            .with_context(|| format!("{package} depends on nothing:\n{text}"))
    }

    /// Unpacks the newest version of a package.
    pub(super) fn extract(&self, package: &str, to: &Path) -> Result<()> {
        let download = self.directory.join("download");
        fs::create_dir_all(&download)
            .with_context(|| format!("cannot make {}", download.display()))?;
        run(self
            .apt("apt-get")
            .current_dir(&download)
            .args(["--quiet", "download", package]))?;
        let files: Vec<PathBuf> = fs::read_dir(&download)?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let [file] = files.as_slice() else {
            bail!("apt-get download {package} left {files:?}");
        };
        run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(to))
    }

    /// apt with our lists, as root: its own user may not write to them.
    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let directory = self.directory.display();
        command
            .arg("--option=APT::Sandbox::User=root")
            .arg("--option=Acquire::Languages=none")
            .arg("--option=Dir::Etc::SourceParts=-")
            .arg(format!(
                "--option=Dir::Etc::SourceList={directory}/sources.list"
            ))
            .arg(format!("--option=Dir::State::Lists={directory}/lists"))
            .arg(format!("--option=Dir::Cache={directory}/cache"));
        command
    }
}

/// Where this host gets Debian's packages from.
pub(crate) fn debian_mirror() -> Result<String> {
    let uris = output(Command::new("apt-get").args(["update", "--print-uris"]))?;
    mirror(&uris, "debian")
        .map(str::to_owned)
        .with_context(|| format!("apt has no source of debian:\n{uris}"))
}

/// The mirror of an archive among the addresses that `apt-get update` would
/// read.
fn mirror<'a>(uris: &'a str, name: &str) -> Option<&'a str> {
    uris.lines()
        .filter_map(|line| line.strip_prefix('\'')?.split_once("/dists/"))
        .map(|(mirror, _)| mirror)
        .find(|mirror| mirror.rsplit('/').next() == Some(name))
}

/// The first package that `apt-cache depends` lists.
fn dependency(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "))
}
