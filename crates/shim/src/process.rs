//! The shim's process, from its start to its end.
//!
//! 1. It detaches itself: a session of its own, no directory held, deaf to the
//!    signals that end an engine.
//! 2. It binds its control socket, so that an engine that restarts can find
//!    it, and takes the first request from the socket that is its standard
//!    input.
//! 3. It creates and starts the container, and says so.
//! 4. It looks after the container until it is released.
//!
//! It is no subreaper: what runs in a container belongs to the container's
//! init, or, in the host's PID namespace, to the host's; every child here is a
//! child by name.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::container::{Container, StreamKind, Surroundings};
use crate::directory::Directory;
use crate::init;
use crate::log::Writer;
use crate::packet::{PacketError, PacketSocket, Received};
use crate::protocol::{
    Answer, Failure, Numbered, Reason, Refusal, Request, Start, StartError, Started, Target,
};
use crate::readiness::readable;
use crate::streams::{Attached, InputRules, Streams};
use crate::supervisor::{Child, Supervisor};

/// How long the first request may take to come.
const FIRST_REQUEST: Duration = Duration::from_secs(60);
/// Hangup, interrupt, quit, terminate, broken pipe, and the terminal's.
const DEAF_TO: [i32; 8] = [1, 2, 3, 15, 13, 20, 21, 22];

/// What kept the shim from doing its work.
#[derive(Debug, thiserror::Error)]
enum ShimError {
    #[error("the shim's directory is missing from its arguments; the engine starts shims")]
    Arguments,
    #[error("cannot detach from the engine: {0}")]
    Detach(#[source] io::Error),
    #[error("cannot use the directory: {0}")]
    Directory(#[source] Errno),
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error("no request came")]
    NoRequest,
    #[error("the container was not started")]
    NotStarted,
    #[error("cannot wait for events: {0}")]
    Wait(#[source] Errno),
}

/// Runs a shim: `shim <directory>`, with standard input being the socket from
/// which its container's description comes. Also runs the init of a container,
/// `shim --init -- program arguments…`. The word `shim` may be left out.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.first().is_some_and(|word| word == "shim") {
        arguments.remove(0);
    }
    if arguments.first().is_some_and(|word| word == init::ARGUMENT) {
        return init::main(arguments.split_off(1));
    }
    match run(arguments.pop()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(argument: Option<OsString>) -> Result<(), ShimError> {
    let path = argument.ok_or(ShimError::Arguments)?;
    let path = Path::new(&path);
    if !path.is_absolute() {
        return Err(ShimError::Arguments);
    }
    // It is executed through a descriptor, whose number would be its name.
    let _ = rustix::thread::set_name(c"tare-shim");
    let directory = Directory::open(path).map_err(ShimError::Directory)?;
    let mut connection = PacketSocket::new(detach().map_err(ShimError::Detach)?);
    let listener = directory.listen().map_err(ShimError::Directory)?;
    match first_request(&mut connection) {
        Ok((number, start, descriptors)) => {
            serve(directory, listener, connection, number, start, descriptors)
        }
        Err(error) => {
            directory.remove().map_err(ShimError::Directory)?;
            Err(error)
        }
    }
}

fn serve(
    directory: Directory,
    listener: OwnedFd,
    connection: PacketSocket,
    number: u64,
    start: Start<'static>,
    descriptors: Vec<OwnedFd>,
) -> Result<(), ShimError> {
    match begin(start, descriptors) {
        Ok(Begun {
            mut container,
            init,
            held,
            events,
            pid,
        }) => {
            let answer: Numbered<Result<Answer, Failure>> = Numbered {
                number,
                body: Ok(Answer::Started(Started { pid })),
            };
            // An engine that is gone by now finds the container later.
            let _ = connection.send(&answer, &[], SendFlags::DONTWAIT);
            container.spare_shim();
            let calls = container.take_listener();
            let mut supervisor =
                Supervisor::new(directory, listener, connection, container, init, held);
            supervisor.supervise(calls);
            supervisor.subscribe(events);
            supervisor.run().map_err(ShimError::Wait)
        }
        Err(failure) => {
            // First the directory, so that the one who is told may use its name.
            let removed = directory.remove();
            let answer: Numbered<Result<Answer, Failure>> = Numbered {
                number,
                body: Err(failure),
            };
            connection.send(&answer, &[], SendFlags::DONTWAIT)?;
            removed.map_err(ShimError::Directory)?;
            Err(ShimError::NotStarted)
        }
    }
}

/// Leaves the engine's session, directory and signals; returns the socket that
/// was standard input.
fn detach() -> io::Result<OwnedFd> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::process::setsid()?;
    rustix::process::chdir("/")?;
    // Blocked and never read: the mask stays when the descriptor goes. The
    // runtime unblocks them in the container.
    tare_sys::signalfd::SignalFd::block(&DEAF_TO)?;
    Ok(socket)
}

fn first_request(
    connection: &mut PacketSocket,
) -> Result<(u64, Start<'static>, Vec<OwnedFd>), ShimError> {
    let deadline = Instant::now() + FIRST_REQUEST;
    loop {
        match connection.receive::<Numbered<Request<'static>>>()? {
            Received::Message(
                Numbered {
                    number,
                    body: Request::Start(start),
                },
                descriptors,
            ) => return Ok((number, *start, descriptors)),
            Received::Message(_, _) | Received::Closed => return Err(ShimError::NoRequest),
            Received::Nothing => {
                if !readable(connection.as_fd(), deadline).map_err(ShimError::Wait)? {
                    return Err(ShimError::NoRequest);
                }
            }
        }
    }
}

