//! A shim as the engine's tasks see it: blocking calls moved off the event
//! loop, and its reports awaited.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;
use std::sync::Arc;

use tare_shim::client::{self, Attachment, Connection, ExecRequest, Incoming};
use tare_shim::protocol::{Event, Reason, Started, Target, TerminalSize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::{Error, Kind, Result};

/// A connection to one container's shim.
pub(crate) struct Shim {
    connection: Arc<Connection>,
    readiness: AsyncFd<Readiness>,
}

/// The event socket, kept alive by the connection.
struct Readiness(Arc<Connection>);

impl AsRawFd for Readiness {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Shim {
    /// Takes a connection over; must be called inside the runtime.
    pub(crate) fn new(connection: Connection) -> Result<Arc<Self>> {
        let connection = Arc::new(connection);
        let readiness = AsyncFd::with_interest(Readiness(Arc::clone(&connection)), Interest::READABLE)?;
        Ok(Arc::new(Self { connection, readiness }))
    }

    /// Connects to a shim that was there before the engine.
    pub(crate) async fn connect(directory: &Path) -> Result<Arc<Self>, client::Error> {
        let directory = directory.to_owned();
        let path = directory.clone();
        let connect = tokio::task::spawn_blocking(move || client::connect(&directory));
        let connection = connect.await.map_err(|error| join_error(&path, error))??;
        Self::new(connection)
            .map_err(|error| client::Error::Directory { path, source: std::io::Error::other(error.to_string()) })
    }

    /// The next report; `None` when the shim is gone.
    pub(crate) async fn next_event(&self) -> Result<Option<Event>, client::Error> {
        loop {
            let mut ready = match self.readiness.readable().await {
                Ok(ready) => ready,
                // The runtime is shutting down; nothing more will be reported.
                Err(_) => return Ok(None),
            };
            match self.connection.receive()? {
                Incoming::Event(event) => return Ok(Some(event)),
                Incoming::Closed => return Ok(None),
                Incoming::Nothing => ready.clear_ready(),
            }
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<T> {
        let connection = Arc::clone(&self.connection);
        tokio::task::spawn_blocking(move || call(&connection)).await?.map_err(from_client)
    }

    /// Sends a signal to the container's init.
    pub(crate) async fn signal(&self, signal: i32) -> Result<()> {
        match self.call(move |connection| connection.signal(Target::Init, signal)).await {
            // It has ended meanwhile, which is all that a signal could do.
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            result => result,
        }
    }

    /// Attaches a stream.
    pub(crate) async fn attach(&self, attachment: Attachment) -> Result<()> {
        self.call(move |connection| connection.attach(attachment)).await
    }

    /// Runs a further process; a failed start keeps its exit code.
    pub(crate) async fn exec(&self, request: ExecRequest) -> Result<Started, client::Error> {
        let connection = Arc::clone(&self.connection);
        match tokio::task::spawn_blocking(move || connection.exec(request)).await {
            Ok(result) => result,
            Err(error) => Err(join_error(Path::new("shim"), error)),
        }
    }

    /// Sets a terminal's size.
    pub(crate) async fn resize(&self, target: Target, size: TerminalSize) -> Result<()> {
        self.call(move |connection| connection.resize(target, size)).await
    }

    /// What is true of the container now.
    pub(crate) async fn state(&self) -> Result<tare_shim::protocol::State> {
        self.call(Connection::state).await
    }

    /// Ends every process of the container.
    pub(crate) async fn kill_all(&self) -> Result<()> {
        self.call(|connection| connection.signal_all(crate::signal::KILL)).await
    }

    /// Lets the shim go: the exit is stored.
    pub(crate) async fn release(&self) -> Result<()> {
        self.call(Connection::release).await
    }
}

/// The engine's words for a failed call.
fn from_client(error: client::Error) -> Error {
    let kind = match &error {
        client::Error::Refused(refusal) => match refusal.reason {
            Reason::NotFound => Kind::NotFound,
            Reason::NotRunning | Reason::Running | Reason::Exists => Kind::Conflict,
            Reason::NoTerminal | Reason::Invalid => Kind::InvalidParameter,
            Reason::Failed => Kind::Internal,
        },
        client::Error::Start(_) => Kind::InvalidParameter,
        _ => Kind::Internal,
    };
    Error::new(kind, error.to_string())
}

fn join_error(path: &Path, error: tokio::task::JoinError) -> client::Error {
    client::Error::Directory { path: path.to_owned(), source: std::io::Error::other(error) }
}
