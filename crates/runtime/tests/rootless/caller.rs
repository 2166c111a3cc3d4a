//! Somebody who is not root, with a bundle, a state directory and the
//! executable.
//!
//! Everything is below one temporary directory, which goes with the fixture;
//! nothing of a container may be left then.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::subtree;

/// The user and the group, of which the host knows nothing.
pub(crate) const UID: u32 = 74_242;
pub(crate) const GID: u32 = 74_343;
const PATH: &str = "/bin:/sbin:/usr/bin:/usr/sbin";

/// The user and one container.
#[derive(Debug)]
pub(crate) struct Caller {
    directory: PathBuf,
    pub(crate) id: String,
    pub(crate) config: Value,
    count: AtomicU32,
}

impl Caller {
    /// A container as `spec --rootless` describes it, that runs a script.
    pub(crate) fn new(script: &str) -> Caller {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("rootless-{}-{number}", std::process::id());
        let temporary = fs::canonicalize(std::env::temp_dir()).expect("a temporary directory");
        let directory = temporary.join(&id);
        for path in ["state", "outputs", "bundle", "program"] {
            fs::create_dir_all(directory.join(path)).expect("directories");
        }
        let program = directory.join("program/tare-runtime");
        let built = std::env::var_os("TARE_RUNTIME")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_tare-runtime").into());
        fs::copy(built, &program).expect("the executable");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("sets");
        populate(&directory.join("bundle/rootfs"));
        for path in ["state", "bundle", "bundle/rootfs", "bundle/rootfs/tmp"] {
            chown(directory.join(path), Some(UID), Some(GID)).expect("root may");
        }
        let mut caller = Caller {
            directory,
            id,
            config: Value::Null,
            count: AtomicU32::new(0),
        };
        let bundle = caller.text("bundle");
        caller
            .call(&["spec", "--rootless", "--bundle", &bundle])
            .succeeds();
        let text = fs::read(caller.path("bundle/config.json")).expect("it was written");
        caller.config = serde_json::from_slice(&text).expect("JSON");
        caller.set("/process/terminal", json!(false));
        caller.set("/process/args", json!(["/bin/sh", "-c", script]));
        caller
    }

    /// A container that stays.
    pub(crate) fn sleeping() -> Caller {
        Caller::new("exec sleep 1000")
    }

    /// Sets a value by its JSON pointer; the last part may be new.
    #[track_caller]
    pub(crate) fn set(&mut self, pointer: &str, value: Value) {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self.config.pointer_mut(parent).expect("it is there");
        parent[name] = value;
    }

    /// Appends to a list.
    #[track_caller]
    pub(crate) fn push(&mut self, pointer: &str, value: Value) {
        let list = self.config.pointer_mut(pointer).expect("it is there");
        list.as_array_mut().expect("a list").push(value);
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.path(path).to_str().expect("plain text").to_owned()
    }

    /// A command of the user's own, with nothing of root's.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .uid(UID)
            .gid(GID)
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/");
        command
    }

    /// The runtime's command line without `--root`.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(self.path("program/tare-runtime"));
        command.args(arguments);
        command
    }

    /// The runtime's command line.
    pub(crate) fn runtime(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(&["--root", &self.text("state")]);
        command.args(arguments);
        command
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Outcome {
        self.finish(&mut self.runtime(arguments))
    }

    /// A command about the container.
    pub(crate) fn about(&self, command: &str) -> Outcome {
        self.call(&[command, &self.id])
    }

    /// Runs a command to its end. What it leaves running may keep the files
    /// open that its output goes to.
    pub(crate) fn finish(&self, command: &mut Command) -> Outcome {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let file = |name: &str| self.path(&format!("outputs/{name}{number}"));
        let (stdout, stderr) = (file("out"), file("err"));
        let status = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).expect("a file"))
            .stderr(File::create(&stderr).expect("a file"))
            .status()
            .expect("it can be executed");
        let read = |path: &Path| {
            String::from_utf8_lossy(&fs::read(path).expect("the output")).into_owned()
        };
        Outcome {
            code: status
                .code()
                .or_else(|| status.signal().map(|signal| 128 + signal))
                .expect("exit or signal"),
            stdout: read(&stdout),
            stderr: read(&stderr),
        }
    }

    /// Writes the configuration.
    pub(crate) fn write(&self) {
        let text = serde_json::to_vec_pretty(&self.config).expect("JSON");
        fs::write(self.path("bundle/config.json"), text).expect("config.json");
    }

    /// A command that makes the container, as its arguments.
    pub(crate) fn making<'a>(&'a self, command: &'a str, bundle: &'a str) -> Vec<&'a str> {
        self.write();
        vec![command, "--bundle", bundle, &self.id]
    }

    /// Runs the container to its end.
    pub(crate) fn run(&self) -> Outcome {
        self.call(&self.making("run", &self.text("bundle")))
    }

    /// Creates and starts the container; its process.
    #[track_caller]
    pub(crate) fn started(&self) -> i32 {
        self.call(&self.making("create", &self.text("bundle")))
            .succeeds();
        self.about("start").succeeds();
        self.pid()
    }

    /// Runs a script in the container.
    pub(crate) fn exec(&self, script: &str) -> Outcome {
        self.call(&["exec", &self.id, "/bin/sh", "-c", script])
    }

    #[track_caller]
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&self.about("state").succeeds()).expect("JSON")
    }

    #[track_caller]
    pub(crate) fn pid(&self) -> i32 {
        let pid = self.state()["pid"].as_i64().expect("a number");
        i32::try_from(pid).expect("a process ID")
    }

    /// The container cannot be made; says why, and nothing of it is there.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        let message = self
            .call(&self.making("create", &self.text("bundle")))
            .fails();
        self.assert_gone();
        message
    }

    /// No state and no process is left.
    #[track_caller]
    pub(crate) fn assert_gone(&self) {
        let state = self.path("state").join(&self.id);
        assert!(!state.exists(), "state is left");
        subtree::assert_none();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let deleted = self.call(&["delete", "--force", &self.id]);
        if std::thread::panicking() {
            subtree::kill_all();
            let _ = fs::remove_dir_all(&self.directory);
            return;
        }
        deleted.succeeds();
        self.assert_gone();
        fs::remove_dir_all(&self.directory).expect("nothing is mounted there");
    }
}

/// Busybox under the names that scripts use, and the directories that mounts
/// want.
fn populate(root: &Path) {
    for path in ["bin", "etc", "proc", "sys", "dev", "tmp", "volume"] {
        fs::create_dir_all(root.join(path)).expect("directories");
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static must be installed");
    for name in [
        "cat", "chown", "echo", "head", "hostname", "id", "ls", "ps", "readlink", "sh", "sleep",
        "stat", "touch", "tty", "wc",
    ] {
        symlink("busybox", root.join("bin").join(name)).expect("a link");
    }
}
