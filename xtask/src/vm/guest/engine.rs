//! The machine's engine, with the paths every host's has, and its client.

use super::busybox;
use super::program::{Output, Program};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOCKET: &str = "/run/tare/tare.sock";
const LOG: &str = "/tmp/engine.log";
/// How long something may take that happens after the answer.
const EVENTUALLY: Duration = Duration::from_secs(20);

/// The engine, running or not.
#[derive(Debug)]
pub(super) struct Engine {
    process: Option<Child>,
}

impl Engine {
    pub(super) fn new() -> Self {
        Self { process: None }
    }

    /// Starts it and loads every image.
    pub(super) fn start_with_images(&mut self) -> Result<()> {
        self.start()?;
        for entry in fs::read_dir("/images")?.flatten() {
            let path = entry.path();
            self.tare(&["load", "-i", &path.to_string_lossy()])?
                .expect(0)?;
        }
        Ok(())
    }

    /// Starts it and waits for its first answer.
    pub(super) fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(LOG)?;
        let child = Command::new("tare")
            .arg("daemon")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot execute tare daemon")?;
        let process = self.process.insert(child);
        eventually("the engine answers", || {
            if let Some(status) = process.try_wait()? {
                bail!("the engine ended at its start: {status}");
            }
            ping()
        })
    }

    /// Kills it in whatever it is doing.
    pub(super) fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("no engine runs")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Ends it as a service manager does.
    pub(super) fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        busybox(&["kill", "-TERM", &process.id().to_string()])?;
        eventually("the engine ends", || match process.try_wait()? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the engine ended: {status}"),
            None => bail!("it is still there"),
        })
    }

    /// Its process ID.
    pub(super) fn pid(&self) -> Result<u32> {
        Ok(self.process.as_ref().context("no engine runs")?.id())
    }

    /// Runs the client.
    pub(super) fn tare(&self, arguments: &[&str]) -> Result<Output> {
        Program::new("tare", arguments).run()
    }

    /// Runs a shell script in a new container of `busybox`.
    pub(super) fn run(&self, flags: &[&str], script: &str) -> Result<Output> {
        let mut arguments = vec!["run", "--rm"];
        arguments.extend(flags);
        arguments.extend(["busybox", "sh", "-c", script]);
        self.tare(&arguments)
    }

    /// Starts a container of `busybox` in the background.
    pub(super) fn start_container(&self, name: &str, flags: &[&str], script: &str) -> Result<()> {
        let mut arguments = vec!["run", "-d", "--name", name];
        arguments.extend(flags);
        arguments.extend(["busybox", "sh", "-c", script]);
        self.tare(&arguments)?.expect(0)?;
        Ok(())
    }

    /// Removes a container in whatever state it is.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        self.tare(&["rm", "-f", name])?.expect(0)?;
        Ok(())
    }

    /// What `inspect` says about one object.
    pub(super) fn inspect(&self, name: &str) -> Result<Value> {
        let text = self.tare(&["inspect", name])?.expect(0)?.stdout;
        let mut list: Vec<Value> = serde_json::from_str(&text).context("inspect")?;
        ensure!(list.len() == 1, "inspect {name} lists {}", list.len());
        Ok(list.remove(0))
    }

    /// The ID of a container's first process on the host.
    pub(super) fn container_pid(&self, name: &str) -> Result<u64> {
        let inspected = self.inspect(name)?;
        inspected["State"]["Pid"]
            .as_u64()
            .filter(|pid| *pid > 0)
            .with_context(|| format!("{name} does not run: {}", inspected["State"]))
    }

    /// The directory of a running container's control group.
    pub(super) fn cgroup(&self, name: &str) -> Result<PathBuf> {
        let path = format!("/proc/{}/cgroup", self.container_pid(name)?);
        let text = fs::read_to_string(&path).context(path)?;
        let group = text.trim_end().strip_prefix("0::/").context("no group")?;
        ensure!(!group.is_empty(), "{name} is in the root group");
        Ok(PathBuf::from("/sys/fs/cgroup").join(group))
    }

    /// Removes every container.
    pub(super) fn clear(&self) -> Result<()> {
        let listed = self.tare(&["ps", "-a", "-q"])?.expect(0)?.stdout;
        let ids: Vec<&str> = listed.split_whitespace().collect();
        if !ids.is_empty() {
            self.tare(&[&["rm", "-f"], &ids[..]].concat())?.expect(0)?;
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.process.is_some() {
            // The machine goes off next.
            let _ = self.kill();
        }
    }
}

/// Everything that the engine has logged.
pub(super) fn log() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}

/// Whether an engine answers.
pub(super) fn ping() -> Result<()> {
    let mut stream = UnixStream::connect(SOCKET)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "answered {answer:?}");
    Ok(())
}

/// Tries until it succeeds; the last error is the reason when it never does.
pub(super) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + EVENTUALLY;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context(format!("expected: {what}")));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(25)),
        }
    }
}
