//! The same configuration given to runc and to this runtime's command: the
//! control groups' files have the same values, and usage the same shape.
//!
//! Says nothing where runc is not installed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tare_runtime::cgroup::{Cgroup, Layout};

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("beside_runc::limits_have_the_same_values", limits),
    ("beside_runc::usage_has_the_same_shape", usage),
];

/// One runtime with one container.
struct Side {
    command: PathBuf,
    root: PathBuf,
    id: String,
}

impl Side {
    fn start(sandbox: &Sandbox, command: &str, resources: &Value) -> Side {
        let name = Path::new(command).file_name().expect("a name").display();
        let side = Side {
            command: command.into(),
            root: sandbox.directory.join(format!("state-{name}")),
            id: format!("{}-{name}", sandbox.group()),
        };
        let spec = sandbox.spec(&["sleep", "1000"]);
        let mut config = serde_json::to_value(&spec).expect("JSON");
        config["ociVersion"] = json!("1.0.2");
        config["root"] = json!({"path": sandbox.lower("")});
        config["linux"]["cgroupsPath"] = json!(format!("/{}", side.id));
        config["linux"]["resources"] = resources.clone();
        let linux = config["linux"].as_object_mut().expect("an object");
        linux.remove("seccomp");
        let bundle = sandbox.directory.join(format!("bundle-{name}"));
        fs::create_dir_all(&bundle).expect("a directory");
        fs::write(bundle.join("config.json"), config.to_string()).expect("a file");
        side.run(&[
            "run",
            "--detach",
            "--bundle",
            &bundle.display().to_string(),
            &side.id,
        ]);
        side
    }

    /// Runs a command that has to succeed; returns what it printed.
    fn run(&self, arguments: &[&str]) -> String {
        // What is detached keeps the streams: files, not pipes.
        let output = self.root.with_extension("output");
        let file = |path: &Path| fs::File::create(path).expect("a file");
        let errors = self.root.with_extension("errors");
        let status = Command::new(&self.command)
            .arg("--root")
            .arg(&self.root)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file(&output))
            .stderr(file(&errors))
            .status()
            .expect("runs");
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        assert!(
            status.success(),
            "{} {arguments:?}: {}",
            self.command.display(),
            read(&errors)
        );
        read(&output)
    }

    /// The values of files, v1's by their controller.
    fn values(&self, files: &[&str]) -> Vec<String> {
        let layout = Layout::detect().expect("hierarchies");
        files
            .iter()
            .map(|file| {
                let path = match file.split_once('/') {
                    Some((controller, file)) => {
                        let hierarchy = layout.hierarchy(controller).expect("a hierarchy");
                        hierarchy.mount.join(&self.id).join(file)
                    }
                    None => layout
                        .unified
                        .as_ref()
                        .expect("v2")
                        .join(&self.id)
                        .join(file),
                };
                let value = fs::read_to_string(path).unwrap_or_else(|error| error.to_string());
                format!("{file}: {value}")
            })
            .collect()
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = Command::new(&self.command)
            .arg("--root")
            .arg(&self.root)
            .args(["delete", "--force", &self.id])
            .stderr(Stdio::null())
            .status();
        if let Ok(cgroup) = Cgroup::open(&format!("/{}", self.id)) {
            let _ = cgroup.remove();
        }
    }
}

fn both(sandbox: &Sandbox, resources: &Value) -> Option<[Side; 2]> {
    let runc = Command::new("runc")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !runc.is_ok_and(|status| status.success()) {
        eprintln!("runc is not installed: nothing to compare with");
        return None;
    }
    let ours = env!("CARGO_BIN_EXE_tare-runtime");
    Some([
        Side::start(sandbox, "runc", resources),
        Side::start(sandbox, ours, resources),
    ])
}

fn is_v2() -> bool {
    let layout = Layout::detect().expect("hierarchies");
    layout.hierarchies.is_empty()
}

const V1: [&str; 13] = [
    "memory/memory.limit_in_bytes",
    "memory/memory.memsw.limit_in_bytes",
    "memory/memory.soft_limit_in_bytes",
    "memory/memory.swappiness",
    "memory/memory.oom_control",
    "cpu/cpu.shares",
    "cpu/cpu.cfs_quota_us",
    "cpu/cpu.cfs_period_us",
    "cpuset/cpuset.cpus",
    "cpuset/cpuset.mems",
    "pids/pids.max",
    "blkio/blkio.bfq.weight",
    "blkio/blkio.throttle.read_bps_device",
];

const V2: [&str; 9] = [
    "memory.max",
    "memory.swap.max",
    "memory.low",
    "memory.high",
    "cpu.max",
    "cpuset.cpus",
    "cpuset.mems",
    "pids.max",
    "io.max",
];

fn limits() {
    let sandbox = Sandbox::new();
    let mut resources = json!({
        "devices": [{"allow": false, "access": "rwm"}],
        "memory": {"limit": 64 << 20, "swap": 128 << 20, "reservation": 32 << 20},
        "cpu": {"shares": 512, "quota": 50000, "period": 100_000, "cpus": "0", "mems": "0"},
        "pids": {"limit": 33}
    });
    if is_v2() {
        resources["unified"] = json!({"memory.high": "60000000"});
    } else {
        resources["memory"]["swappiness"] = json!(30);
        resources["memory"]["disableOOMKiller"] = json!(true);
    }
    let Some([theirs, ours]) = both(&sandbox, &resources) else {
        return;
    };
    let files: &[&str] = if is_v2() { &V2 } else { &V1 };
    assert_eq!(ours.values(files), theirs.values(files));
    for flags in [
        [
            "--memory=1g",
            "--memory-swap=2g",
            "--cpu-quota=20000",
            "--pids-limit=50",
        ]
        .as_slice(),
        &["--memory=32m", "--memory-swap=40m", "--cpu-period=50000"],
        &["--memory=-1", "--cpu-quota=-1", "--pids-limit=-1"],
        &[
            "--memory=48m",
            "--memory-swap=48m",
            "--memory-reservation=16m",
        ],
    ] {
        for side in [&theirs, &ours] {
            side.run(&[&["update"], flags, &[side.id.as_str()]].concat());
        }
        assert_eq!(ours.values(files), theirs.values(files), "{flags:?}");
    }
}

/// Every key of a document, by its path.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}.{key}");
                keys(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => {
            for item in items {
                keys(item, path, found);
            }
        }
        _ => {}
    }
}

fn usage() {
    let sandbox = Sandbox::new();
    let resources = json!({"pids": {"limit": 33}, "memory": {"limit": 64 << 20}});
    let Some([theirs, ours]) = both(&sandbox, &resources) else {
        return;
    };
    let read = |side: &Side| -> Value {
        serde_json::from_str(&side.run(&["events", "--stats", &side.id])).expect("JSON")
    };
    let shape = |document: &Value| {
        let mut found = BTreeSet::new();
        keys(document, "", &mut found);
        // What is 0 is left out, and depends on what has been used.
        found.retain(|key| {
            !["psi", "blkio", ".usage", ".max", "hugetlb", ".memory.cache"]
                .iter()
                .any(|some| key.contains(some))
        });
        found
    };
    let (theirs, ours) = (read(&theirs), read(&ours));
    assert_eq!(shape(&ours), shape(&theirs));
    assert_eq!(ours["data"]["pids"], theirs["data"]["pids"]);
    assert_eq!(
        ours["data"]["memory"]["usage"]["limit"],
        theirs["data"]["memory"]["usage"]["limit"]
    );
    assert_eq!(ours["data"]["cpuset"], theirs["data"]["cpuset"]);
}
