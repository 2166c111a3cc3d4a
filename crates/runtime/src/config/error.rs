//! What can be wrong with a configuration.

use std::io;

use super::{MAXIMUM_SIZE, location};

/// The longest text of a stranger that an error repeats, in bytes.
const MAXIMUM_TEXT: usize = 512;

/// Why a configuration is refused. Each is one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle has no config.json. The text is runc's.
    #[error("JSON specification file config.json not found")]
    Missing,
    /// It cannot be read.
    #[error("config.json: {0}")]
    Read(#[source] io::Error),
    /// It is a directory, a FIFO or the like.
    #[error("config.json: is no regular file")]
    NotRegular,
    /// It is larger than any configuration.
    #[error("{0}: is larger than {MAXIMUM_SIZE} bytes")]
    TooLarge(String),
    /// It is no JSON, or a value has another type than the specification says.
    #[error("{document}: {path}{}{reason} at line {line} column {column}", if path.is_empty() { "" } else { ": " })]
    Form {
        /// The document's name.
        document: String,
        /// Path of the property where it shows; empty for the whole document.
        path: String,
        /// What is wrong there.
        reason: String,
        /// Line, from 1.
        line: usize,
        /// Byte in that line, from 1.
        column: usize,
    },
    /// A property that makes no sense, or that this runtime cannot honour.
    #[error("{path}: {reason}")]
    Invalid {
        /// Path of the property.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    pub(super) fn invalid(path: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Invalid {
            path: path.into(),
            reason: one_line(&reason.into()),
        }
    }

    pub(super) fn form(document: &str, bytes: &[u8], error: &serde_json::Error) -> Error {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let suffix = format!(" at line {line} column {column}");
        Error::Form {
            document: document.to_owned(),
            path: location::path(bytes, line, column),
            reason: one_line(text.strip_suffix(&suffix).unwrap_or(&text)),
            line,
            column,
        }
    }
}

/// A stranger's text as part of one line of ours.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() > MAXIMUM_TEXT {
            line.push_str("...");
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
