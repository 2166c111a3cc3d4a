//! The runtime under test, by its command line.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::outcome::Outcome;

/// The executable that is tested.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("TARE_RUNTIME").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_tare-runtime")),
        PathBuf::from,
    )
}

/// A runtime with a state directory of its own.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// Its `--root`.
    pub(crate) root: PathBuf,
    /// Where the output of its commands goes.
    outputs: PathBuf,
}

/// A command that has been started, and the files that it writes to: what it
/// leaves running may keep them open.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Runtime {
    pub(crate) fn new(root: &Path, outputs: &Path) -> Runtime {
        Runtime {
            root: root.to_owned(),
            outputs: outputs.to_owned(),
        }
    }

    /// A command line, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--root").arg(&self.root).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn call(&self, arguments: &[&str]) -> Outcome {
        self.finish(&mut self.command(arguments))
    }

    /// As [`Runtime::call`], with a command line that somebody changed.
    pub(crate) fn finish(&self, command: &mut Command) -> Outcome {
        self.start(command).finish()
    }

    /// Starts a command with nothing to read.
    pub(crate) fn start(&self, command: &mut Command) -> Started {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let stdout = self.outputs.join(format!("stdout{number}"));
        let stderr = self.outputs.join(format!("stderr{number}"));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).expect("a file"))
            .stderr(File::create(&stderr).expect("a file"))
            .spawn()
            .expect("the runtime can be executed");
        Started {
            child,
            stdout,
            stderr,
        }
    }
}

impl Started {
    /// Waits for the command itself.
    pub(crate) fn finish(mut self) -> Outcome {
        let status = self.child.wait().expect("it is a child");
        self.outcome(status)
    }

    /// What it and those that it left have written by now.
    pub(crate) fn outcome(&self, status: ExitStatus) -> Outcome {
        let read = |path: &Path| {
            String::from_utf8_lossy(&fs::read(path).expect("the output")).into_owned()
        };
        Outcome {
            code: status
                .code()
                .or_else(|| status.signal().map(|signal| 128 + signal))
                .expect("exit or signal"),
            stdout: read(&self.stdout),
            stderr: read(&self.stderr),
        }
    }
}
