//! A shim as the engine's tasks see it: blocking calls moved off the event
//! loop, and its reports awaited.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tare_shim::client::{self, Attachment, Connection, ExecRequest, Incoming};
use tare_shim::protocol::{Event, Exit, Reason, Started, State, Target, TerminalSize};

use crate::error::{Error, Kind, Result};
use crate::exec::Execs;
use crate::readable::Readable;

/// A connection to one container's shim.
pub(crate) struct Shim {
    connection: Arc<Connection>,
    readiness: Readable,
    /// The init's end, taken from the socket and not yet asked for.
    init_ended: Mutex<Option<Exit>>,
}

impl Shim {
    /// Takes a connection over; must be called inside the runtime.
    pub(crate) fn new(connection: Arc<Connection>) -> Result<Arc<Self>> {
        let readiness = Readable::new(connection.as_fd())?;
        Ok(Arc::new(Self {
            connection,
            readiness,
            init_ended: Mutex::default(),
        }))
    }

    /// Connects to a shim that was there before the engine.
    pub(crate) async fn connect(directory: &Path) -> Result<Arc<Self>, client::Error> {
        let directory = directory.to_owned();
        let path = directory.clone();
        let connect = tokio::task::spawn_blocking(move || client::connect(&directory));
        let connection = connect.await.map_err(|error| join_error(&path, error))??;
        Self::new(Arc::new(connection)).map_err(|error| client::Error::Directory {
            path,
            source: std::io::Error::other(error.to_string()),
        })
    }

    /// Waits for the end of the container; `None` when the shim has let go of
    /// the connection. Ends of execs are entered in `execs` meanwhile.
    pub(crate) async fn ended(&self, execs: &Execs) -> Result<Option<Exit>, client::Error> {
        let attempt = || {
            let mut init_ended = self.init_ended();
            match init_ended.take() {
                Some(exit) => Some(Ok(Some(exit))),
                None => self.read_reports(execs),
            }
        };
        // An error means that the runtime is shutting down: nothing more will
        // be reported to this process.
        self.readiness.until(attempt).await.unwrap_or(Ok(None))
    }

    /// Enters the ends of execs that have been reported so far.
    ///
    /// A process's stream is closed after its end was reported. Who asks for an
    /// exec because its stream has ended must not depend on whether the task
    /// that waits in [`Self::ended`] has had its turn.
    pub(crate) fn note_ended_execs(&self, execs: &Execs) {
        let mut init_ended = self.init_ended();
        if init_ended.is_none()
            && let Some(Ok(exit)) = self.read_reports(execs)
        {
            *init_ended = exit;
        }
    }

    /// Reads reports up to the end of the init or of the connection; the caller
    /// holds `init_ended`, so that an end is always either unread or entered.
    fn read_reports(&self, execs: &Execs) -> Option<Result<Option<Exit>, client::Error>> {
        loop {
            match self.connection.receive() {
                Ok(Incoming::Event(Event::Exited { target, exit })) => match target {
                    Target::Exec(id) => execs.ended(&id, i64::from(exit.code)),
                    Target::Init => return Some(Ok(Some(exit))),
                },
                Ok(Incoming::Closed) => return Some(Ok(None)),
                Ok(Incoming::Nothing) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn init_ended(&self) -> MutexGuard<'_, Option<Exit>> {
        self.init_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<T, client::Error> {
        let connection = Arc::clone(&self.connection);
        match tokio::task::spawn_blocking(move || question(&connection)).await {
            Ok(result) => result,
            Err(error) => Err(join_error(Path::new("shim"), error)),
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<T> {
        self.ask(call).await.map_err(from_client)
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
        self.ask(move |connection| connection.exec(request)).await
    }

    /// Sets a terminal's size.
    pub(crate) async fn resize(&self, target: Target, size: TerminalSize) -> Result<()> {
        self.call(move |connection| connection.resize(target, size))
            .await
    }

    /// What is true of the container now.
    pub(crate) async fn state(&self) -> Result<State, client::Error> {
        self.ask(Connection::state).await
    }

    /// Ends every process of the container.
    pub(crate) async fn kill_all(&self) -> Result<()> {
        self.call(|connection| connection.signal_all(crate::signal::KILL))
            .await
    }

    /// Lets the shim go: the exit is stored. Blocks.
    pub(crate) fn release(&self) -> Result<(), client::Error> {
        self.connection.release()
    }
}

/// The engine's words for a failed call.
pub(crate) fn from_client(error: client::Error) -> Error {
    let kind = match &error {
        // A shim that was released, or died: its container has ended.
        client::Error::Ended { .. } => Kind::Conflict,
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
