//! What `run`, `start`, `attach` and `exec` share: attaching, forwarding
//! signals and sizes, waiting for the exit code.

use std::io::Read;

use tare_engine_api::ContainerWaitResponse;
use tare_sys::signalfd::SignalFd;

use crate::client::{Client, ClientError, Connection, Query, Request, Response, percent_encoded};
use crate::configuration::Configuration;
use crate::each::tell;
use crate::failure::{ENGINE, Failure};
use crate::signals;
use crate::stream::{
    DEFAULT_KEYS, DetachKeys, End, Reaction, SignalHandler, StreamError, parse_keys,
};
use crate::terminal;

/// So many interrupts end a client whose container ignores them.
const PATIENCE: u32 = 3;

/// Which streams to attach to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Streams {
    /// Forward our input.
    pub(crate) stdin: bool,
    /// Show its output.
    pub(crate) stdout: bool,
    /// Show its errors.
    pub(crate) stderr: bool,
}

/// Whose size and signals are meant.
#[derive(Clone, Copy)]
pub(crate) enum Target<'t> {
    /// A container, by ID or name.
    Container(&'t str),
    /// An exec, by ID.
    Exec(&'t str),
}

/// Takes a connection over for a container's streams, and asks the engine to
/// say when the container has ended (the answer comes later, on a connection
/// of its own). Both are asked for before either answer is read.
pub(crate) fn attach_and_wait<'c>(
    client: &'c Client,
    container: &str,
    streams: Streams,
    detach_keys: &str,
    condition: Option<&str>,
) -> Result<(Connection, Response<'c>), ClientError> {
    let attach = attach_request(container, streams, detach_keys);
    let wait = wait_request(container, condition);
    let attaching = client.begin(&attach)?;
    let waiting = client.begin(&wait)?;
    let connection = client.finish(attaching, &attach)?.into_connection()?;
    Ok((connection, client.finish(waiting, &wait)?))
}

fn attach_request(container: &str, streams: Streams, detach_keys: &str) -> Request {
    let path = Query::default()
        .set("stream", "1")
        .set_if("stdin", streams.stdin)
        .set_if("stdout", streams.stdout)
        .set_if("stderr", streams.stderr)
        .set_some("detachKeys", Some(detach_keys))
        .on(format_args!(
            "/containers/{}/attach",
            percent_encoded(container)
        ));
    Request::post(path).upgrade()
}

/// The detach keys: the flag's, the configuration's or the default. Without
/// a terminal there are none: what goes in is data, and may hold their bytes.
pub(crate) fn detach_keys(
    flag: Option<&str>,
    configuration: &Configuration,
    tty: bool,
) -> Result<(String, DetachKeys), Failure> {
    let text = flag
        .or(configuration.detach_keys.as_deref())
        .filter(|keys| !keys.is_empty())
        .unwrap_or(DEFAULT_KEYS);
    let keys = parse_keys(text).map_err(|error| Failure::new(error.to_string()))?;
    if !tty {
        return Ok((String::new(), DetachKeys::default()));
    }
    Ok((text.to_owned(), DetachKeys::new(keys)))
}

/// Tells the engine the terminal's size.
pub(crate) fn resize(client: &Client, target: Target<'_>) -> Result<(), ClientError> {
    let Some((rows, columns)) = terminal::size() else {
        return Ok(());
    };
    let path = match target {
        Target::Container(id) => format!("/containers/{}/resize", percent_encoded(id)),
        Target::Exec(id) => format!("/exec/{}/resize", percent_encoded(id)),
    };
    let path = Query::default()
        .set("h", &rows.to_string())
        .set("w", &columns.to_string())
        .on(path);
    client.bytes(&Request::post(path)).map(drop)
}

/// What a session does with the signals that the client gets.
pub(crate) struct Signals<'s> {
    client: &'s Client,
    target: Target<'s>,
    descriptor: Option<SignalFd>,
    forward: bool,
    resize: bool,
    interrupts: u32,
    debug: bool,
}

