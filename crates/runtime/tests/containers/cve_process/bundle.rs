//! A bundle, and the command line that makes containers of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tare_oci::runtime::{SeccompAction, Spec};

use crate::sandbox::Sandbox;

/// A bundle with its container, which is removed in the end.
pub(super) struct Bundle {
    pub(super) sandbox: Sandbox,
    program: PathBuf,
}

impl Bundle {
    /// With the executable that has been built.
    pub(super) fn new() -> Bundle {
        Bundle::with(Path::new(env!("CARGO_BIN_EXE_tare-runtime")).to_owned())
    }

    /// With a copy of the executable, which an attack may change.
    pub(super) fn with_copy() -> Bundle {
        let mut bundle = Bundle::new();
        let copy = bundle.sandbox.directory.join("tare-runtime");
        fs::copy(&bundle.program, &copy).expect("a copy");
        bundle.program = copy;
        bundle
    }

    fn with(program: PathBuf) -> Bundle {
        Bundle {
            sandbox: Sandbox::new(),
            program,
        }
    }

    /// The executable.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Writes the configuration, with the sandbox's root.
    pub(super) fn configure(&self, mut spec: Spec) {
        // Nobody listens here.
        if let Some(seccomp) = spec.linux.as_mut().and_then(|linux| linux.seccomp.as_mut()) {
            let syscalls = &mut seccomp.syscalls;
            syscalls.retain(|syscall| syscall.action != SeccompAction::Notify);
            seccomp.flags = None;
        }
        let root = spec.root.get_or_insert_default();
        root.path = self.sandbox.lower("").display().to_string();
        let document = serde_json::to_vec(&spec).expect("JSON");
        fs::write(self.sandbox.directory.join("config.json"), document).expect("config.json");
    }

    /// The default container that waits until it is killed.
    pub(super) fn start_sleeping(&self) {
        self.configure(self.sandbox.spec(&["sleep", "1000"]));
        self.start();
    }

    /// Starts the configured container.
    #[track_caller]
    pub(super) fn start(&self) {
        let log = self.sandbox.directory.join("log");
        let mut command = self.command(&["--log"]);
        let status = command
            .arg(&log)
            .args(["run", "--detach", "--bundle"])
            .arg(&self.sandbox.directory)
            .arg(&self.sandbox.id)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let why = || fs::read_to_string(&log).unwrap_or_default();
        assert!(status.expect("executes").success(), "{}", why());
    }

    /// Runs the configured container to its end.
    pub(super) fn run(&self) -> Output {
        let mut command = self.command(&["run", "--bundle"]);
        command.arg(&self.sandbox.directory).arg(&self.sandbox.id);
        command.output().expect("executes")
    }

    /// Runs a program in the container.
    pub(super) fn exec(&self, flags: &[&str], program: &[&str]) -> Output {
        let mut command = self.command(&["exec"]);
        command.args(flags).arg(&self.sandbox.id).args(program);
        command.output().expect("executes")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--root")
            .arg(self.sandbox.directory.join("state"))
            .args(arguments)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let mut command = self.command(&["delete", "--force"]);
        let output = command.arg(&self.sandbox.id).output();
        if !std::thread::panicking() {
            let output = output.expect("executes");
            assert!(output.status.success(), "{output:?}");
        }
    }
}

/// All that a command has said.
pub(super) fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&all).trim_end().to_owned()
}
