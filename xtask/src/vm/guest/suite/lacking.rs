//! What older kernels cannot do, and what is said there instead: a test of it
//! has to fail with these words, so that this list stays true.

use super::super::busybox;
use anyhow::{Context, Result};

/// Something that a kernel lacks.
#[derive(Debug)]
pub(super) struct Lacking {
    /// Words in the names of the tests that need it.
    tests: &'static str,
    /// What the kernel lacks.
    feature: &'static str,
    /// The first kernel that has it.
    since: (u32, u32),
    /// What the runtime says where it is missing.
    pub(super) says: &'static str,
}

const ALL: &[Lacking] = &[
    Lacking {
        tests: "runtime::mounts::owners_",
        ..ID_MAPPED_MOUNTS
    },
    Lacking {
        tests: "runtime::mounts::a_user_namespace_is_shown_what_its_root_cannot_reach",
        ..ID_MAPPED_MOUNTS
    },
    Lacking {
        tests: "conformance::mounts::idmap_shows_",
        ..ID_MAPPED_MOUNTS
    },
    Lacking {
        tests: "conformance::resources::cpu_burst_",
        feature: "saved-up processor time of control groups",
        since: (5, 14),
        says: "cpu.max.burst",
    },
    Lacking {
        tests: "conformance::resources::cpu_idle_",
        feature: "control groups that run when nobody else does",
        since: (5, 15),
        says: "cpu.idle",
    },
];

const ID_MAPPED_MOUNTS: Lacking = Lacking {
    tests: "",
    feature: "translating the owners of a mount",
    since: (5, 12),
    says: "translating its owners",
};

impl Lacking {
    /// Whether a test needs it.
    pub(super) fn concerns(&self, test: &str) -> bool {
        test.contains(self.tests)
    }
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor) = self.since;
        write!(formatter, "{} (Linux {major}.{minor})", self.feature)
    }
}

/// What the running kernel lacks.
pub(super) fn here() -> Result<Vec<&'static Lacking>> {
    let release = busybox(&["uname", "-r"])?;
    let running = version(&release).with_context(|| format!("no kernel release: {release}"))?;
    Ok(ALL.iter().filter(|lack| running < lack.since).collect())
}

/// Major and minor number of a kernel release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
