//! The engine daemon: configuration, listeners, the Engine API's routes,
//! hijacked streams, signals.
//!
//! # What it owns
//!
//! The listening sockets, the PID file, and one task per connection. It holds
//! no state of containers or images: that is the engine's, which knows no
//! HTTP. A crash leaves sockets and PID file behind, which the next daemon
//! replaces; containers never notice either way.
//!
//! # The way of a request
//!
//! [`server`] accepts a [`stream`]; [`connection`] lets hyper read a request
//! from it; [`routes`] picks the operation, which reads its parameters from a
//! [`request`], calls the engine and makes a [`response`] of what it says, or
//! hands the connection to [`hijack`].

mod activation;
mod address;
mod body;
mod config;
mod connection;
mod group;
mod hijack;
mod listen;
mod notify;
mod options;
mod peer;
mod pidfile;
mod request;
mod response;
mod routes;
mod server;
mod stream;
mod tls;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use tare_engine::Engine;
use tracing::info;

use config::Config;
use listen::Listeners;
use options::Options;
use pidfile::PidFile;
use server::Daemon;

/// Threads that run tasks. Whatever may wait for a disk or a child is a
/// blocking thread's.
const WORKERS: usize = 2;

/// Stack of each thread, in bytes: the kernel gives pages as they are used.
const STACK: usize = 1 << 20;

/// Most threads that wait for disks and children at once.
const BLOCKING_THREADS: usize = 64;

/// How long an idle blocking thread is kept.
const BLOCKING_IDLE: Duration = Duration::from_secs(2);

/// An end for which the user must be told why.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the daemon with its arguments, the program's name first, until a
/// signal ends it.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let options = match Options::parse_arguments(arguments) {
        Ok(options) => options,
        Err(error) => {
            // A closed standard error is nobody to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    if options.version {
        println!("Tare version {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match start(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tare daemon: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: Options) -> Result<(), Failure> {
    let validate = options.validate;
    let config = Config::load(options)?;
    if validate {
        println!("configuration OK");
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        return Err("this needs root: run it with sudo tare daemon".into());
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(config.log_level)
        .with_target(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(BLOCKING_IDLE)
        .thread_stack_size(STACK)
        .thread_name("tared")
        .enable_all()
        .build()?;
    let result = runtime.block_on(serve(config));
    // Threads that wait for a disk need not be waited for: whatever they
    // change is changed in one transaction.
    runtime.shutdown_background();
    result
}

async fn serve(config: Config) -> Result<(), Failure> {
    let _pidfile = PidFile::write(&config.pidfile)?;
    // Clients that come while the engine opens wait in the sockets' queues.
    let listeners = Listeners::bind(&config)?;
    let engine = Engine::open(config.engine.clone()).await?;
    for address in &config.addresses {
        info!(%address, "listening");
    }
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET")
        && let Err(error) = notify::send(&socket, "READY=1")
    {
        tracing::warn!(%error, "cannot tell the service manager");
    }
    server::run(Daemon::new(engine), listeners, config.idle_timeout).await?;
    Ok(())
}
