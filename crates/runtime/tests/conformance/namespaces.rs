//! config-linux.md, "Namespaces".

use std::fs;
use std::process::Child;

use serde_json::json;

use crate::bundle::Bundle;
use crate::subtree;

tests!(namespaces:
    without_a_path_are_new,
    a_new_user_namespace_is_new,
    a_new_time_namespace_is_new,
    that_are_not_listed_are_inherited,
    with_a_path_are_joined,
    a_user_namespace_with_a_path_is_joined,
    a_time_namespace_with_a_path_is_joined,
    a_path_of_another_kind_is_an_error,
    a_path_that_is_no_namespace_is_an_error,
    a_relative_path_is_an_error,
    duplicates_are_an_error,
    an_unknown_type_is_an_error,
    processes_of_the_host_are_not_seen,
    a_network_has_only_a_loopback_interface,
);

/// Kinds and the names of their files.
const KINDS: [(&str, &str); 6] = [
    ("pid", "pid"),
    ("network", "net"),
    ("mount", "mnt"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("cgroup", "cgroup"),
];

fn namespace(pid: &str, file: &str) -> String {
    fs::read_link(format!("/proc/{pid}/ns/{file}"))
        .expect("a namespace")
        .to_string_lossy()
        .into_owned()
}

/// A process in namespaces of its own.
struct Other {
    process: Child,
    pid: String,
}

impl Other {
    fn new(flags: &[&str]) -> Other {
        let words = [&["unshare"], flags, &["sleep", "1000"]].concat();
        let mut process = subtree::helper(&words);
        // The one with all namespaces is unshare's child, if it has one.
        let parent = process.id().to_string();
        let mut pid = parent.clone();
        let forks = flags.contains(&"--fork");
        let ready = |pid: &str| {
            fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|text| text.starts_with("sleep"))
        };
        subtree::eventually("it sleeps", || {
            if forks {
                let path = format!("/proc/{parent}/task/{parent}/children");
                let text = fs::read_to_string(path).unwrap_or_default();
                text.trim().clone_into(&mut pid);
            }
            ready(&pid) || process.try_wait().is_ok_and(|status| status.is_some())
        });
        Other { process, pid }
    }

    fn path(&self, file: &str) -> String {
        format!("/proc/{}/ns/{file}", self.pid)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // The child of unshare is its own process; its namespace's first.
        let pid = self
            .pid
            .parse()
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Namespaces: without `path` the runtime MUST create a new one.
fn without_a_path_are_new() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/linux/namespaces", json!({"type": "cgroup"}));
    let pid = bundle.started().to_string();
    for (kind, file) in KINDS {
        assert_ne!(namespace(&pid, file), namespace("self", file), "{kind}");
    }
}

/// Namespaces: the same for `user`.
fn a_new_user_namespace_is_new() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/linux/namespaces", json!({"type": "user"}));
    for name in ["uidMappings", "gidMappings"] {
        bundle.push(
            &format!("/linux/{name}"),
            json!({"containerID": 0, "hostID": 0, "size": 1000}),
        );
    }
    let pid = bundle.started().to_string();
    assert_ne!(namespace(&pid, "user"), namespace("self", "user"));
}

/// Namespaces: the same for `time`.
fn a_new_time_namespace_is_new() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/linux/namespaces", json!({"type": "time"}));
    let pid = bundle.started().to_string();
    assert_ne!(namespace(&pid, "time"), namespace("self", "time"));
}

/// Namespaces: a type that is not listed MUST be inherited from the runtime.
/// (Without a mount namespace there is no root file system to give.)
fn that_are_not_listed_are_inherited() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/namespaces", json!([{"type": "mount"}]));
    let pid = bundle.started().to_string();
    for (kind, file) in KINDS
        .into_iter()
        .chain([("user", "user"), ("time", "time")])
    {
        let same = namespace(&pid, file) == namespace("self", file);
        assert_eq!(same, kind != "mount", "{kind}");
    }
}

/// Namespaces: with `path` the container MUST be placed in that namespace.
fn with_a_path_are_joined() {
    let other = Other::new(&["--net", "--ipc", "--uts", "--mount", "--pid", "--fork"]);
    for (kind, file) in KINDS {
        // Busybox's unshare knows no control group namespaces.
        if matches!(kind, "mount" | "cgroup") {
            continue;
        }
        let mut bundle = Bundle::sleeping();
        bundle.without_namespace(kind);
        bundle.push(
            "/linux/namespaces",
            json!({"type": kind, "path": other.path(file)}),
        );
        let pid = bundle.started().to_string();
        assert_eq!(namespace(&pid, file), namespace(&other.pid, file), "{kind}");
        bundle.exec("true").succeeds();
    }
    // One that a container has.
    let mut first = Bundle::sleeping();
    first.push("/linux/namespaces", json!({"type": "cgroup"}));
    let other = first.started().to_string();
    let mut bundle = Bundle::sleeping();
    let path = format!("/proc/{other}/ns/cgroup");
    bundle.push("/linux/namespaces", json!({"type": "cgroup", "path": path}));
    let pid = bundle.started().to_string();
    assert_eq!(namespace(&pid, "cgroup"), namespace(&other, "cgroup"));
}

