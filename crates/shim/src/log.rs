//! A container's log: written by its shim, read by the engine.
//!
//! ```text
//! <path>          the newest records; only the container's shim appends
//! <path>.1 … .N   older ones, oldest last; renamed and removed by the shim
//! ```
//!
//! Every chunk that the shim reads from the container is in the file before
//! the next is read, so an engine that dies loses nothing. A shim that is
//! killed loses what was still in the pipe and an unfinished line; a record
//! torn by it is skipped by readers and cut off by the next writer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

mod frame;
mod json_file;
mod lines;
mod local;
mod reader;
mod rotation;
mod tail;
mod wait;
mod writer;

pub use frame::{FrameOptions, frame, frame_header};
pub use reader::{Filled, Next, ReadOptions, Reader};
pub use tare_oci::timestamp::{format_fixed, parse};
pub use writer::Writer;

/// How records are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Driver {
    /// Our own compact records, in a bounded number of bounded files.
    #[default]
    Local,
    /// Docker's json-file: one JSON object a line.
    JsonFile,
    /// Nothing is kept.
    None,
}

/// Where and how a container's output is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfig {
    /// The form of the records.
    pub driver: Driver,
    /// The newest file; rotated ones have `.1`, `.2` … appended. Its directory exists.
    pub path: PathBuf,
    /// Bytes after which a file is rotated; without it, it never is.
    pub max_size: Option<u64>,
    /// Files kept, the newest included; at least one.
    pub max_files: u32,
    /// Attributes that json-file adds to each record (labels, environment, tag).
    pub tags: BTreeMap<String, String>,
}

impl LogConfig {
    /// The `local` driver with Docker's bounds: five files of 20 MB.
    pub fn local(path: PathBuf) -> LogConfig {
        LogConfig {
            driver: Driver::Local,
            path,
            max_size: Some(20_000_000),
            max_files: 5,
            tags: BTreeMap::new(),
        }
    }

    /// The `json-file` driver with Docker's bounds: one file without end.
    pub fn json_file(path: PathBuf) -> LogConfig {
        LogConfig {
            driver: Driver::JsonFile,
            path,
            max_size: None,
            max_files: 1,
            tags: BTreeMap::new(),
        }
    }

    /// No log.
    pub fn none() -> LogConfig {
        LogConfig {
            driver: Driver::None,
            max_files: 1,
            ..LogConfig::default()
        }
    }

    /// The path of the file that was rotated `age` times.
    pub(crate) fn rotated(&self, age: u32) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{age}"));
        path.into()
    }
}

/// An output stream of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output, or a terminal's output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of output, or a piece of a line that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it arrived, in nanoseconds since the Unix epoch.
    pub time: i64,
    /// Where it came from.
    pub stream: Stream,
    /// No newline followed: the line goes on in the next record, or the output ended.
    pub partial: bool,
    /// The line without its newline.
    pub bytes: &'a [u8],
}

#[cfg(test)]
mod tests;
