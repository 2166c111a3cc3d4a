//! A root file system of busybox, and containers on it whose output is read.

use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{WaitId, WaitIdOptions};
use tare_oci::runtime::{Capabilities, Linux, Process, Resources, Root, Spec};
use tare_runtime::{Container, Error, ExecRequest, Identity, Rootfs, Stdio, defaults};

/// A directory with a busybox root in it, removed in the end, and with it
/// every container that was made in it.
pub(crate) struct Sandbox {
    pub(crate) directory: PathBuf,
    /// ID of the container.
    pub(crate) id: String,
}

/// How a program ended and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) output: String,
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A number is used again, and what a killed test has left may lie about.
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let id = format!(
            "test-{}-{}-{}",
            std::process::id(),
            since.map_or(0, |since| since.subsec_nanos()),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let directory = std::env::temp_dir().join(format!("tare-runtime-{id}"));
        let root = directory.join("lower");
        for path in [
            "bin",
            "etc",
            "tmp",
            "proc",
            "sys",
            "dev",
            "home/alice",
            "root",
        ] {
            fs::create_dir_all(root.join(path)).expect("directories");
        }
        fs::copy("/bin/busybox", root.join("bin/busybox"))
            .expect("busybox-static must be installed");
        for applet in [
            "sh", "true", "false", "cat", "echo", "ls", "id", "sleep", "mount", "stat", "hostname",
            "grep", "dd", "env", "pwd", "touch", "kill", "tty", "test", "readlink", "mkdir", "seq",
            "ps", "wc", "head", "mknod", "chmod", "ulimit", "umount", "sync", "stty", "sort", "tr",
        ] {
            symlink("busybox", root.join("bin").join(applet)).expect("a link");
        }
        fs::write(
            root.join("etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n",
        )
        .expect("passwd");
        fs::write(
            root.join("etc/group"),
            "root:x:0:\nwheel:x:10:root\nalice:x:1000:\naudio:x:29:alice\n",
        )
        .expect("group");
        Sandbox { directory, id }
    }

    /// The default container with a program.
    pub(crate) fn spec(&self, arguments: &[&str]) -> Spec {
        let capabilities: Vec<String> = defaults::CAPABILITIES.map(str::to_owned).to_vec();
        Spec {
            version: "1.2.0".to_owned(),
            process: Some(Process {
                args: arguments
                    .iter()
                    .map(|&argument| argument.to_owned())
                    .collect(),
                env: vec!["PATH=/bin".to_owned()],
                cwd: "/".to_owned(),
                capabilities: Some(Capabilities {
                    bounding: capabilities.clone(),
                    effective: capabilities.clone(),
                    permitted: capabilities,
                    ..Capabilities::default()
                }),
                oom_score_adj: Some(0),
                ..Process::default()
            }),
            root: Some(Root::default()),
            hostname: Some("sandbox".to_owned()),
            mounts: defaults::mounts(64 << 20),
            linux: Some(Linux {
                namespaces: defaults::namespaces(),
                resources: Some(Resources {
                    devices: defaults::device_rules(),
                    ..Resources::default()
                }),
                seccomp: Some(defaults::seccomp(&defaults::CAPABILITIES)),
                masked_paths: defaults::MASKED_PATHS.map(str::to_owned).to_vec(),
                readonly_paths: defaults::READONLY_PATHS.map(str::to_owned).to_vec(),
                cgroups_path: Some(format!("/{}", self.group())),
                ..Linux::default()
            }),
            ..Spec::default()
        }
    }

    /// A new overlay over the root: what was written through `volatile` once
    /// cannot be mounted again.
    pub(crate) fn rootfs(&self) -> Rootfs {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = |kind: &str| {
            let path = self.directory.join(format!("{kind}{number}"));
            fs::create_dir_all(&path).expect("directories");
            path
        };
        Rootfs::Overlay {
            lower: vec![self.directory.join("lower")],
            upper: directory("upper"),
            work: directory("work"),
            volatile: true,
        }
    }

    /// The root's read-only part, for tests that put things there.
    pub(crate) fn lower(&self, path: &str) -> PathBuf {
        self.directory.join("lower").join(path)
    }

    /// Name of the container's control groups, which have none above them that
    /// tests would have to share.
    pub(crate) fn group(&self) -> String {
        format!("tare-runtime-{}", self.id)
    }

    /// Whether any control group of the container is there.
    pub(crate) fn has_cgroups(&self) -> bool {
        let path = self.group();
        fs::read_dir("/sys/fs/cgroup")
            .expect("control groups")
            .flatten()
            .any(|entry| entry.path().join(&path).exists())
            || PathBuf::from("/sys/fs/cgroup").join(&path).exists()
    }

    /// Creates and starts a container whose output goes into a pipe.
    pub(crate) fn start(&self, spec: &Spec, identity: Identity) -> Result<Running, Error> {
        self.start_on(self.rootfs(), spec, identity)
    }

    /// As [`Sandbox::start`], on a given root.
    pub(crate) fn start_on(
        &self,
        rootfs: Rootfs,
        spec: &Spec,
        identity: Identity,
    ) -> Result<Running, Error> {
        let (stdio, output) = pipes();
        let mut container = Container::builder(&self.id, spec)
            .rootfs(rootfs)
            .stdio(stdio)
            .identity(identity)
            .create()?;
        container.start()?;
        Ok(Running { container, output })
    }

    /// As [`Sandbox::start`] on the root itself, for a caller without any
    /// privileges on the host.
    pub(crate) fn start_unprivileged(&self, spec: &Spec) -> Result<Running, Error> {
        let (stdio, output) = pipes();
        let mut container = Container::builder(&self.id, spec)
            .rootfs(Rootfs::Path(self.lower("")))
            .stdio(stdio)
            .rootless(true)
            .create()?;
        container.start()?;
        Ok(Running { container, output })
    }

    /// Runs a container to its end.
    pub(crate) fn run(&self, spec: &Spec) -> Result<Outcome, Error> {
        self.run_as(spec, Identity::Configured)
    }

    /// As [`Sandbox::run`], as somebody.
    pub(crate) fn run_as(&self, spec: &Spec, identity: Identity) -> Result<Outcome, Error> {
        let running = self.start(spec, identity)?;
        Ok(running.finish())
    }

    /// Runs a shell script in a default container to its end.
    pub(crate) fn shell(&self, script: &str) -> Outcome {
        self.run(&self.spec(&["sh", "-c", script])).expect("runs")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).expect("nothing is mounted there");
        if !std::thread::panicking() {
            assert!(!self.has_cgroups(), "control groups are left");
        }
    }
}

