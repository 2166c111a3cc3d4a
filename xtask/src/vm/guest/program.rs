//! Running a program in the machine, with a limit on its time.

use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than a command takes on an emulated processor; whoever takes longer
/// hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A program that has not started yet.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    arguments: Vec<String>,
    input: String,
    limit: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Output {
    line: String,
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Program {
    pub(super) fn new(name: &str, arguments: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            input: String::new(),
            limit: LIMIT,
        }
    }

    /// Gives it something to read.
    pub(super) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Gives it more time.
    pub(super) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    pub(super) fn run(self) -> Result<Output> {
        let line = format!("{} {}", self.name, self.arguments.join(" "));
        let mut child = Command::new(&self.name)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot execute {line}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input is none the worse.
            let _ = stdin.write_all(self.input.as_bytes());
        }
        let stdout = read(child.stdout.take());
        let stderr = read(child.stderr.take());
        let started = Instant::now();
        // Until its output ends: a background process may hold it longer.
        let mut status = None;
        while status.is_none() || !stdout.is_finished() || !stderr.is_finished() {
            if status.is_none() {
                status = child.try_wait().context("cannot wait")?;
            }
            if started.elapsed() > self.limit {
                let _ = child.kill();
                let _ = child.wait();
                bail!("{line} took more than {} s", self.limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Output {
            line,
            code: status.map_or(-1, code),
            stdout: stdout.join().unwrap_or_default(),
            stderr: stderr.join().unwrap_or_default(),
        })
    }
}

impl Output {
    /// Fails unless the program ended with this code.
    pub(super) fn expect(self, code: i32) -> Result<Self> {
        ensure!(self.code == code, "{self} instead of {code}");
        Ok(self)
    }

    /// Fails unless the program succeeded and printed just this.
    pub(super) fn prints(self, text: &str) -> Result<()> {
        let output = self.expect(0)?;
        ensure!(output.stdout == text, "{output} instead of {text:?}");
        Ok(())
    }

    /// Fails unless the program ended with this code and said this on standard
    /// error.
    pub(super) fn complains(self, code: i32, text: &str) -> Result<()> {
        let output = self.expect(code)?;
        ensure!(
            output.stderr.contains(text),
            "{output} without the words {text:?}"
        );
        Ok(())
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}: exit code {}, output {:?}, errors {:?}",
            self.line, self.code, self.stdout, self.stderr
        )
    }
}

/// The exit code as shells count it.
pub(super) fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn read(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What came before an error is what there is.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
