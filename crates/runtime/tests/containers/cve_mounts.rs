//! Attacks on the mount tree, each named after the hole that it would go
//! through. Where the hole is a race, another process exchanges what the
//! runtime looks at for a number of rounds.

mod console;
mod links;
mod proc;

use std::fs;
use std::path::{Path, PathBuf};

use tare_oci::runtime::Spec;
use tare_runtime::{Error, Identity, Rootfs};

use crate::harness::Test;
use crate::sandbox::{Outcome, Sandbox};

/// Rounds of a race.
const ROUNDS: usize = 40;

/// All tests.
pub(crate) fn tests() -> Vec<Test> {
    [console::TESTS, links::TESTS, proc::TESTS].concat()
}

/// A directory of the host, which nothing may be made or changed in.
struct Outside {
    directory: PathBuf,
}

impl Outside {
    fn new(sandbox: &Sandbox) -> Outside {
        let directory = sandbox.directory.join("outside");
        fs::create_dir_all(&directory).expect("directory");
        fs::write(directory.join("ptmx"), "precious").expect("file");
        fs::write(directory.join("secret"), "hidden").expect("file");
        Outside { directory }
    }

    #[track_caller]
    fn assert_untouched(&self) {
        let mut names: Vec<_> = fs::read_dir(&self.directory)
            .expect("directory")
            .map(|entry| entry.expect("entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["ptmx", "secret"], "something was made outside");
        for (name, content) in [("ptmx", "precious"), ("secret", "hidden")] {
            let path = self.directory.join(name);
            let kind = fs::symlink_metadata(&path).expect("status").file_type();
            assert!(kind.is_file(), "{name} was replaced");
            assert_eq!(fs::read(path).expect("reads"), content.as_bytes());
        }
    }

    /// The directory from inside a root: absolute, and upwards.
    fn targets(&self) -> [PathBuf; 2] {
        let upwards = Path::new("../../../../../../..")
            .join(self.directory.strip_prefix("/").expect("absolute"));
        [self.directory.clone(), upwards]
    }
}

/// Runs a container on the sandbox's own directory, which others can change
/// while it is made.
fn run_shared(sandbox: &Sandbox, spec: &Spec) -> Result<Outcome, Error> {
    let rootfs = Rootfs::Path(sandbox.lower(""));
    let running = sandbox.start_on(rootfs, spec, Identity::Configured)?;
    Ok(running.finish())
}

/// A container that has the image's own /dev.
fn without_dev(sandbox: &Sandbox, script: &str) -> Spec {
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    spec.mounts
        .retain(|mount| !mount.destination.starts_with("/dev"));
    spec
}

/// Removes what is there, whatever it is.
fn clear(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir_all(path);
}
