//! A container's log: where it is kept, and reading it.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tare_engine_api::LogConfig as LogConfiguration;
use tare_shim::client::Attachment;
use tare_shim::log::{Driver, Filled, FrameOptions, LogConfig, ReadOptions, Reader};
use tokio::sync::{mpsc, watch};

use super::{Phase, Record};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::readable::Readable;

/// Bytes handed to a client at a time.
const CHUNK: usize = 64 * 1024;
/// Docker's bounds of the `local` driver.
const LOCAL_BOUNDS: (u64, u32) = (20_000_000, 5);

/// The driver of a container that names none, and its bounds.
pub(crate) const DEFAULT_DRIVER: &str = "json-file";
const DEFAULT_OPTIONS: [(&str, &str); 2] = [("max-size", "20m"), ("max-file", "5")];

/// What to read of a log.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogOptions {
    /// Go on while the container runs.
    pub follow: bool,
    /// Standard output (or the terminal).
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Nothing older, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Nothing newer, in nanoseconds since 1970.
    pub until: Option<i64>,
    /// The time before each line.
    pub timestamps: bool,
    /// Only the last so many lines.
    pub tail: Option<u64>,
}

/// A log being read.
#[derive(Debug)]
pub struct Logs {
    /// The bytes are a terminal's; otherwise they are framed.
    pub terminal: bool,
    /// What is read, until its end; dropping it ends the reading.
    pub receiver: mpsc::Receiver<Result<Bytes>>,
}

/// The log of a container that names no driver: Docker's form, because clients
/// such as docker-py read no log of another default, but bounded.
pub(crate) fn complete(log: &mut LogConfiguration) {
    log.kind = DEFAULT_DRIVER.to_owned();
    for (option, value) in DEFAULT_OPTIONS {
        let option = log.config.entry(option.to_owned());
        option.or_insert_with(|| value.to_owned());
    }
}

/// The log's configuration from the container's; unknown options are refused by name.
pub(crate) fn config(record: &Record, directory: &Path) -> Result<LogConfig> {
    let asked = &record.host_config.log_config;
    let (driver, file) = match asked.kind.as_str() {
        "" | "local" => (Driver::Local, "log".to_owned()),
        "json-file" => (Driver::JsonFile, format!("{}-json.log", record.id)),
        "none" => (Driver::None, String::new()),
        other => {
            return Err(Error::unsupported(format!(
                "log driver \"{other}\" is not supported by this engine yet: use local, json-file or none"
            )));
        }
    };
    let (mut max_size, mut max_files) = match driver {
        Driver::Local => (Some(LOCAL_BOUNDS.0), LOCAL_BOUNDS.1),
        _ => (None, 1),
    };
    for (key, value) in &asked.config {
        let invalid = || Error::invalid(format!("invalid value \"{value}\" for log opt '{key}'"));
        match (driver, key.as_str()) {
            (Driver::Local | Driver::JsonFile, "max-size") => {
                max_size = parse_size(value).ok_or_else(invalid)?
            }
            (Driver::Local | Driver::JsonFile, "max-file") => {
                max_files = value
                    .parse()
                    .ok()
                    .filter(|files| *files > 0)
                    .ok_or_else(invalid)?;
            }
            _ => {
                return Err(Error::invalid(format!(
                    "unknown log opt '{key}' for {} log driver",
                    asked.kind
                )));
            }
        }
    }
    let path = if file.is_empty() {
        PathBuf::new()
    } else {
        directory.join(file)
    };
    Ok(LogConfig {
        driver,
        path,
        max_size,
        max_files,
        tags: BTreeMap::new(),
    })
}

/// The file of the log, for inspect: only json-file's form is public.
pub(crate) fn path(record: &Record, directory: &Path) -> Option<PathBuf> {
    let config = config(record, directory).ok()?;
    (config.driver == Driver::JsonFile).then_some(config.path)
}

