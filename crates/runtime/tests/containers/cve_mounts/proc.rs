//! What the runtime writes to /proc, and an image's own idea of /proc.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tare_oci::runtime::Spec;
use tare_runtime::{Identity, Rootfs};

use super::{ROUNDS, clear, run_shared};
use crate::background::Swapper;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    (
        "cve_mounts::a_fake_proc_is_never_written_cve_2019_16884_cve_2025_52881",
        fake,
    ),
    (
        "cve_mounts::proc_is_exchanged_while_it_is_mounted_cve_2019_19921_cve_2025_52881",
        race,
    ),
];

const SYSCTL: &str = "sys/net/ipv4/ip_forward";

/// Everything that a runtime writes for a container, as plain files.
fn fake_proc(directory: &Path) -> Vec<PathBuf> {
    let files: Vec<PathBuf> = [
        SYSCTL,
        "sys/kernel/shmmni",
        "self/attr/exec",
        "self/attr/apparmor/exec",
        "self/oom_score_adj",
        "self/uid_map",
        "self/setgroups",
        "self/timens_offsets",
        "thread-self/attr/exec",
        "thread-self/attr/apparmor/exec",
        "thread-self/oom_score_adj",
        "1/oom_score_adj",
        "2/oom_score_adj",
    ]
    .iter()
    .map(|name| directory.join(name))
    .collect();
    for file in &files {
        fs::create_dir_all(file.parent().expect("a directory")).expect("directory");
        fs::write(file, "untouched").expect("file");
    }
    files
}

#[track_caller]
fn assert_untouched(files: &[PathBuf]) {
    for file in files {
        let content = fs::read_to_string(file).expect("reads");
        assert_eq!(content, "untouched", "{}", file.display());
    }
}

fn spec(sandbox: &Sandbox, arguments: &[&str]) -> Spec {
    let mut spec = sandbox.spec(arguments);
    spec.process.as_mut().expect("a process").oom_score_adj = Some(500);
    spec.linux.as_mut().expect("linux").sysctl =
        [("net.ipv4.ip_forward", "1"), ("kernel.shmmni", "77")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    spec
}

/// Nothing is mounted on /proc, so that what is there is the image's.
fn fake() {
    let sandbox = Sandbox::new();
    let files = fake_proc(&sandbox.lower("proc"));
    let mut spec = spec(&sandbox, &["sleep", "100"]);
    spec.mounts.retain(|mount| mount.destination != "/proc");
    let linux = spec.linux.as_mut().expect("linux");
    linux.masked_paths.clear();
    linux.readonly_paths.clear();
    let running = sandbox
        .start_on(Rootfs::Path(sandbox.lower("")), &spec, Identity::Configured)
        .expect("starts");
    let host = |file: &str| {
        let path = format!("/proc/{}/{file}", running.container.pid);
        fs::read_to_string(path).expect("reads").trim().to_owned()
    };
    // The real ones have been written, which cannot be seen from inside.
    assert_eq!(host("oom_score_adj"), "500");
    assert_untouched(&files);

    let mut process = sandbox
        .spec(&["cat", "/proc/self/oom_score_adj"])
        .process
        .expect("a process");
    process.oom_score_adj = Some(600);
    let outcome = running.exec(&process, Identity::Configured).expect("runs");
    assert_eq!(outcome.output, "untouched");
    running.stop();
    assert_untouched(&files);
}

/// /proc is a link to the fake at the one moment and a directory at the other.
fn race() {
    let sandbox = Sandbox::new();
    let files = fake_proc(&sandbox.lower("fake"));
    let spec = spec(
        &sandbox,
        &[
            "cat",
            "/proc/sys/net/ipv4/ip_forward",
            "/proc/self/oom_score_adj",
        ],
    );
    let (proc, other) = (sandbox.lower("proc"), sandbox.lower("other"));
    let (mut made, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        clear(&proc);
        clear(&other);
        fs::create_dir(&proc).expect("directory");
        symlink("/fake", &other).expect("link");
        let swapper = Swapper::new(&proc, &other);
        let result = run_shared(&sandbox, &spec);
        drop(swapper);
        match result {
            // The program may see the fake, by its own path: not the runtime.
            Ok(outcome) => {
                made += 1;
                let seen = &outcome.output;
                assert!(
                    seen == "1\n500" || seen.contains("untouched") || seen.contains("such file"),
                    "{outcome:?}"
                );
            }
            Err(_) => refused += 1,
        }
        assert_untouched(&files);
    }
    assert!(made > 0 && refused > 0, "{made} made, {refused} refused");
}
