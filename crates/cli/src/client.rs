//! A small HTTP/1.1 client for the Engine API, over unix sockets and TCP.
//!
//! It is synchronous and owns no thread: a command line makes a handful of
//! requests one after the other, and the one place that waits for several
//! things at once (`stream`) polls the file descriptors itself. Connections
//! are kept and used again, so that a `run` needs three: one that carries
//! the create and is then taken over by the attach, one that waits, one
//! that starts, resizes and signals.

mod address;
mod body;
mod connection;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::io::Read;

use tare_engine_api::API_VERSION;

pub(crate) use address::{Address, AddressError};
pub(crate) use body::Body;
pub(crate) use connection::Connection;
pub(crate) use request::{Query, Request, percent_encoded};
pub(crate) use response::{Head, HeadError};

/// The most bytes of an answer that are kept in memory.
const LARGEST_ANSWER: u64 = 256 << 20;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nothing answers there.
    #[error("Cannot connect to the Tare engine at {address}. Is the engine running?")]
    Unreachable {
        address: String,
        source: std::io::Error,
    },
    /// The socket is there but not for this user.
    #[error(
        "permission denied while trying to connect to the Tare engine at {address}: run as root or as a member of the socket's group"
    )]
    Permission { address: String },
    /// The connection broke.
    #[error("connection to the engine lost during {request}: {source}")]
    Connection {
        request: String,
        source: std::io::Error,
    },
    /// The answer is not HTTP as we know it.
    #[error("the engine's answer to {request} cannot be understood: {source}")]
    Head { request: String, source: HeadError },
    /// The answer's JSON is not what the API says.
    #[error("the engine's answer to {request} cannot be understood: {source}")]
    Json {
        request: String,
        source: serde_json::Error,
    },
    /// The request could not be written as JSON.
    #[error("cannot encode {request}: {source}")]
    Encode {
        request: String,
        source: serde_json::Error,
    },
    /// The engine refused.
    #[error("Error response from daemon: {message}")]
    Refused { status: u16, message: String },
}

impl ClientError {
    /// The HTTP status, when the engine answered with one.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// An answer whose head has been read.
pub(crate) struct Response<'c> {
    client: &'c Client,
    request: String,
    /// Status and headers.
    pub(crate) head: Head,
    body: Body,
}

/// Talks to one engine.
pub(crate) struct Client {
    address: Address,
    idle: RefCell<Vec<Connection>>,
    /// Goes into every path without asking the engine first. An engine that
    /// is older names its own newest when it refuses, and the request is
    /// sent again with that one.
    version: Cell<(u32, u32)>,
}

impl Client {
    /// A client of the engine at `address`; connects when first needed.
    pub(crate) fn new(address: Address, version: Option<(u32, u32)>) -> Self {
        Self {
            address,
            idle: RefCell::default(),
            version: Cell::new(version.or(parse_version(API_VERSION)).unwrap_or_default()),
        }
    }