/// `10m`, `1g`, `512`; `-1` is without bound.
fn parse_size(text: &str) -> Option<Option<u64>> {
    if text == "-1" {
        return Some(None);
    }
    let lower = text.to_ascii_lowercase();
    let bare = lower.trim_end_matches('b').trim_end_matches('i');
    let (digits, shift) = match bare.chars().last()? {
        'k' => (&bare[..bare.len() - 1], 10),
        'm' => (&bare[..bare.len() - 1], 20),
        'g' => (&bare[..bare.len() - 1], 30),
        _ => (bare, 0),
    };
    let number: u64 = digits.parse().ok()?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes > 0)
        .map(Some)
}

/// A log to be copied before a live stream.
pub(crate) struct LogSource {
    config: LogConfig,
    terminal: bool,
}

impl LogSource {
    /// Writes everything logged so far into the attachment's stream. Blocks.
    pub(crate) fn write_all_to(self, attachment: &Attachment) -> io::Result<()> {
        let options = ReadOptions {
            stdout: attachment.stdout,
            stderr: attachment.stderr,
            ..ReadOptions::default()
        };
        let framing = FrameOptions {
            terminal: self.terminal,
            timestamps: false,
        };
        let mut reader = Reader::open(self.config, options)?;
        let mut stream = UnixStream::from(attachment.stream.try_clone()?);
        let mut buffer = Vec::new();
        loop {
            let filled = reader.fill(&mut buffer, CHUNK, framing)?;
            io::Write::write_all(&mut stream, &buffer)?;
            buffer.clear();
            if filled != Filled::More {
                return Ok(());
            }
        }
    }
}

impl Engine {
    /// The log of a container, to be written before a live stream.
    pub(crate) fn log_source(&self, record: &Record) -> Result<LogSource> {
        let config = config(record, &self.container_directory(&record.id))?;
        Ok(LogSource {
            config,
            terminal: record.config.tty,
        })
    }

    /// Reads a container's log.
    pub async fn container_logs(&self, reference: &str, options: LogOptions) -> Result<Logs> {
        if !options.stdout && !options.stderr {
            return Err(Error::invalid(
                "Bad parameters: you must choose at least one stream",
            ));
        }
        let container = self.inner.containers.find(reference)?;
        let record = container.record();
        let config = config(&record, &self.container_directory(&record.id))?;
        if config.driver == Driver::None {
            return Err(Error::unsupported(
                "configured logging driver does not support reading",
            ));
        }
        let terminal = record.config.tty;
        let phase = container.phase.subscribe();
        let follow = options.follow && phase.borrow().running;
        let read = ReadOptions {
            tail: options.tail,
            since: options.since,
            until: options.until,
            stdout: options.stdout,
            stderr: options.stderr,
            follow,
        };
        let reader = tokio::task::spawn_blocking(move || Reader::open(config, read)).await??;
        let framing = FrameOptions {
            terminal,
            timestamps: options.timestamps,
        };
        let (sender, receiver) = mpsc::channel(2);
        tokio::spawn(async move {
            if let Err(error) = pump(reader, framing, phase, &sender).await {
                // Nobody listens any more when this fails.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(Logs { terminal, receiver })
    }
}

/// Reads until the end of the log, the container's end, or the client's.
async fn pump(
    mut reader: Reader,
    framing: FrameOptions,
    mut phase: watch::Receiver<Phase>,
    sender: &mpsc::Sender<Result<Bytes>>,
) -> Result<()> {
    let readiness = match reader.as_fd() {
        Some(fd) => Some(Readable::new(fd)?),
        None => None,
    };
    loop {
        let step = tokio::task::spawn_blocking(move || {
            let mut buffer = Vec::new();
            let filled = reader.fill(&mut buffer, CHUNK, framing);
            (reader, buffer, filled)
        });
        let (returned, buffer, filled) = step.await?;
        reader = returned;
        if !buffer.is_empty() && sender.send(Ok(Bytes::from(buffer))).await.is_err() {
            return Ok(());
        }
        match (filled?, &readiness) {
            (Filled::More, _) => {}
            (Filled::End, _) | (Filled::Wait, None) => return Ok(()),
            (Filled::Wait, Some(readiness)) => {
                tokio::select! {
                    ready = readiness.next() => ready?,
                    () = sender.closed() => return Ok(()),
                    _ = phase.wait_for(|phase| !phase.running || phase.removed) => reader.finish(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
