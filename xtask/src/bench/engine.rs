//! An engine to be measured: started on its own socket and directories, driven
//! by the client that its users have.

use crate::images;
use crate::process::output;
use crate::workspace::executable;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ours, built for release.
    Tare,
    /// Debian's `dockerd` with its containerd.
    Docker,
}

impl Kind {
    /// Its name in the table and of its directory.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tare => "tare",
            Self::Docker => "docker",
        }
    }

    /// The programs whose memory is the engine's.
    pub(super) fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Tare => &["tare", "tare-shim"],
            Self::Docker => &[
                "dockerd",
                "containerd",
                "containerd-shim-runc-v2",
                "docker-proxy",
            ],
        }
    }

    /// What it says its version is.
    pub(super) fn version(self) -> Result<String> {
        let text = match self {
            Self::Tare => output(Command::new(executable("release")).arg("--version"))?,
            Self::Docker => output(Command::new("/usr/sbin/dockerd").arg("--version"))?,
        };
        Ok(text.trim().to_owned())
    }
}

/// A running engine; killed when dropped.
pub(super) struct Engine {
    /// Which one it is.
    pub(super) kind: Kind,
    directory: PathBuf,
    process: Child,
}

impl Engine {
    /// Starts one with everything it owns below `directory`, and returns when
    /// it has answered.
    pub(super) fn start(kind: Kind, directory: &Path) -> Result<Self> {
        Self::start_timed(kind, directory).map(|(engine, _)| engine)
    }

    /// The same, with the time from its execution to its first answer.
    pub(super) fn start_timed(kind: Kind, directory: &Path) -> Result<(Self, Duration)> {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let socket = directory.join("engine.sock");
        let mut command = match kind {
            Kind::Tare => {
                let mut command = Command::new(executable("release"));
                command.arg("daemon");
                command
            }
            Kind::Docker => Command::new("/usr/sbin/dockerd"),
        };
        let log = fs::File::create(directory.join("log")).context("cannot make the log")?;
        command
            .arg("--host")
            .arg(format!("unix://{}", socket.display()))
            .arg("--data-root")
            .arg(directory.join("data"))
            .arg("--exec-root")
            .arg(directory.join("exec"))
            .arg("--pidfile")
            .arg(directory.join("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let started = Instant::now();
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {}", kind.name()))?;
        let mut engine = Self {
            kind,
            directory: directory.to_owned(),
            process,
        };
        while !answers(&socket) {
            if engine.process.try_wait()?.is_some() || started.elapsed() > Duration::from_secs(30) {
                let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
                bail!("{} does not start:\n{log}", kind.name());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let took = started.elapsed();
        Ok((engine, took))
    }

    /// Its client with these arguments.
    pub(super) fn client(&self, arguments: &[&str]) -> Command {
        let mut command = match self.kind {
            Kind::Tare => Command::new(executable("release")),
            Kind::Docker => Command::new("docker"),
        };
        command
            .arg("-H")
            .arg(format!(
                "unix://{}",
                self.directory.join("engine.sock").display()
            ))
            .args(arguments)
            .env("HOME", &self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// How long a command of its client takes, which has to succeed.
    pub(super) fn time(&self, arguments: &[&str]) -> Result<Duration> {
        let mut command = self.client(arguments);
        let started = Instant::now();
        let status = command.status().context("cannot execute the client")?;
        let took = started.elapsed();
        if !status.success() {
            bail!(
                "{} {} failed: {status}",
                self.kind.name(),
                arguments.join(" ")
            );
        }
        Ok(took)
    }

    /// Loads a test image.
    pub(super) fn load(&self, image: &str) -> Result<()> {
        let archive = images::ensure_named(image)?.join("docker.tar");
        let archive = archive.to_str().context("a path that is text")?;
        self.time(&["load", "-q", "-i", archive]).map(drop)
    }

    /// Ends it as its service manager would, and waits.
    pub(super) fn stop(mut self) -> Result<()> {
        let pid = self.process.id().to_string();
        output(Command::new("kill").args(["-TERM", &pid]))?;
        self.process.wait().context("cannot wait for the engine")?;
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It has ended already when it was stopped.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn answers(socket: &Path) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}
