//! How a command ends when it does not succeed: what is said on standard
//! error, and the exit code.

use crate::client::ClientError;

/// The exit code of everything that is not a container's own.
pub(crate) const GENERAL: u8 = 1;
/// The engine, or the command line for it, failed; no program has run.
pub(crate) const ENGINE: u8 = 125;
/// The program is there but cannot be executed.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// The program was not found.
pub(crate) const NOT_FOUND: u8 = 127;

/// A command's unhappy end.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What to say; `None` when everything has been said.
    pub(crate) message: Option<String>,
    /// The exit code.
    pub(crate) code: u8,
}

impl Failure {
    /// Ends with a message and exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            code: GENERAL,
        }
    }

    /// Ends with the code alone.
    pub(crate) fn silent(code: u8) -> Self {
        Self {
            message: None,
            code,
        }
    }

    /// The same end with another exit code.
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<crate::format::template::TemplateError> for Failure {
    fn from(error: crate::format::template::TemplateError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // The reader has gone (`tare ps | head -1`): nothing to say to it.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::silent(GENERAL);
        }
        Self::new(error.to_string())
    }
}
