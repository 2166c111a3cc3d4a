//! A machine of its own for a test: process, mount, network, IPC, host name and
//! control group namespaces, made with util-linux's programs.
//!
//! Owns a temporary directory, a control group of the same name in every
//! hierarchy, and the process that is the sandbox's process 1. That process
//! dies with the thread that made the sandbox, and everything in the sandbox
//! with it; a run that was killed leaves the directory and empty groups.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Puts itself into the sandbox's groups, leaves for the new namespaces, and
/// there becomes process 1, which only collects orphans.
const OUTSIDE: &str = include_str!("sandbox/outside.sh");
const INSIDE: &str = include_str!("sandbox/inside.sh");
/// Puts a program into the groups and the namespaces.
const ENTER: &str = include_str!("sandbox/enter.sh");

/// Where control groups are.
const CGROUPS: &str = "/sys/fs/cgroup";

/// A running sandbox; ends when dropped.
#[derive(Debug)]
pub struct Sandbox {
    name: String,
    directory: PathBuf,
    unshare: Child,
    init: u32,
}

impl Sandbox {
    /// Makes a sandbox. Everything in it ends with the calling thread at the
    /// latest.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tare-test-{}-{count}", std::process::id());
        let directory = std::env::temp_dir().join(&name);
        fs::create_dir_all(&directory).expect("the sandbox's directory");
        let mut unshare = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "bash", "-c", OUTSIDE, "outside"])
            .arg(&name)
            .arg(&directory)
            .arg(INSIDE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("setpriv, bash and unshare (packages util-linux, bash), as root");
        let mut line = String::new();
        let stdout = unshare.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the sandbox's output");
        assert_eq!(line, "ready\n", "the sandbox could not be made");
        let init = children(unshare.id())
            .first()
            .copied()
            .expect("the sandbox's process 1");
        Self {
            name,
            directory,
            unshare,
            init,
        }
    }

    /// A directory that is the same inside and outside, removed at the end.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A program that will run inside.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("bash");
        command
            .args(["-c", ENTER, "enter", &self.name, &self.init.to_string()])
            .arg(program);
        command
    }

    /// What a program that has to succeed inside printed.
    #[track_caller]
    pub fn output(&self, program: &str, arguments: &[&str]) -> String {
        let output = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("execution");
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The inside's /proc, seen from outside.
    pub fn proc(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/proc", self.init))
    }

    /// The file system as the inside sees it.
    pub fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.init))
    }

    /// Process IDs (as the inside counts) and command lines, except process 1
    /// and its sleep.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.proc()).expect("the sandbox's /proc") {
            let entry = entry.expect("entry");
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            // It may have ended meanwhile.
            let Ok(arguments) = fs::read(entry.path().join("cmdline")) else {
                continue;
            };
            let line = String::from_utf8_lossy(&arguments)
                .trim_end_matches('\0')
                .replace('\0', " ");
            if pid != 1 && line != "sleep 86400" {
                found.push((pid, line));
            }
        }
        found.sort();
        found
    }

    /// The mounts of the inside, as lines of mountinfo.
    pub fn mounts(&self) -> Vec<String> {
        fs::read_to_string(format!("/proc/{}/mountinfo", self.init))
            .expect("mountinfo")
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Every control group below the sandbox's own, as `hierarchy/path`.
    pub fn cgroups(&self) -> Vec<String> {
        let mut found = Vec::new();
        for hierarchy in hierarchies() {
            let base = hierarchy.join(&self.name);
            let mut pending = vec![base.clone()];
            while let Some(directory) = pending.pop() {
                for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() {
                        let below = path.strip_prefix(&base).expect("prefix");
                        let kind = hierarchy.file_name().unwrap_or_default();
                        found.push(format!("{}/{}", kind.display(), below.display()));
                        pending.push(path);
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// The control group of a process (as the inside counts) in a hierarchy (as
    /// `memory`, or `unified` for version 2), relative to the sandbox's.
    #[track_caller]
    pub fn cgroup_of(&self, pid: u32, hierarchy: &str) -> String {
        // Read from inside, where the sandbox's own group is the root.
        let text = self.output("cat", &[&format!("/proc/{pid}/cgroup")]);
        let found = text.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let named = controllers
                .split(',')
                .any(|name| name.trim_start_matches("name=") == hierarchy);
            (named || (hierarchy == "unified" && controllers.is_empty())).then(|| path.to_owned())
        });
        found.unwrap_or_else(|| panic!("no {hierarchy} in {text}"))
    }

    /// A file of a control group below the sandbox's own.
    #[track_caller]
    pub fn cgroup_file(&self, hierarchy: &str, group: &str, file: &str) -> String {
        let path = Path::new(CGROUPS)
            .join(hierarchy)
            .join(&self.name)
            .join(group.trim_start_matches('/'))
            .join(file);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .trim_end()
            .to_owned()
    }

    /// The names of the network interfaces inside.
    pub fn links(&self) -> Vec<String> {
        // The last column may be an alias; the name ends at the @ of a pair.
        let text = self.output("ip", &["-oneline", "link", "show"]);
        let mut names: Vec<String> = text
            .lines()
            .filter_map(|line| line.split(": ").nth(1))
            .map(|name| name.split('@').next().unwrap_or(name).to_owned())
            .collect();
        names.sort();
        names
    }

    /// The whole nftables rule set inside, without counters' values.
    pub fn rules(&self) -> Vec<String> {
        self.output("nft", &["--stateless", "list", "ruleset"])
            .lines()
            .map(|line| line.trim().to_owned())
            .collect()
    }

    /// A TCP connection made from inside.
    pub fn connect(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        self.in_network(move || TcpStream::connect_timeout(&address, Duration::from_secs(5)))
    }

    /// A listener inside.
    pub fn listen(&self, address: SocketAddr) -> std::io::Result<TcpListener> {
        self.in_network(move || TcpListener::bind(address))
    }

    /// A UDP socket inside.
    pub fn datagram_socket(&self) -> std::io::Result<std::net::UdpSocket> {
        self.in_network(|| std::net::UdpSocket::bind("0.0.0.0:0"))
    }

    /// Runs a closure on a thread that is in the inside's network.
    fn in_network<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let namespace = fs::File::open(format!("/proc/{}/ns/net", self.init))?;
        std::thread::spawn(move || {
            #[expect(
                clippy::disallowed_methods,
                reason = "a thread of its own that ends here; the harness links no crate of the product"
            )]
            rustix::thread::move_into_link_name_space(
                std::os::fd::AsFd::as_fd(&namespace),
                Some(rustix::thread::LinkNameSpaceType::Network),
            )?;
            work()
        })
        .join()
        .expect("the thread")
    }

    /// Removes the sandbox's groups; says which are still there in the end.
    fn remove_cgroups(&self) -> Vec<PathBuf> {
        let mut left: Vec<PathBuf> = hierarchies()
            .iter()
            .map(|hierarchy| hierarchy.join(&self.name))
            .collect();
        // A dead process leaves its group a moment after it was waited for.
        for _ in 0..1000 {
            left.retain(|group| {
                remove_group(group);
                group.exists()
            });
            if left.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        left
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // unshare passes its end on to process 1, and process 1 to the rest.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        let left = self.remove_cgroups();
        assert!(
            left.is_empty() || std::thread::panicking(),
            "groups that cannot be removed: {left:?}"
        );
        if std::env::var_os("TARE_TEST_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// The children of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

fn hierarchies() -> Vec<PathBuf> {
    let entries = fs::read_dir(CGROUPS).expect("control groups");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("cgroup.procs").exists() && path.is_dir())
        .collect();
    // A machine with version 2 only has one hierarchy, mounted here itself.
    if Path::new(CGROUPS).join("cgroup.controllers").exists() {
        found = vec![PathBuf::from(CGROUPS)];
    }
    found
}

fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}
