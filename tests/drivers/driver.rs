//! An engine that is not ours, in a sandbox, with our runtime in it.
//!
//! Owns the sandbox's directory: the executable under the name by which it is
//! the runtime, and everything of the engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tare_tests::{Output, Sandbox, Terminal, eventually, executable};

/// How the two runtimes are named to the engine.
const RUNTIMES: [&str; 2] = ["tare", "runc"];

/// An engine, and how it is talked to.
pub(crate) struct Driver {
    pub(crate) sandbox: Sandbox,
    /// The client with its global flags.
    client: Vec<String>,
    environment: Vec<(&'static str, PathBuf)>,
    /// Between the client and a subcommand's name.
    flags_of: fn(runtime: &str) -> RuntimeFlag,
}

/// Where a client is told the runtime of a container.
pub(crate) enum RuntimeFlag {
    /// Before the subcommand.
    Global(String),
    /// After it.
    OfRun(String),
}

impl Driver {
    pub(crate) fn new(
        sandbox: Sandbox,
        client: Vec<String>,
        environment: Vec<(&'static str, PathBuf)>,
        flags_of: fn(&str) -> RuntimeFlag,
    ) -> Self {
        Self {
            sandbox,
            client,
            environment,
            flags_of,
        }
    }

    /// The client with these arguments; no call takes longer than half a
    /// minute.
    fn command(&self, flags: &[String], arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command("timeout");
        command
            .args(["--foreground", "30"])
            .args(&self.client)
            .args(flags)
            .args(arguments)
            .env_remove("DOCKER_HOST");
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    /// Runs the client.
    #[track_caller]
    pub(crate) fn client(&self, arguments: &[&str]) -> Output {
        Output::of(&mut self.command(&[], arguments), &[])
    }

    /// The client on a terminal.
    pub(crate) fn terminal(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.command(&[], arguments))
    }

    /// Runs a container with this runtime.
    #[track_caller]
    pub(crate) fn run(&self, runtime: &str, arguments: &[&str]) -> Output {
        let (mut global, mut all) = (Vec::new(), vec!["run"]);
        let flag;
        match (self.flags_of)(runtime) {
            RuntimeFlag::Global(text) => global.push(text),
            RuntimeFlag::OfRun(text) => {
                flag = text;
                all.push(&flag);
            }
        }
        all.extend(arguments);
        Output::of(&mut self.command(&global, &all), &[])
    }

    /// Runs the same with both runtimes at once: ours, and `runc`.
    pub(crate) fn run_both(&self, arguments: &[&str]) -> [Output; 2] {
        std::thread::scope(|scope| {
            RUNTIMES
                .map(|runtime| scope.spawn(move || self.run(runtime, arguments)))
                .map(|thread| thread.join().expect("the client"))
        })
    }

    /// A field of a container's `inspect`.
    #[track_caller]
    pub(crate) fn inspect(&self, container: &str, field: &str) -> String {
        let format = format!("{{{{.{field}}}}}");
        self.client(&["inspect", "--format", &format, container])
            .line()
    }

    /// A file of the container's control group.
    #[track_caller]
    pub(crate) fn cgroup_file(&self, container: &str, hierarchy: &str, file: &str) -> String {
        let pid = self.inspect(container, "State.Pid");
        let pid = pid.parse().expect("a process ID");
        let group = self.sandbox.cgroup_of(pid, hierarchy);
        self.sandbox.cgroup_file(hierarchy, &group, file)
    }

    /// The state directories of `tare-runtime`, wherever the engine told it to
    /// have them.
    pub(crate) fn states(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let run = self.sandbox.root().join("run");
        for root in [run.as_path(), self.sandbox.directory()] {
            states_below(root, 6, &mut found);
        }
        found
    }

    /// Everything a container has in the kernel and the runtime on disk.
    fn held(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.sandbox.cgroups();
        lines.extend(self.states().iter().map(|path| path.display().to_string()));
        lines.extend(self.sandbox.processes().into_iter().map(|(_, line)| line));
        let mounts = self.sandbox.mounts();
        lines.extend(
            mounts
                .iter()
                .filter_map(|line| line.split(' ').nth(4))
                .map(str::to_owned),
        );
        lines.sort();
        lines
    }

    /// Makes the checks, and then looks for what the containers left: there
    /// must be what one container of `runc` before them left, and no more.
    #[track_caller]
    pub(crate) fn check(&self, checks: &[fn(&Self)]) {
        self.run("runc", &["--rm", "--network=none", "busybox", "true"])
            .expect(0);
        let mut before = self.held();
        // What came before may still be on its way out.
        eventually("nothing changes any more", || {
            std::thread::sleep(std::time::Duration::from_millis(150));
            let now = self.held();
            let same = now == before;
            before = now;
            same.then_some(())
        });
        for check in checks {
            check(self);
        }
        let mut now = Vec::new();
        for _ in 0..200 {
            now = self.held();
            if now == before {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        assert_eq!(now, before, "left behind");
    }
}

/// Links the executable to the name by which it is the runtime.
pub(crate) fn runtime_in(directory: &Path) -> PathBuf {
    let path = directory.join("tare-runtime");
    std::os::unix::fs::symlink(executable(), &path).expect("a link to the executable");
    path
}

fn states_below(directory: &Path, depth: u32, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        // runc keeps no configuration beside its state.
        if path.join("state.json").exists() && path.join("config.json").exists() {
            found.push(path);
        } else if depth > 1 && path.is_dir() && !path.is_symlink() {
            states_below(&path, depth - 1, found);
        }
    }
}
