//! A bundle with a root file system of busybox, and the container that a
//! runtime makes of it.
//!
//! Everything is below one temporary directory: the bundle, the runtime's
//! state, the files that commands write to. When the fixture goes, the
//! container is deleted; then nothing of it may be left anywhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::mount::{UnmountFlags, unmount};
use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::runtime::{Runtime, Started};
use crate::{cgroups, mountinfo, subtree};

/// A shell's environment, inside and outside.
const PATH: &str = "PATH=/bin:/sbin:/usr/bin:/usr/sbin";

/// How many bundles there are: processes are a bundle's own when it is alone.
static LIVE: AtomicU32 = AtomicU32::new(0);

/// Capabilities that ordinary programs have.
pub(crate) const CAPABILITIES: [&str; 12] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// A bundle and its container.
#[derive(Debug)]
pub(crate) struct Bundle {
    directory: PathBuf,
    pub(crate) id: String,
    pub(crate) config: Value,
    pub(crate) runtime: Runtime,
    /// The command that made the container: its output is the container's.
    created: Option<Started>,
}

impl Bundle {
    /// A container that runs a shell script.
    pub(crate) fn new(script: &str) -> Bundle {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("conformance-{}-{number}", std::process::id());
        // The runtime names paths as the kernel does.
        let temporary = fs::canonicalize(std::env::temp_dir()).expect("a temporary directory");
        let directory = temporary.join(&id);
        for path in ["state", "outputs", "bundle"] {
            fs::create_dir_all(directory.join(path)).expect("directories");
        }
        populate(&directory.join("bundle/rootfs"));
        LIVE.fetch_add(1, Ordering::Relaxed);
        let runtime = Runtime::new(&directory.join("state"), &directory.join("outputs"));
        Bundle {
            config: config(&id, script),
            directory,
            id,
            runtime,
            created: None,
        }
    }

    /// A container that stays.
    pub(crate) fn sleeping() -> Bundle {
        Bundle::new("exec sleep 1000")
    }

    /// Sets a value by its JSON pointer; objects on the way are made.
    #[track_caller]
    pub(crate) fn set(&mut self, pointer: &str, value: Value) -> &mut Bundle {
        *self.slot(pointer) = value;
        self
    }

    /// Appends to a list, which is made when it is not there.
    #[track_caller]
    pub(crate) fn push(&mut self, pointer: &str, value: Value) -> &mut Bundle {
        let slot = self.slot(pointer);
        if slot.is_null() {
            *slot = json!([]);
        }
        slot.as_array_mut().expect("a list").push(value);
        self
    }

    /// Removes a property.
    #[track_caller]
    pub(crate) fn remove(&mut self, pointer: &str) -> &mut Bundle {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self.slot(parent);
        parent.as_object_mut().expect("an object").remove(name);
        self
    }

    fn slot(&mut self, pointer: &str) -> &mut Value {
        pointer
            .split('/')
            .skip(1)
            .fold(&mut self.config, |value, name| match value {
                Value::Array(list) => {
                    let index: usize = name.parse().expect("an index");
                    &mut list[index]
                }
                other => &mut other[name],
            })
    }

    /// Makes the container run a program with arguments.
    pub(crate) fn arguments(&mut self, arguments: &[&str]) -> &mut Bundle {
        self.set("/process/args", json!(arguments))
    }

    /// Drops a namespace from the configuration.
    pub(crate) fn without_namespace(&mut self, kind: &str) -> &mut Bundle {
        let list = self.slot("/linux/namespaces");
        let list = list.as_array_mut().expect("a list");
        list.retain(|namespace| namespace["type"] != kind);
        self
    }

    /// Adds a mount.
    pub(crate) fn mount(
        &mut self,
        kind: &str,
        source: &str,
        destination: &str,
        options: &[&str],
    ) -> &mut Bundle {
        self.push(
            "/mounts",
            json!({
                "type": kind, "source": source,
                "destination": destination, "options": options,
            }),
        )
    }

    /// A path in the directory that holds everything.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// The same as text.
    pub(crate) fn text(&self, path: &str) -> String {
        self.path(path).to_str().expect("plain text").to_owned()
    }

