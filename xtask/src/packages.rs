//! Debian packages: which are needed for what, installed by name when missing.

use crate::process::{output, run, step};
use anyhow::{Context, Result};
use std::process::Command;

/// What the test images are made from and with.
pub(crate) const IMAGES: &[&str] = &["busybox-static", "mmdebstrap"];

/// What the tests compare with and look through.
pub(crate) const TESTS: &[&str] = &[
    "apache2-utils",
    "catatonit",
    "conmon",
    "criu",
    "docker-registry",
    "docker.io",
    "iproute2",
    "iptables",
    "nftables",
    "openssl",
    "podman",
    "procps",
    "python3-docker",
    "runc",
    "skopeo",
    "tini",
    "uidmap",
    "umoci",
    "util-linux",
];

/// What the benchmark needs: the floor program's compiler, a registry and a
/// file system of its own.
pub(crate) const BENCH: &[&str] = &[
    "docker-registry",
    "e2fsprogs",
    "gcc",
    "libc6-dev",
    "mount",
    "skopeo",
];

/// What `bench runtime` needs: the compiler of its programs, a runtime, and
/// what makes another one use its own libraries.
pub(crate) const RUNTIMES: &[&str] = &["gcc", "libc6-dev", "mount", "patchelf", "runc"];

/// What `bench --with-docker` measures against.
pub(crate) const DOCKER: &[&str] = &["docker.io", "iptables"];

/// Installs those of the named packages that are not there. Nothing is
/// upgraded, and nothing is fetched when all are there.
pub(crate) fn ensure(names: &[&str]) -> Result<()> {
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| version(name).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    step(&format!("install {}", missing.join(" ")));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // A third-party list that does not answer must not stop the installation
    // of Debian's own packages: only the installation's result counts.
    if let Err(error) = run(apt().args(["update", "--quiet"])) {
        eprintln!("{error:#}; going on with the lists that are there");
    }
    // The daemons that come with docker.io and docker-registry are not to be
    // started: every test starts its own. policy-rc.d says so to the scripts.
    let policy = ServicePolicy::forbid()?;
    let result = run(apt()
        .args(["install", "--quiet", "--yes", "--no-install-recommends"])
        .args(&missing))
    .with_context(|| format!("the tests need the packages {}", missing.join(", ")));
    drop(policy);
    result
}

/// The installed version of a package, if it is installed.
pub(crate) fn version(name: &str) -> Option<String> {
    let line = output(Command::new("dpkg-query").args([
        "--show",
        "--showformat=${db:Status-Status} ${Version}",
        name,
    ]))
    .ok()?;
    line.strip_prefix("installed ").map(str::to_owned)
}

/// `/usr/sbin/policy-rc.d` while packages are installed, unless the machine
/// has one of its own.
struct ServicePolicy {
    written: bool,
}

impl ServicePolicy {
    const PATH: &str = "/usr/sbin/policy-rc.d";

    fn forbid() -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        if std::path::Path::new(Self::PATH).exists() {
            return Ok(Self { written: false });
        }
        std::fs::write(Self::PATH, "#!/bin/sh\nexit 101\n")
            .and_then(|()| {
                std::fs::set_permissions(Self::PATH, std::fs::Permissions::from_mode(0o755))
            })
            .with_context(|| format!("cannot write {}", Self::PATH))?;
        Ok(Self { written: true })
    }
}

impl Drop for ServicePolicy {
    fn drop(&mut self) {
        if self.written {
            // Leaving it behind would keep later services from starting.
            if let Err(error) = std::fs::remove_file(Self::PATH) {
                eprintln!("cannot remove {}: {error}", Self::PATH);
            }
        }
    }
}
