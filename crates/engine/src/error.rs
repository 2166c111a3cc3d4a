//! The engine's error: a kind, which the daemon maps to an HTTP status, and a
//! message in Docker's words.

use std::fmt;

/// Result of an engine operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a class that a client can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request contradicts itself or names something malformed (400).
    InvalidParameter,
    /// Credentials are missing or wrong (401).
    Unauthorized,
    /// The operation is not allowed (403).
    Forbidden,
    /// The named object does not exist (404).
    NotFound,
    /// The object's state forbids the operation (409).
    Conflict,
    /// The object is already as asked (304).
    NotModified,
    /// The engine or the kernel failed (500).
    Internal,
    /// This engine cannot do it (501).
    NotImplemented,
    /// Something this depends on cannot be reached (503).
    Unavailable,
}

/// A failed operation.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    message: String,
}

impl Error {
    /// An error of `kind` that reads `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The class of the failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A malformed or contradictory request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidParameter, message)
    }

    /// A missing object.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// A state that forbids the operation.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// A failure of the engine or the kernel, with its cause.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Kind::Internal, cause.to_string())
    }

    /// A request that this engine knows but cannot serve.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::NotImplemented, message)
    }

    /// The same error with `context` before its message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(error: rustix::io::Errno) -> Self {
        Self::internal(std::io::Error::from(error))
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(error)
    }
}