    /// A client of the same engine with connections of its own, for another
    /// thread.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.address.clone(), Some(self.version.get()))
    }

    /// Where the engine is.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The API version in use, as `1.50`.
    pub(crate) fn version(&self) -> String {
        let (major, minor) = self.version.get();
        format!("{major}.{minor}")
    }

    /// Keeps an open connection for the next request.
    pub(crate) fn adopt(&self, connection: Connection) {
        self.idle.borrow_mut().push(connection);
    }

    /// Takes a kept connection out again.
    pub(crate) fn release(&self) -> Option<Connection> {
        self.idle.borrow_mut().pop()
    }

    /// Sends a request and reads the answer's head; any status but success
    /// is an error with the engine's message.
    pub(crate) fn send(&self, request: &Request) -> Result<Response<'_>, ClientError> {
        loop {
            match self.exchange(request)?.successful() {
                Ok(response) => return Ok(response),
                Err((status, message)) => match older_version(status, &message, self.version.get())
                {
                    Some(version) => self.version.set(version),
                    None => return Err(refusal(request, status, message)),
                },
            }
        }
    }

    /// Sends a request and reads the whole answer as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<T, ClientError> {
        let bytes = self.bytes(request)?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Json {
            request: request.name(),
            source,
        })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn bytes(&self, request: &Request) -> Result<Vec<u8>, ClientError> {
        self.send(request)?.bytes()
    }

    /// Sends a request without waiting for the answer, so that others can be
    /// sent meanwhile.
    pub(crate) fn begin(&self, request: &Request) -> Result<Connection, ClientError> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        request
            .write(&mut connection, &self.version(), &self.address)
            .map_err(|source| ClientError::Connection {
                request: request.name(),
                source,
            })?;
        Ok(connection)
    }

    /// Reads the head of the answer to a request that was begun.
    pub(crate) fn finish(
        &self,
        connection: Connection,
        request: &Request,
    ) -> Result<Response<'_>, ClientError> {
        self.receive(connection, request)?
            .successful()
            .map_err(|(status, message)| refusal(request, status, message))
    }

    fn exchange(&self, request: &Request) -> Result<Response<'_>, ClientError> {
        let idle = self.idle.borrow_mut().pop();
        let reused = idle.is_some();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        match self.exchange_on(connection, request) {
            // An idle connection may have been closed from the other end.
            Err(ClientError::Connection { .. }) if reused && request.repeatable() => {
                self.exchange_on(self.connect()?, request)
            }
            result => result,
        }
    }

    fn exchange_on(
        &self,
        mut connection: Connection,
        request: &Request,
    ) -> Result<Response<'_>, ClientError> {
        let sent = request.write(&mut connection, &self.version(), &self.address);
        match (sent, self.receive(connection, request)) {
            // Refused early: the answer explains more than the broken pipe.
            (_, Ok(response)) => Ok(response),
            (Err(source), Err(_)) => Err(ClientError::Connection {
                request: request.name(),
                source,
            }),
            (Ok(()), Err(error)) => Err(error),
        }
    }

    fn receive(
        &self,
        mut connection: Connection,
        request: &Request,
    ) -> Result<Response<'_>, ClientError> {
        let name = request.name();
        let head = match connection.read_head() {
            Ok(head) => head,
            Err(response::ReadHeadError::Io(source)) => {
                return Err(ClientError::Connection {
                    request: name,
                    source,
                });
            }
            Err(response::ReadHeadError::Head(source)) => {
                return Err(ClientError::Head {
                    request: name,
                    source,
                });
            }
        };
        let body = Body::new(connection, &head, request.method == "HEAD");
        Ok(Response {
            client: self,
            request: name,
            head,
            body,
        })
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Result<Connection, ClientError> {
        Connection::open(&self.address).map_err(|source| match source.kind() {
            std::io::ErrorKind::PermissionDenied => ClientError::Permission {
                address: self.address.to_string(),
            },
            _ => ClientError::Unreachable {
                address: self.address.to_string(),
                source,
            },
        })
    }
}

impl Response<'_> {
    /// The whole body; the connection is kept for the next request.
    pub(crate) fn bytes(mut self) -> Result<Vec<u8>, ClientError> {
        let mut bytes = Vec::new();
        self.body
            .by_ref()
            .take(LARGEST_ANSWER)
            .read_to_end(&mut bytes)
            .map_err(|source| ClientError::Connection {
                request: self.request.clone(),
                source,
            })?;
        if let Some(connection) = self.body.finish() {
            self.client.adopt(connection);
        }
        Ok(bytes)
    }

    /// The connection itself, which has become a two-way stream.
    pub(crate) fn into_connection(self) -> Result<Connection, ClientError> {
        self.body
            .into_connection()
            .ok_or_else(|| ClientError::Connection {
                request: self.request,
                source: std::io::ErrorKind::UnexpectedEof.into(),
            })
    }

    /// The response, or status and message of a refusal.
    fn successful(mut self) -> Result<Self, (u16, String)> {
        if self.head.status < 400 {
            return Ok(self);
        }
        Err((self.head.status, self.error_message()))
    }

    /// The body as a reader, and the connection with it.
    pub(crate) fn into_body(self) -> Body {
        self.body
    }

    fn error_message(&mut self) -> String {
        let mut bytes = Vec::new();
        // What could be read of it is better than nothing.
        drop(self.body.by_ref().take(1 << 20).read_to_end(&mut bytes));
        if let Some(connection) = self.body.finish() {
            self.client.adopt(connection);
        }
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(error) => error.message,
            Err(_) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        }
    }
}

fn refusal(request: &Request, status: u16, message: String) -> ClientError {
    let message = if message.is_empty() {
        format!("{} was answered with status {status}", request.name())
    } else {
        message
    };
    ClientError::Refused { status, message }
}

#[derive(serde::Deserialize)]
struct ErrorBody {
    message: String,
}

/// The version an engine names when it refuses one that is too new for it.
fn older_version(status: u16, message: &str, current: (u32, u32)) -> Option<(u32, u32)> {
    if status != 400 || !message.contains("is too new") {
        return None;
    }
    let version = parse_version(message.rsplit("is ").next()?.trim())?;
    (version < current).then_some(version)
}

/// Major and minor number of `1.51`.
pub(crate) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