    /// A path in the container's root file system.
    pub(crate) fn rootfs(&self, path: &str) -> PathBuf {
        self.directory.join("bundle/rootfs").join(path)
    }

    /// Writes the configuration into the bundle.
    pub(crate) fn write(&self) {
        let text = serde_json::to_vec_pretty(&self.config).expect("JSON");
        fs::write(self.path("bundle/config.json"), text).expect("config.json");
    }

    /// A command about this container.
    pub(crate) fn call(&self, command: &str) -> Outcome {
        self.runtime.call(&[command, &self.id])
    }

    /// Creates the container.
    pub(crate) fn create(&mut self) -> Outcome {
        self.create_with(&[])
    }

    /// Creates the container with flags of the command.
    pub(crate) fn create_with(&mut self, flags: &[&str]) -> Outcome {
        self.write();
        let bundle = self.text("bundle");
        let mut arguments = vec!["create", "--bundle", &bundle];
        arguments.extend(flags);
        arguments.push(&self.id);
        let mut command = self.runtime.command(&arguments);
        let mut started = self.runtime.start(&mut command);
        let status = started.child.wait().expect("it is a child");
        let outcome = started.outcome(status);
        self.created = Some(started);
        outcome
    }

    /// Creates the container and returns its process.
    #[track_caller]
    pub(crate) fn created(&mut self) -> i32 {
        self.create().succeeds();
        self.pid()
    }

    /// Creates and starts the container and returns its process.
    #[track_caller]
    pub(crate) fn started(&mut self) -> i32 {
        let pid = self.created();
        self.call("start").succeeds();
        pid
    }

    /// Runs the container to its end; its output.
    pub(crate) fn run(&self) -> Outcome {
        self.run_with(&[])
    }

    /// As [`Bundle::run`], with flags.
    pub(crate) fn run_with(&self, flags: &[&str]) -> Outcome {
        self.write();
        let bundle = self.text("bundle");
        let mut arguments = vec!["run", "--bundle", &bundle];
        arguments.extend(flags);
        arguments.push(&self.id);
        self.runtime.call(&arguments)
    }

    /// Runs the container to its end, which has to be good; its output.
    #[track_caller]
    pub(crate) fn output(&self) -> String {
        self.run().succeeds()
    }

    /// Runs a script in the running container.
    pub(crate) fn exec(&self, script: &str) -> Outcome {
        self.runtime
            .call(&["exec", &self.id, "/bin/sh", "-c", script])
    }

    /// The configuration must be refused: by `create`, with nothing left.
    #[track_caller]
    pub(crate) fn refused(&mut self) -> String {
        let message = self.create().fails();
        self.assert_gone();
        message
    }

    /// The configuration must be refused before the program runs: by `create`
    /// or by `start`, with the container stopped at least.
    #[track_caller]
    pub(crate) fn refused_before_it_runs(&mut self) -> String {
        let outcome = self.create();
        if outcome.code != 0 {
            self.assert_gone();
            return outcome.fails();
        }
        let message = self.call("start").fails();
        assert_ne!(self.status().as_deref(), Some("running"));
        message
    }

    /// Nobody knows the container, and nothing of it is there.
    #[track_caller]
    pub(crate) fn assert_gone(&self) {
        self.call("state").fails();
        assert!(
            cgroups::named(&self.id).is_empty(),
            "control groups are left: {:?}",
            cgroups::named(&self.id)
        );
        assert_eq!(self.mounts(), [""; 0]);
        let state = fs::read_dir(&self.runtime.root).expect("the state directory");
        let state: Vec<_> = state.flatten().map(|entry| entry.path()).collect();
        assert!(
            !state.iter().any(|path| path.ends_with(&self.id)),
            "state is left: {state:?}"
        );
        if LIVE.load(Ordering::Relaxed) == 1 {
            subtree::assert_none();
        }
    }

    /// Mounts of the program's namespace in the bundle.
    pub(crate) fn mounts(&self) -> Vec<String> {
        mountinfo::own_with(self.path("bundle").to_str().expect("plain text"))
    }