/// Namespaces: the same for `user`.
fn a_user_namespace_with_a_path_is_joined() {
    let mut first = Bundle::sleeping();
    first.push("/linux/namespaces", json!({"type": "user"}));
    for name in ["uidMappings", "gidMappings"] {
        first.push(
            &format!("/linux/{name}"),
            json!({"containerID": 0, "hostID": 0, "size": 1000}),
        );
    }
    let other = first.started().to_string();
    let mut bundle = Bundle::sleeping();
    let path = format!("/proc/{other}/ns/user");
    bundle.push("/linux/namespaces", json!({"type": "user", "path": path}));
    let pid = bundle.started().to_string();
    assert_eq!(namespace(&pid, "user"), namespace(&other, "user"));
    assert_eq!(bundle.exec("id -u").succeeds(), "0");
}

/// Namespaces: the same for `time`.
fn a_time_namespace_with_a_path_is_joined() {
    let mut first = Bundle::sleeping();
    first.push("/linux/namespaces", json!({"type": "time"}));
    let other = first.started().to_string();
    let mut bundle = Bundle::sleeping();
    let path = format!("/proc/{other}/ns/time");
    bundle.push("/linux/namespaces", json!({"type": "time", "path": path}));
    let pid = bundle.started().to_string();
    assert_eq!(namespace(&pid, "time"), namespace(&other, "time"));
}

/// Namespaces: a path that is not of a namespace of the type MUST be an error.
fn a_path_of_another_kind_is_an_error() {
    for (kind, file) in [
        ("network", "uts"),
        ("uts", "ipc"),
        ("ipc", "net"),
        ("pid", "net"),
    ] {
        let mut bundle = Bundle::sleeping();
        bundle.without_namespace(kind);
        let path = format!("/proc/self/ns/{file}");
        bundle.push("/linux/namespaces", json!({"type": kind, "path": path}));
        bundle.refused();
    }
}

/// Namespaces: nor is any other file one, or none at all.
fn a_path_that_is_no_namespace_is_an_error() {
    for path in ["/etc", "/dev/null", "/absent", "/proc/1/ns/absent"] {
        let mut bundle = Bundle::sleeping();
        bundle.without_namespace("network");
        bundle.push(
            "/linux/namespaces",
            json!({"type": "network", "path": path}),
        );
        bundle.refused();
    }
}

/// Namespaces: `path` MUST be absolute.
fn a_relative_path_is_an_error() {
    let bundle = {
        let mut bundle = Bundle::sleeping();
        bundle.without_namespace("network");
        bundle.push(
            "/linux/namespaces",
            json!({"type": "network", "path": "self/ns/net"}),
        );
        bundle.write();
        bundle
    };
    let path = bundle.text("bundle");
    let mut command = bundle
        .runtime
        .command(&["create", "--bundle", &path, &bundle.id]);
    // From here it would be found.
    let outcome = bundle.runtime.finish(command.current_dir("/proc"));
    outcome.fails();
    bundle.assert_gone();
}

/// Namespaces: duplicated types MUST be an error.
fn duplicates_are_an_error() {
    for kind in ["pid", "network", "mount", "ipc", "uts"] {
        let mut bundle = Bundle::sleeping();
        bundle.push("/linux/namespaces", json!({"type": kind}));
        bundle.refused();
    }
}

/// Valid values: unknown types MUST be an error.
fn an_unknown_type_is_an_error() {
    for kind in ["net", "nonsense", ""] {
        let mut bundle = Bundle::sleeping();
        bundle.push("/linux/namespaces", json!({"type": kind}));
        bundle.refused();
    }
}

/// Namespaces, `pid`: only processes of the same namespace are seen.
fn processes_of_the_host_are_not_seen() {
    let bundle = Bundle::new("echo /proc/[0-9]*");
    assert_eq!(bundle.output(), "/proc/1");
}

/// Namespaces, `network`: the container has a network stack of its own.
fn a_network_has_only_a_loopback_interface() {
    let bundle = Bundle::new("ls /sys/class/net");
    let text = bundle.output();
    // Kernels may add tunnels that are there in every namespace.
    assert!(text.contains("lo") && !text.contains("eth"), "{text}");
}
