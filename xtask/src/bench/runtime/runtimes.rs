//! The runtimes and their command lines, which are the same but for what comes
//! before the command.

use super::bundle::Bundle;
use super::{crun, tare};
use crate::bench::{Plan, engine};
use crate::process::output;
use std::process::Command;

/// Where the process ID of the container that is measured is written.
const PID_FILE: &str = "/run/measured.pid";

/// The container that is measured.
const ID: &str = "measured";

/// A runtime.
pub(super) struct Runtime {
    /// Its name in the table.
    pub(super) name: &'static str,
    /// The executable and what comes before a command.
    command: Vec<String>,
}

/// Everybody who takes part.
pub(super) fn all(plan: &Plan) -> Vec<Runtime> {
    let mut all = Vec::new();
    if plan.kinds.contains(&engine::Kind::Tare) {
        let executable = tare().to_string_lossy().into_owned();
        all.push(Runtime::new("tare", &[&executable, "runtime"]));
    }
    all.push(Runtime::new("runc", &["/usr/sbin/runc"]));
    if crun::executable().exists() {
        let executable = crun::executable().to_string_lossy().into_owned();
        all.push(Runtime::new("crun", &[&executable]));
    }
    all
}

impl Runtime {
    fn new(name: &'static str, command: &[&str]) -> Self {
        Self {
            name,
            command: command.iter().map(|&word| word.to_owned()).collect(),
        }
    }

    /// A command line.
    pub(super) fn line(&self, arguments: &[&str]) -> Vec<String> {
        let mut line = self.command.clone();
        line.extend(arguments.iter().map(|&word| word.to_owned()));
        line
    }

    /// The steps of a container's whole life.
    pub(super) fn life(&self, bundle: &Bundle) -> [Vec<String>; 4] {
        [
            self.create(bundle, ID, PID_FILE),
            self.line(&["start", ID]),
            vec!["@exit".to_owned(), PID_FILE.to_owned()],
            self.line(&["delete", ID]),
        ]
    }

    /// The making of a container.
    pub(super) fn create(&self, bundle: &Bundle, id: &str, pid_file: &str) -> Vec<String> {
        let bundle = bundle.path();
        self.line(&["create", "--bundle", &bundle, "--pid-file", pid_file, id])
    }

    /// A container's whole life in one command.
    pub(super) fn run(&self, bundle: &Bundle) -> Vec<String> {
        self.line(&["run", "--bundle", &bundle.path(), ID])
    }

    /// `true` in a running container.
    pub(super) fn exec(&self, id: &str) -> Vec<String> {
        self.line(&["exec", id, "/bin/true"])
    }

    /// Its name and version.
    pub(super) fn about(&self) -> String {
        let Some((executable, _)) = self.command.split_first() else {
            return self.name.to_owned();
        };
        match output(Command::new(executable).arg("--version")) {
            Ok(text) => {
                let first = text.lines().next().unwrap_or_default();
                let from = if self.name == "crun" {
                    crun::ORIGIN
                } else {
                    ""
                };
                format!("{}: {first}{from}", self.name)
            }
            Err(error) => format!("{}: {error:#}", self.name),
        }
    }
}