    /// The container's state.
    #[track_caller]
    pub(crate) fn state(&self) -> Value {
        let text = self.call("state").succeeds();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Its status, if it is known.
    pub(crate) fn status(&self) -> Option<String> {
        let outcome = self.call("state");
        let state: Value = serde_json::from_str(&outcome.stdout).ok()?;
        state["status"].as_str().map(str::to_owned)
    }

    /// Its process.
    #[track_caller]
    pub(crate) fn pid(&self) -> i32 {
        let pid = self.state()["pid"].as_i64().expect("a number");
        i32::try_from(pid).expect("a process ID")
    }

    /// Sends a signal.
    pub(crate) fn kill(&self, signal: &str) -> Outcome {
        self.runtime.call(&["kill", &self.id, signal])
    }

    /// Waits until the container has stopped.
    #[track_caller]
    pub(crate) fn wait(&self) {
        subtree::eventually("the container stops", || {
            self.status().as_deref() == Some("stopped")
        });
    }

    /// Kills the container and waits for its end.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.kill("KILL").succeeds();
        self.wait();
    }

    /// What the created container has written to its standard output by now.
    pub(crate) fn printed(&mut self) -> String {
        let started = self.created.as_mut().expect("it was created");
        let status = started.child.wait().expect("it is a child");
        started.outcome(status).stdout.trim_end().to_owned()
    }

    /// Waits until a file of the root file system is there, and reads it.
    #[track_caller]
    pub(crate) fn read_eventually(&self, path: &str) -> String {
        let path = self.rootfs(path);
        subtree::eventually("the file is written", || {
            fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n'))
        });
        fs::read_to_string(&path)
            .expect("just there")
            .trim_end()
            .to_owned()
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let deleted = self.runtime.call(&["delete", "--force", &self.id]);
        if std::thread::panicking() {
            LIVE.fetch_sub(1, Ordering::Relaxed);
            self.clean();
            return;
        }
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            deleted.succeeds();
            self.assert_gone();
        }));
        LIVE.fetch_sub(1, Ordering::Relaxed);
        match checked {
            Ok(()) => fs::remove_dir_all(&self.directory).expect("nothing is mounted there"),
            Err(panic) => {
                self.clean();
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Bundle {
    /// Removes what a failed test left, as well as that can be done.
    fn clean(&self) {
        subtree::kill_all();
        for mount in self.mounts().iter().rev() {
            let _ = unmount(mount.as_str(), UnmountFlags::DETACH);
        }
        cgroups::remove(&self.id);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Busybox under the names that scripts use, and the directories that mounts
/// want.
fn populate(root: &Path) {
    for path in ["bin", "etc", "proc", "sys", "dev", "tmp"] {
        fs::create_dir_all(root.join(path)).expect("directories");
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static must be installed");
    for name in [
        "cat", "chmod", "cp", "dd", "df", "echo", "env", "false", "grep", "head", "hostname", "id",
        "ionice", "kill", "ls", "mkdir", "mknod", "mount", "nproc", "ps", "pwd", "readlink", "rm",
        "sh", "sleep", "stat", "stty", "touch", "tr", "true", "truncate", "tty", "umount", "uname",
        "wc",
    ] {
        symlink("busybox", root.join("bin").join(name)).expect("a link");
    }
}

/// An ordinary container's configuration.
fn config(id: &str, script: &str) -> Value {
    json!({
        "ociVersion": "1.2.0",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/sh", "-c", script],
            "env": [PATH],
            "cwd": "/",
            "capabilities": {
                "bounding": CAPABILITIES,
                "effective": CAPABILITIES,
                "permitted": CAPABILITIES,
            },
        },
        "root": {"path": "rootfs"},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
                "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs",
                "options": ["nosuid", "noexec", "nodev", "ro"]},
        ],
        "linux": {
            "cgroupsPath": format!("/{id}"),
            "namespaces": [
                {"type": "pid"}, {"type": "network"}, {"type": "ipc"},
                {"type": "uts"}, {"type": "mount"},
            ],
            "resources": {"devices": [{"allow": false, "access": "rwm"}]},
        },
    })
}

/// A hook that runs a shell script outside or, for `startContainer`, inside.
pub(crate) fn hook(script: &str) -> Value {
    json!({"path": "/bin/busybox", "args": ["sh", "-c", script], "env": [PATH]})
}
