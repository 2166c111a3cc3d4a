//! Accepting clients, and knowing when to end.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tare_engine::Engine;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::connection;
use crate::listen::{Listener, Listeners};

/// How long requests under way may take to be answered when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long to wait after the kernel could not accept a connection (mostly
/// for want of descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(crate) struct Daemon {
    /// The engine.
    pub(crate) engine: Engine,
    clients: Arc<Clients>,
}

impl Daemon {
    /// A daemon without clients.
    pub(crate) fn new(engine: Engine) -> Arc<Self> {
        Arc::new(Self {
            engine,
            clients: Arc::new(Clients(Mutex::new((0, Instant::now())))),
        })
    }
}

/// How many connections there are, and since when.
struct Clients(Mutex<(usize, Instant)>);

impl Clients {
    fn lock(&self) -> MutexGuard<'_, (usize, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>) -> Client {
        self.lock().0 += 1;
        Client(Arc::clone(self))
    }
}

/// A connection in the count.
struct Client(Arc<Clients>);

impl Drop for Client {
    fn drop(&mut self) {
        let mut clients = self.0.lock();
        *clients = (clients.0 - 1, Instant::now());
    }
}

/// Serves clients until a signal, or idleness, ends it.
pub(crate) async fn run(
    daemon: Arc<Daemon>,
    mut listeners: Listeners,
    idle: Option<Duration>,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let mut accepting: Vec<_> = listeners
        .sockets
        .drain(..)
        .map(|listener| tokio::spawn(accept(listener, Arc::clone(&daemon), stopping.clone())))
        .collect();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let idle = idleness(&daemon, idle);
    tokio::pin!(idle);
    loop {
        tokio::select! {
            _ = terminate.recv() => info!("ending on SIGTERM; containers keep running"),
            _ = interrupt.recv() => info!("ending on SIGINT; containers keep running"),
            () = &mut idle => info!("ending: nothing to do"),
            _ = hangup.recv() => {
                warn!("SIGHUP ignored: restart the daemon to read its configuration again; containers keep running");
                continue;
            }
        }
        break;
    }
    for task in &mut accepting {
        task.abort();
    }
    // The sockets go first, so that the next daemon can have them.
    drop(listeners);
    // Nobody listens when there is no connection left.
    let _ = stop.send(true);
    drop(stopping);
    let _ = tokio::time::timeout(FAREWELL, stop.closed()).await;
    Ok(())
}

async fn accept(listener: Listener, daemon: Arc<Daemon>, stopping: watch::Receiver<bool>) {
    loop {
        match listener.accept().await {
            Ok(arrival) => {
                let (daemon, stopping) = (Arc::clone(&daemon), stopping.clone());
                let client = daemon.clients.enter();
                tokio::spawn(async move {
                    match arrival.establish().await {
                        Ok(stream) => connection::serve(stream, daemon, stopping).await,
                        Err(error) => debug!(%error, "no TLS connection"),
                    }
                    drop(client);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Resolves when there has been neither a client nor a running container for
/// `limit`; never without a limit.
async fn idleness(daemon: &Daemon, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let mut quiet_since = Instant::now();
    loop {
        let (clients, since) = *daemon.clients.lock();
        if clients > 0 || daemon.engine.has_running_containers() {
            quiet_since = Instant::now();
        }
        let quiet = quiet_since.max(since).elapsed();
        if quiet >= limit {
            return;
        }
        // A container that starts and ends between two looks had a client.
        tokio::time::sleep((limit - quiet).min(Duration::from_secs(5))).await;
    }
}
