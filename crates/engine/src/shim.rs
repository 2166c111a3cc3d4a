//! A shim as the engine's tasks see it: blocking calls moved off the event
//! loop, and its reports awaited.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use tare_shim::client::{self, Attachment, Connection, ExecRequest, Incoming};
use tare_shim::protocol::{Event, Reason, Started, Target, TerminalSize};

use crate::error::{Error, Kind, Result};
use crate::readable::Readable;

/// A connection to one container's shim.
pub(crate) struct Shim {
    connection: Arc<Connection>,
    readiness: Readable,
}

impl Shim {
    /// Takes a connection over; must be called inside the runtime.
    pub(crate) fn new(connection: Connection) -> Result<Arc<Self>> {
        let readiness = Readable::new(connection.as_fd())?;
        Ok(Arc::new(Self {
            connection: Arc::new(connection),
            readiness,
        }))
    }

    /// Connects to a shim that was there before the engine.
    pub(crate) async fn connect(directory: &Path) -> Result<Arc<Self>, client::Error> {
        let directory = directory.to_owned();
        let path = directory.clone();
        let connect = tokio::task::spawn_blocking(move || client::connect(&directory));
        let connection = connect.await.map_err(|error| join_error(&path, error))??;
        Self::new(connection).map_err(|error| client::Error::Directory {
            path,
            source: std::io::Error::other(error.to_string()),
        })
    }

    /// The next report; `None` when the shim is gone.
    pub(crate) async fn next_event(&self) -> Result<Option<Event>, client::Error> {
        let attempt = || match self.connection.receive() {
            Ok(Incoming::Event(event)) => Some(Ok(Some(event))),
            Ok(Incoming::Closed) => Some(Ok(None)),
            Ok(Incoming::Nothing) => None,
            Err(error) => Some(Err(error)),
        };
        // An error means that the runtime is shutting down: nothing more will
        // be reported to this process.
        self.readiness.until(attempt).await.unwrap_or(Ok(None))
    }

    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<T> {
        let connection = Arc::clone(&self.connection);
        tokio::task::spawn_blocking(move || call(&connection))
            .await?
            .map_err(from_client)
    }

    /// Sends a signal to the container's init.
    pub(crate) async fn signal(&self, signal: i32) -> Result<()> {
        match self
            .call(move |connection| connection.signal(Target::Init, signal))
            .await
        {
            // It has ended meanwhile, which is all that a signal could do.
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            result => result,
        }
    }

    /// Attaches a stream.
    pub(crate) async fn attach(&self, attachment: Attachment) -> Result<()> {
        self.call(move |connection| connection.attach(attachment))
            .await
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
        self.call(move |connection| connection.resize(target, size))
            .await
    }

    /// What is true of the container now.
    pub(crate) async fn state(&self) -> Result<tare_shim::protocol::State> {
        self.call(Connection::state).await
    }

    /// Ends every process of the container.
    pub(crate) async fn kill_all(&self) -> Result<()> {
        self.call(|connection| connection.signal_all(crate::signal::KILL))
            .await
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
    client::Error::Directory {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    }
}