struct Begun {
    container: Container,
    init: Child,
    held: Vec<OwnedFd>,
    events: OwnedFd,
    pid: u32,
}

/// Creates and starts the container; when this fails nothing of it is left.
fn begin(start: Start<'static>, descriptors: Vec<OwnedFd>) -> Result<Begun, Failure> {
    let expected = 1 + start.namespaces.len() + start.held + start.attachments.len();
    if descriptors.len() != expected {
        return Err(Failure::Refused(Refusal {
            reason: Reason::Invalid,
            message: format!("{} descriptors instead of {expected}", descriptors.len()),
        }));
    }
    let mut descriptors = descriptors.into_iter();
    let mut take = |count| descriptors.by_ref().take(count).collect::<Vec<_>>();
    let events = take(1).remove(0);
    let namespaces = start
        .namespaces
        .iter()
        .copied()
        .zip(take(start.namespaces.len()));
    let namespaces = namespaces.collect();
    let held = take(start.held);
    let attached: Vec<Attached> = take(start.attachments.len())
        .into_iter()
        .zip(&start.attachments)
        .map(|(stream, channels)| Attached::new(stream, *channels))
        .collect();

    let log = Writer::open(start.log.into_owned())
        .map_err(|error| start_error(format!("cannot open the container's log: {error}")))?;
    let input = InputRules {
        open: start.open_stdin,
        once: start.stdin_once,
    };
    let mut spec = start.spec.into_owned();
    if let Some(executable) = &start.init {
        init::put_in_front(&mut spec, executable).map_err(|error| {
            start_error(format!(
                "cannot use {} as init: {error}",
                executable.display()
            ))
        })?;
    }
    let surroundings = Surroundings {
        rootfs: start.rootfs.into_owned(),
        namespaces,
        streams: if start.terminal {
            StreamKind::Terminal(start.size)
        } else {
            StreamKind::Pipes {
                open_stdin: start.open_stdin,
            }
        },
    };
    let (mut container, ends) =
        Container::create(start.id.into_owned(), spec, surroundings).map_err(Failure::Start)?;
    let prepared = Streams::new(ends, input, log, attached)
        .and_then(|streams| Ok((streams, container.init()?)));
    let (streams, (pid, pidfd)) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            container.destroy();
            return Err(start_error(format!(
                "cannot prepare standard input and output: {error}"
            )));
        }
    };
    container.start().map_err(Failure::Start)?;
    Ok(Begun {
        init: Child::new(Target::Init, pid, pidfd, streams),
        container,
        held,
        events,
        pid,
    })
}

fn start_error(message: String) -> Failure {
    Failure::Start(StartError {
        exit_code: 128,
        message,
    })
}
