//! Our default filter, and what a real `dockerd` gives its containers.
//!
//! The daemon has a directory, a socket and a control group of its own, touches
//! no network, and is gone afterwards.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tare_runtime::defaults::{self, IndirectSockets};
use tare_runtime::seccomp::compile;

use super::against_runc::read_filter;
use super::capability_sets;
use super::compare::{Difference, X86_64, differences, numbers_of};

/// What Docker has changed between Debian 12's version (20.10) and today's:
/// allowed since.
const ALLOWED_SINCE: [&str; 26] = [
    "bpf",
    "cachestat",
    "clock_settime64",
    "fchmodat2",
    "futex_requeue",
    "futex_wait",
    "futex_wake",
    "getxattrat",
    "listmount",
    "listxattrat",
    "lsm_get_self_attr",
    "lsm_list_modules",
    "lsm_set_self_attr",
    "map_shadow_stack",
    "mseal",
    "name_to_handle_at",
    "perf_event_open",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "process_vm_readv",
    "process_vm_writev",
    "removexattrat",
    "set_mempolicy_home_node",
    "setxattrat",
    "statmount",
];
/// Too new for its libseccomp.
const UNKNOWN: [&str; 1] = ["uretprobe"];
/// Refused since.
const REFUSED_SINCE: [&str; 3] = ["io_uring_enter", "io_uring_register", "io_uring_setup"];
/// The newest calls that it knows are above this.
const NEWEST: u32 = 440;
/// Refused since, of all families of sockets.
const AF_ALG: u64 = 38;
const AF_VSOCK: u64 = 40;

struct Daemon {
    process: Child,
    directory: PathBuf,
    group: String,
}

impl Daemon {
    fn start() -> Daemon {
        let group = format!("tare-seccomp-docker-{}", std::process::id());
        let directory = std::env::temp_dir().join(&group);
        std::fs::create_dir_all(directory.join("image/bin")).expect("directory");
        std::fs::copy("/bin/busybox", directory.join("image/bin/sleep"))
            .expect("busybox-static is needed");
        let log = std::fs::File::create(directory.join("log")).expect("log");
        let process = Command::new("dockerd")
            .arg("--host")
            .arg(format!("unix://{}", directory.join("socket").display()))
            .arg("--data-root")
            .arg(directory.join("data"))
            .arg("--exec-root")
            .arg(directory.join("exec"))
            .arg("--pidfile")
            .arg(directory.join("pid"))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--ip-forward=false", "--storage-driver=vfs"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("descriptor"))
            .stderr(log)
            .spawn()
            .expect("docker.io is needed");
        let daemon = Daemon {
            process,
            directory,
            group,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !daemon.docker(&["version"]).0 {
            let log = daemon.directory.join("log");
            let log = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(Instant::now() < deadline, "{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
        daemon
    }

    /// Runs the client; whether it succeeded, and what it said.
    fn docker(&self, arguments: &[&str]) -> (bool, String) {
        let socket = self.directory.join("socket");
        let output = Command::new("/usr/bin/docker")
            .arg("--host")
            .arg(format!("unix://{}", socket.display()))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("docker.io is needed");
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text.trim().to_owned())
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let (succeeded, text) = self.docker(arguments);
        assert!(succeeded, "docker {arguments:?}: {text}");
        text
    }

    /// The filter of a container with some capabilities.
    fn filter(&self, capabilities: &[&str]) -> Vec<tare_sys::seccomp::Instruction> {
        let parent = format!("--cgroup-parent=/{}", self.group);
        let mut arguments = vec!["run", "--detach", "--network=none", &parent];
        let added: Vec<String> = capabilities
            .iter()
            .map(|name| format!("--cap-add={name}"))
            .collect();
        arguments.push("--cap-drop=ALL");
        arguments.extend(added.iter().map(String::as_str));
        arguments.extend(["tare-seccomp", "/bin/sleep", "100"]);
        let id = self.succeed(&arguments);
        let pid = self.succeed(&["inspect", "--format", "{{.State.Pid}}", &id]);
        let filter = read_filter(pid.parse().expect("number"));
        self.succeed(&["rm", "--force", &id]);
        filter
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let (_, left) = self.docker(&["ps", "--all", "--quiet"]);
        for id in left.lines() {
            self.docker(&["rm", "--force", id]);
        }
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
        let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten();
        for hierarchy in hierarchies.flatten() {
            let _ = std::fs::remove_dir(hierarchy.path().join(&self.group));
        }
        let _ = std::fs::remove_dir(PathBuf::from("/sys/fs/cgroup").join(&self.group));
    }
}

#[test]
fn the_default_filter_is_dockers() {
    let daemon = Daemon::start();
    let image = daemon.directory.join("image.tar");
    let archived = Command::new("tar")
        .arg("-C")
        .arg(daemon.directory.join("image"))
        .arg("-cf")
        .arg(&image)
        .arg(".")
        .status()
        .expect("tar");
    assert!(archived.success());
    daemon.succeed(&["import", &image.display().to_string(), "tare-seccomp"]);
    let changed = numbers_of(&[&ALLOWED_SINCE[..], &REFUSED_SINCE, &UNKNOWN].concat());
    let socket = numbers_of(&["socket"]);
    for capabilities in capability_sets() {
        // It has not heard of these.
        let theirs: Vec<&str> = capabilities
            .iter()
            .copied()
            .filter(|name| !matches!(*name, "CAP_BPF" | "CAP_PERFMON"))
            .collect();
        let theirs = daemon.filter(&theirs);
        let ours = defaults::seccomp_with(&capabilities, IndirectSockets::Allowed);
        let ours = compile(&ours).expect("compiles").program;
        let is_new = |difference: &Difference| {
            !(changed.contains(&difference.call)
                || difference.is_only_how_it_is_refused(NEWEST)
                || socket.contains(&difference.call)
                    && matches!(difference.first, AF_ALG | AF_VSOCK))
        };
        let found: Vec<_> = differences(&ours, &theirs)
            .into_iter()
            .filter(is_new)
            .collect();
        assert!(found.is_empty(), "{capabilities:?}: {found:x?}");
    }
    assert!(changed.iter().any(|(audit, _)| *audit == X86_64));
}