impl<'s> Signals<'s> {
    /// Catches what the session has to deal with: with `forward` everything
    /// goes to the container; with a `terminal` its size goes there and what
    /// would end the client ends the session in order.
    pub(crate) fn catch(
        client: &'s Client,
        target: Target<'s>,
        forward: bool,
        terminal: bool,
        debug: bool,
    ) -> Result<Self, Failure> {
        let descriptor = match (forward, terminal) {
            (true, _) => Some(signals::catch_forwarded()?),
            (false, true) => Some(signals::catch_ending()?),
            (false, false) => None,
        };
        Ok(Self {
            client,
            target,
            descriptor,
            forward,
            resize: terminal,
            interrupts: 0,
            debug,
        })
    }

    fn report<T>(&self, result: Result<T, ClientError>) {
        if let Err(error) = result
            && self.debug
        {
            tell(&format!("tare: {error}"));
        }
    }
}

impl SignalHandler for Signals<'_> {
    fn descriptor(&self) -> Option<&SignalFd> {
        self.descriptor.as_ref()
    }

    fn handle(&mut self, number: i32) -> Reaction {
        if number == signals::WINCH && self.resize {
            self.report(resize(self.client, self.target));
            return Reaction::Continue;
        }
        if !self.forward {
            return Reaction::End;
        }
        if let (Target::Container(id), Some(name)) = (self.target, signals::name(number)) {
            let path = Query::default()
                .set("signal", name)
                .on(format_args!("/containers/{}/kill", percent_encoded(id)));
            self.report(self.client.bytes(&Request::post(path)));
        }
        if matches!(name_of(number), "INT" | "TERM") {
            self.interrupts += 1;
            if self.interrupts == PATIENCE {
                tell(&format!(
                    "tare: got {PATIENCE} interrupts, leaving the container behind"
                ));
                return Reaction::End;
            }
        }
        Reaction::Continue
    }
}

fn name_of(number: i32) -> &'static str {
    signals::name(number).unwrap_or_default()
}

/// The exit code of a session that did not simply reach its end.
pub(crate) fn ended_early(end: &End) -> Option<u8> {
    match end {
        End::Closed => None,
        End::Detached => Some(0),
        // As if the client had not caught SIGPIPE.
        End::OutputClosed => Some(128 + 13),
        End::Interrupted(number) => {
            Some(128u8.saturating_add(u8::try_from(*number).unwrap_or_default()))
        }
    }
}

fn wait_request(container: &str, condition: Option<&str>) -> Request {
    let path = Query::default()
        .set_some("condition", condition)
        .on(format_args!(
            "/containers/{}/wait",
            percent_encoded(container)
        ));
    Request::post(path)
}

/// Waits for the answer to the wait of [`attach_and_wait`], serving signals meanwhile.
pub(crate) fn finish_wait(
    response: Response<'_>,
    signals: &mut dyn SignalHandler,
) -> Result<u8, Failure> {
    let mut body = response.into_body();
    if let Some(connection) = body.connection()
        && let Some(end) =
            crate::stream::wait_readable(connection, signals).map_err(stream_failure)?
    {
        return Ok(ended_early(&end).unwrap_or_default());
    }
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).map_err(|error| {
        Failure::new(format!(
            "connection to the engine lost while waiting for the exit: {error}"
        ))
        .with_code(ENGINE)
    })?;
    let answer: ContainerWaitResponse = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!(
            "the engine did not say how the container ended: {error}"
        ))
        .with_code(ENGINE)
    })?;
    match answer.error {
        Some(error) if !error.message.is_empty() => {
            Err(Failure::new(error.message).with_code(ENGINE))
        }
        _ => Ok(exit_code(answer.status_code)),
    }
}

/// An exit status as a process can end with it.
pub(crate) fn exit_code(status: i64) -> u8 {
    (status & 0xff) as u8
}

/// A broken stream as a command's end.
pub(crate) fn stream_failure(error: StreamError) -> Failure {
    Failure::new(error.to_string())
}
