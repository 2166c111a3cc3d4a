//! The log, as those who drive runc read it: lines of text, or of JSON with
//! `level`, `msg` and `time`, in a file or on standard error.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tare_oci::timestamp;

use super::error::Error;
use super::flags::Parsed;

/// Where the log goes. Nothing is written there unless something goes wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    file: Option<Arc<File>>,
    json: bool,
    debug: bool,
}

impl Log {
    /// Opens the log of the global flags.
    pub(super) fn open(global: &Parsed) -> Result<Log, Error> {
        let json = match global.value("log-format") {
            None | Some("text") => false,
            Some("json") => true,
            Some(other) => {
                return Err(Error::Usage(format!("unknown log-format {other:?}")));
            }
        };
        let file = match global.value("log").filter(|path| !path.is_empty()) {
            Some(path) => Some(Arc::new(
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .mode(0o644)
                    .custom_flags(rustix::fs::OFlags::CLOEXEC.bits().cast_signed())
                    .open(path)
                    .map_err(|source| Error::io("opening the log", path, source))?,
            )),
            None => None,
        };
        Ok(Log {
            file,
            json,
            debug: global.has("debug"),
        })
    }

    /// Says why the command failed: in the log, and for people where that is a
    /// file.
    pub(super) fn error(&self, message: &str) {
        self.write("error", message);
        if self.file.is_some() {
            let _ = writeln!(std::io::stderr(), "{message}");
        }
    }

    /// Says what went wrong without making the command fail.
    pub(super) fn warning(&self, message: &str) {
        self.write("warning", message);
    }

    /// Says what only somebody who looks for an error wants to know.
    pub(super) fn debug(&self, message: &str) {
        if self.debug {
            self.write("debug", message);
        }
    }

    fn write(&self, level: &str, message: &str) {
        let message = message.replace('\n', " ");
        let line = if self.json {
            let line = serde_json::json!({"level": level, "msg": message, "time": now()});
            format!("{line}\n")
        } else {
            let message = serde_json::Value::String(message);
            format!("time=\"{}\" level={level} msg={message}\n", now())
        };
        // One write a line: several processes may share the file.
        let _ = match &self.file {
            Some(file) => (&**file).write_all(line.as_bytes()),
            None => std::io::stderr().write_all(line.as_bytes()),
        };
    }
}

/// The time, in RFC 3339 without decimals.
fn now() -> String {
    format(seconds_only(nanoseconds()))
}

/// The time, in RFC 3339 with its decimals.
pub(super) fn now_exactly() -> String {
    format(nanoseconds())
}

fn nanoseconds() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or_default()
}

fn seconds_only(time: i64) -> i64 {
    time - time % 1_000_000_000
}

fn format(time: i64) -> String {
    let mut text = Vec::with_capacity(32);
    timestamp::format_trimmed(time, &mut text);
    String::from_utf8(text).unwrap_or_default()
}
