//! crun: the one of Debian 13, since that of Debian 12 fails on kernels with
//! control groups that it does not expect. Fetched with its libraries, which
//! are newer than the machine's, and unpacked into `target/bench/crun`; nothing
//! is installed and the machine's package lists stay as they are.

use crate::bench::directory;
use crate::process::{run, step};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Added to its version in the table.
pub(super) const ORIGIN: &str = " (Debian 13's, with its own C library)";

/// The executable, if it has been fetched.
pub(super) fn executable() -> PathBuf {
    directory().join("crun/crun")
}

/// Fetches it unless it is there.
pub(super) fn ensure() -> Result<()> {
    if executable().exists() {
        return Ok(());
    }
    step("crun of Debian 13");
    // Paths that are to stay valid are written into the executable.
    let root = directory().join("crun");
    if root.exists() {
        fs::remove_dir_all(&root).context("cannot remove an unfinished crun")?;
    }
    let apt = Apt::prepare(root.join("apt"))?;
    run(apt.command().args(["--quiet", "update"]))?;
    run(apt
        .command()
        .args(["--quiet", "--yes", "--no-install-recommends"])
        .args(["--download-only", "install", "crun"]))?;
    for package in apt.packages()? {
        run(Command::new("dpkg-deb")
            .arg("--extract")
            .arg(package)
            .arg(&root))?;
    }
    patch(&root)?;
    fs::remove_dir_all(&apt.directory).context("cannot remove what apt fetched")
}

/// Makes the executable use the loader and the libraries that came with it, as
/// one that is installed would: by the loader's command line it could not
/// execute itself again, which it does.
fn patch(root: &Path) -> Result<()> {
    let libraries = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    let loader = fs::read_dir(&libraries)
        .with_context(|| format!("cannot read {}", libraries.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
        })
        .context("no loader among the libraries of crun")?;
    run(Command::new("patchelf")
        .arg("--set-interpreter")
        .arg(loader)
        .args(["--force-rpath", "--set-rpath"])
        .arg(libraries)
        .arg("--output")
        .arg(executable())
        .arg(root.join("usr/bin/crun")))
}

/// apt with lists, cache and a package status of its own.
struct Apt {
    directory: PathBuf,
}

impl Apt {
    fn prepare(directory: PathBuf) -> Result<Self> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(directory.join(part)).context("cannot make apt's directories")?;
        }
        let path = directory.display();
        let config = format!(
            "Dir::State \"{path}/state\";\n\
             Dir::State::status \"{path}/status\";\n\
             Dir::Cache \"{path}/cache\";\n\
             Dir::Etc::sourcelist \"{path}/sources.list\";\n\
             Dir::Etc::sourceparts \"/dev/null\";\n\
             Dir::Etc::preferences \"/dev/null\";\n\
             Dir::Etc::preferencesparts \"/dev/null\";\n\
             Acquire::Languages \"none\";\n\
             APT::Sandbox::User \"root\";\n"
        );
        let mirror = crate::vm::archive::debian_mirror()?;
        let source = format!(
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} trixie main\n"
        );
        // No package is installed as far as this one knows, so that the
        // libraries are fetched as well.
        for (name, text) in [
            ("config", &*config),
            ("sources.list", &*source),
            ("status", ""),
        ] {
            fs::write(directory.join(name), text)
                .with_context(|| format!("cannot write apt's {name}"))?;
        }
        Ok(Self { directory })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", self.directory.join("config"));
        command
    }

    fn packages(&self) -> Result<Vec<PathBuf>> {
        let directory = self.directory.join("cache/archives");
        Ok(fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect())
    }
}
