//! An engine in a sandbox: ours, or `dockerd` when the tests run against it.

use crate::client::Output;
use crate::http::{Connection, Response};
use crate::sandbox::children;
use crate::{Sandbox, against_docker, eventually, image_archive};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// How an engine is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory in the sandbox's for everything of this engine.
    pub name: String,
    /// The test images it is loaded with.
    pub images: Vec<String>,
    /// Further flags.
    pub flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "engine".to_owned(),
            images: vec!["busybox".to_owned()],
            flags: Vec::new(),
        }
    }
}

/// A running engine. It ends with its sandbox.
#[derive(Debug)]
pub struct Engine {
    process: Option<Child>,
    directory: PathBuf,
    options: Options,
    sandbox: Arc<Sandbox>,
}

impl Engine {
    /// A new engine in a new sandbox, with `busybox` loaded.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_in(Sandbox::new(), Options::default())
    }

    /// A new engine with these test images loaded.
    #[track_caller]
    pub fn start_with_images(images: &[&str]) -> Self {
        let options = Options {
            images: images.iter().map(|&image| image.to_owned()).collect(),
            ..Options::default()
        };
        Self::start_in(Sandbox::new(), options)
    }

    /// A new engine in this sandbox, which several may share.
    #[track_caller]
    pub fn start_in(sandbox: impl Into<Arc<Sandbox>>, options: Options) -> Self {
        let sandbox = sandbox.into();
        let directory = sandbox.directory().join(&options.name);
        fs::create_dir_all(&directory).expect("the engine's directory");
        let mut engine = Self {
            process: None,
            directory,
            options,
            sandbox,
        };
        engine.start_again();
        for image in engine.options.images.clone() {
            engine.load(&image);
        }
        engine
    }

    /// Starts the engine after it was killed.
    #[track_caller]
    pub fn start_again(&mut self) {
        let mut command = self.daemon_command(&self.options.flags);
        self.process = Some(command.spawn().expect("the engine"));
        let process = self.process.as_mut().expect("just set");
        let socket = self.directory.join("engine.sock");
        let log = self.directory.join("log");
        eventually("the engine answers /_ping", || {
            if let Ok(Some(status)) = process.try_wait() {
                let text = fs::read_to_string(&log).unwrap_or_default();
                panic!("the engine ended at its start: {status}\n{text}");
            }
            let answer = Connection::open(&socket, "GET", "/_ping", &[], &[]).ok()?;
            (answer.status == 200).then_some(())
        });
    }

    /// The command that starts an engine with this one's directories.
    pub fn daemon_command(&self, flags: &[String]) -> Command {
        let mut command = if against_docker() {
            self.sandbox.command("dockerd")
        } else {
            let mut command = self.sandbox.command(executable());
            command.arg("daemon");
            command
        };
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.join("log"))
            .expect("the engine's log");
        command
            .arg("--host")
            .arg(format!("unix://{}", self.socket().display()))
            .arg("--data-root")
            .arg(self.data_root())
            .arg("--exec-root")
            .arg(self.exec_root())
            .arg("--pidfile")
            .arg(self.directory.join("pid"))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log);
        command
    }

    /// The sandbox it is in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("engine.sock")
    }

    /// Its data root.
    pub fn data_root(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Its exec root.
    pub fn exec_root(&self) -> PathBuf {
        self.directory.join("exec")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Its process ID, as the outside counts.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        let process = self.process.as_ref().expect("the engine runs");
        let entered = eventually("the engine has entered its sandbox", || {
            children(process.id()).first().copied()
        });
        assert!(
            Path::new(&format!("/proc/{entered}")).exists(),
            "the engine has ended:\n{}",
            self.log()
        );
        entered
    }

    /// Sends a signal to the engine alone, and waits for its end.
    #[track_caller]
    pub fn end(&mut self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a process ID");
        kill_process(pid, signal).expect("the signal is sent");
        let mut process = self.process.take().expect("the engine runs");
        process.wait().expect("the engine's end");
    }

    /// Kills it, as a power cut would, and waits for its end.
    #[track_caller]
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// Loads a test image.
    #[track_caller]
    pub fn load(&self, image: &str) {
        let archive = image_archive(image);
        let bytes = fs::read(&archive).expect("the archive");
        let answer = self.request("POST", "/images/load", &bytes);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.text().contains("errorDetail"), "{}", answer.text());
    }

    /// Sends a request, the body as it is.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> Response {
        let kind = if body.first() == Some(&b'{') {
            "application/json"
        } else {
            "application/x-tar"
        };
        self.request_with(method, path, &[("Content-Type", kind)], body)
    }

    /// Sends a request with these headers.
    #[track_caller]
    pub fn request_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        Connection::open(&self.socket(), method, path, headers, body)
            .and_then(Connection::finish)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.log()))
    }

    /// What a GET that succeeds answers.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.request("GET", path, &[]).expect(200).json()
    }

    /// Posts JSON (nothing for `Value::Null`).
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Response {
        if body.is_null() {
            self.request("POST", path, &[])
        } else {
            self.request("POST", path, body.to_string().as_bytes())
        }
    }

    /// Deletes.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path, &[])
    }

    /// A request whose answer is read as it comes, with Docker's upgrade.
    #[track_caller]
    pub fn hijack(&self, path: &str, body: Value) -> Connection {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "tcp"),
            ("Content-Type", "application/json"),
        ];
        let connection = self.open("POST", path, &headers, body.as_bytes());
        if connection.status != 101 {
            panic!("{path}: {:?}", connection.finish());
        }
        connection
    }

    /// A request whose answer is read as it comes.
    #[track_caller]
    pub fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Connection {
        Connection::open(&self.socket(), method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.log()))
    }

    /// Creates a container of this configuration and returns its ID.
    #[track_caller]
    pub fn create(&self, configuration: Value) -> String {
        let answer = self.post("/containers/create", configuration).expect(201);
        answer.json()["Id"].as_str().expect("an ID").to_owned()
    }

    /// Creates and starts a container and returns its ID.
    #[track_caller]
    pub fn start_container(&self, configuration: Value) -> String {
        let id = self.create(configuration);
        self.post(&format!("/containers/{id}/start"), Value::Null)
            .expect(204);
        id
    }

    /// What `inspect` says of a container.
    #[track_caller]
    pub fn inspect(&self, container: &str) -> Value {
        self.get(&format!("/containers/{container}/json"))
    }

    /// Waits for a container's end and returns its exit code.
    #[track_caller]
    pub fn wait(&self, container: &str) -> i64 {
        let answer = self.post(&format!("/containers/{container}/wait"), Value::Null);
        answer.expect(200).json()["StatusCode"]
            .as_i64()
            .expect("a status code")
    }

    /// The engine's own client with these arguments: ours, or `docker` when the
    /// tests run against it.
    pub fn client_command(&self, arguments: &[&str]) -> Command {
        if against_docker() {
            return self.docker_command(arguments);
        }
        let mut command = self.sandbox.command(executable());
        command
            .arg("-H")
            .arg(format!("unix://{}", self.socket().display()))
            .args(arguments)
            .env_remove("DOCKER_HOST")
            .env_remove("TARE_HOST")
            .env("HOME", self.directory.as_os_str());
        command
    }

    /// The real docker client with these arguments.
    pub fn docker_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command("docker");
        command
            .arg("-H")
            .arg(format!("unix://{}", self.socket().display()))
            .args(arguments)
            .env_remove("DOCKER_HOST")
            .env("HOME", self.directory.as_os_str());
        command
    }

    /// Runs the engine's own client.
    #[track_caller]
    pub fn client(&self, arguments: &[&str]) -> Output {
        Output::of(&mut self.client_command(arguments), &[])
    }

    /// Runs the engine's own client with an input.
    #[track_caller]
    pub fn client_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        Output::of(&mut self.client_command(arguments), input)
    }

    /// Runs the real docker client.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> Output {
        Output::of(&mut self.docker_command(arguments), &[])
    }

    /// The process ID of a container's first process, as the sandbox counts.
    #[track_caller]
    pub fn container_pid(&self, container: &str) -> u32 {
        let state = &self.inspect(container)["State"];
        let pid = state["Pid"].as_u64().and_then(|pid| pid.try_into().ok());
        pid.filter(|&pid| pid > 0)
            .unwrap_or_else(|| panic!("{container} does not run: {state}"))
    }

    /// The directory of a container's process in the sandbox's /proc.
    #[track_caller]
    pub fn container_proc(&self, container: &str) -> PathBuf {
        self.sandbox
            .proc()
            .join(self.container_pid(container).to_string())
    }

    /// The control group of a container in a hierarchy (as `memory`, or
    /// `unified` for version 2), relative to the sandbox's.
    #[track_caller]
    pub fn container_cgroup(&self, container: &str, hierarchy: &str) -> String {
        self.sandbox
            .cgroup_of(self.container_pid(container), hierarchy)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.len().saturating_sub(15);
            eprintln!(
                "── the end of the engine's log\n{}",
                lines[tail..].join("\n")
            );
        }
    }
}

/// The `tare` executable: `TARE_BIN`, else the one built beside the tests.
pub fn executable() -> PathBuf {
    if let Some(path) = std::env::var_os("TARE_BIN") {
        return PathBuf::from(path);
    }
    let mut path = std::env::current_exe().expect("our own path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push("tare");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build`",
        path.display()
    );
    path
}