/// A running container.
pub(crate) struct Running {
    pub(crate) container: Container,
    pub(crate) output: OwnedFd,
}

impl Running {
    /// Waits for the end and removes what is left.
    pub(crate) fn finish(self) -> Outcome {
        let outcome = finish(&self.container.pidfd, self.output);
        self.container.destroy();
        outcome
    }

    /// Kills the container, waits for its end and removes what is left.
    pub(crate) fn stop(self) -> Outcome {
        self.container.signal(9).expect("kills");
        self.finish()
    }

    /// Runs a program in the container to its end.
    pub(crate) fn exec(&self, process: &Process, identity: Identity) -> Result<Outcome, Error> {
        let (stdio, output) = pipes();
        let process = self.container.exec(ExecRequest {
            process,
            stdio,
            identity,
            preserve: 0,
            ignore_paused: false,
            cgroups: Vec::new(),
        })?;
        Ok(finish(&process.pidfd, output))
    }
}

/// Standard streams: nothing to read, and one pipe for all output.
pub(crate) fn pipes() -> (Stdio, OwnedFd) {
    let (output, stdout) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let stdin = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .expect("null");
    let stderr = stdout.try_clone().expect("dup");
    (
        Stdio::Pipes {
            stdin,
            stdout,
            stderr,
        },
        output,
    )
}

/// Reads a program's output to its end, and waits for the program's.
pub(crate) fn finish(pidfd: &OwnedFd, output: OwnedFd) -> Outcome {
    let mut text = Vec::new();
    fs::File::from(output)
        .read_to_end(&mut text)
        .expect("output");
    Outcome {
        code: wait(pidfd),
        output: String::from_utf8_lossy(&text).trim_end().to_owned(),
    }
}

/// Waits for a child's end: its exit status, or 128 and its signal.
pub(crate) fn wait(pidfd: &OwnedFd) -> i32 {
    let status = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
        .expect("a child")
        .expect("an end");
    status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| 128 + signal))
        .expect("exit or signal")
}
