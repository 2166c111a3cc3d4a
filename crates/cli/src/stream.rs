//! The stream of an attached process: standard input goes in, standard
//! output and error come out, signals and sizes go beside it.
//!
//! One thread waits for everything with poll. Nothing in the loop may block
//! on one side while the other has something to say: input that the engine
//! does not take yet stays in a small buffer, output that nobody reads yet
//! stops the reading of the stream, and signals are served meanwhile.

mod copy;
mod detach;
mod output;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use tare_engine_api::stream::HEADER_LENGTH;
use tare_engine_api::stream::{FrameError, StreamKind, decode_header};
use tare_sys::signalfd::SignalFd;

pub(crate) use copy::copy;
pub(crate) use detach::{DEFAULT_KEYS, DetachKeys, parse_keys};
pub(crate) use output::Output;

use crate::client::Connection;

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The process's output has ended.
    Closed,
    /// The user typed the detach keys.
    Detached,
    /// Nobody reads our output any more.
    OutputClosed,
    /// A signal that ends the client.
    Interrupted(i32),
}

/// Why a stream broke.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// Waiting failed.
    #[error("cannot wait for the container's stream: {0}")]
    Poll(io::Error),
    /// The bytes are not framed as the API says.
    #[error("the engine's stream cannot be understood: {0}")]
    Frame(#[from] FrameError),
    /// Standard output or error cannot be written.
    #[error("cannot write the container's output: {0}")]
    Output(io::Error),
    /// The engine's own message at the end of a stream.
    #[error("error from daemon in stream: {0}")]
    Engine(String),
}

/// What a session does about a signal.
pub(crate) enum Reaction {
    /// It has been dealt with.
    Continue,
    /// The session ends.
    End,
}

/// Serves the signals of a session.
pub(crate) trait SignalHandler {
    /// The descriptor to wait for.
    fn descriptor(&self) -> Option<&SignalFd>;
    /// Deals with one signal.
    fn handle(&mut self, number: i32) -> Reaction;
}

/// One attached stream.
pub(crate) struct Session {
    connection: Connection,
    /// Without frames: the process has a terminal.
    raw: bool,
    stdin: Option<DetachKeys>,
    pending_input: Vec<u8>,
    finish_input: bool,
    frame: Option<(StreamKind, usize)>,
    engine_message: Vec<u8>,
    stdout: Output,
    stderr: Output,
}

impl Session {
    /// A session over a connection that the attach has taken over. With
    /// `stdin`, standard input is forwarded until these keys are typed.
    pub(crate) fn new(connection: Connection, raw: bool, stdin: Option<DetachKeys>) -> Self {
        Self {
            connection,
            raw,
            stdin,
            pending_input: Vec::new(),
            finish_input: false,
            frame: None,
            engine_message: Vec::new(),
            stdout: Output::stdout(),
            stderr: Output::stderr(),
        }
    }

    /// Carries everything until the stream ends.
    pub(crate) fn run(&mut self, signals: &mut dyn SignalHandler) -> Result<End, StreamError> {
        self.connection
            .set_nonblocking(true)
            .map_err(StreamError::Poll)?;
        loop {
            let blocked = match self.drain_output()? {
                Drained::All => None,
                Drained::Blocked(stream) => Some(stream),
                Drained::ReaderGone => return Ok(End::OutputClosed),
            };
            let ready = self.wait(blocked, signals.descriptor())?;
            if ready.signal
                && let Some(end) = serve_signals(signals)?
            {
                return Ok(end);
            }
            if ready.writable {
                self.push_input();
            }
            if ready.stdin && self.pull_input() {
                return Ok(End::Detached);
            }
            if ready.readable && !self.pull_output() {
                // What arrived before the end has to be written still.
                self.connection_ended(signals)?;
                return self.finish();
            }
        }
    }

    fn wait(
        &self,
        blocked: Option<StreamKind>,
        signals: Option<&SignalFd>,
    ) -> Result<Ready, StreamError> {
        let stdin = io::stdin();
        let mut events = PollFlags::empty();
        if blocked.is_none() {
            events |= PollFlags::IN;
        }
        if !self.pending_input.is_empty() {
            events |= PollFlags::OUT;
        }
        let wants_stdin = self.stdin.is_some() && self.pending_input.is_empty();
        // A descriptor of which nothing is wanted stays out: its hang-up would
        // be reported over and over.
        let sources = [
            (!events.is_empty()).then(|| PollFd::new(&self.connection, events)),
            wants_stdin.then(|| PollFd::new(&stdin, PollFlags::IN)),
            signals.map(|signals| PollFd::new(signals, PollFlags::IN)),
            blocked.map(|stream| {
                PollFd::from_borrowed_fd(self.output(stream).as_fd(), PollFlags::OUT)
            }),
        ];
        let present = sources.each_ref().map(Option::is_some);
        let mut descriptors: Vec<PollFd<'_>> = sources.into_iter().flatten().collect();
        rustix::io::retry_on_intr(|| poll(&mut descriptors, None))
            .map_err(|error| StreamError::Poll(error.into()))?;
        let mut results = descriptors.iter().map(PollFd::revents);
        let [connection, stdin, signal, _] = present.map(|present| {
            if present { results.next() } else { None }.unwrap_or(PollFlags::empty())
        });
        Ok(Ready {
            readable: blocked.is_none()
                && connection.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
            writable: connection.intersects(PollFlags::OUT | PollFlags::ERR),
            stdin: !stdin.is_empty(),
            signal: !signal.is_empty(),
        })
    }

    /// Reads from the stream; false at its end.
    fn pull_output(&mut self) -> bool {
        match self.connection.fill() {
            Ok(count) => count > 0,
            // A reset means as much as an end: the engine has gone.
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Writes what has been read, as far as the readers take it.
    fn drain_output(&mut self) -> Result<Drained, StreamError> {
        loop {
            let unread = self.connection.unread();
            if unread.is_empty() {
                return Ok(Drained::All);
            }
            let (stream, left) = match self.frame {
                _ if self.raw => (StreamKind::Stdout, unread.len()),
                Some((stream, left)) => (stream, left),
                None => {
                    let Some(header) = unread.first_chunk::<HEADER_LENGTH>() else {
                        return Ok(Drained::All);
                    };
                    let (stream, length) = decode_header(*header)?;
                    self.connection.consume(HEADER_LENGTH);
                    self.frame = (length > 0).then_some((stream, length));
                    continue;
                }
            };
            let piece = &unread[..unread.len().min(left)];
            let written = match stream {
                StreamKind::Stdout => self.stdout.write(piece),
                StreamKind::Stderr => self.stderr.write(piece),
                StreamKind::Stdin => Ok(piece.len()),
                StreamKind::System => {
                    self.engine_message.extend_from_slice(piece);
                    Ok(piece.len())
                }
            };
            match written {
                Ok(count) => {
                    self.connection.consume(count);
                    if !self.raw {
                        self.frame = (left > count).then_some((stream, left - count));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Drained::Blocked(stream));
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(Drained::ReaderGone);
                }
                Err(error) => return Err(StreamError::Output(error)),
            }
        }
    }

    /// Writes the rest after the stream's end, waiting for slow readers.
    fn connection_ended(&mut self, signals: &mut dyn SignalHandler) -> Result<(), StreamError> {
        while let Drained::Blocked(stream) = self.drain_output()? {
            let output = match stream {
                StreamKind::Stderr => &self.stderr,
                _ => &self.stdout,
            };
            let mut descriptors = vec![PollFd::from_borrowed_fd(output.as_fd(), PollFlags::OUT)];
            if let Some(signals) = signals.descriptor() {
                descriptors.push(PollFd::new(signals, PollFlags::IN));
            }
            rustix::io::retry_on_intr(|| poll(&mut descriptors, None))
                .map_err(|error| StreamError::Poll(error.into()))?;
            if serve_signals(signals)?.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<End, StreamError> {
        if self.engine_message.is_empty() {
            return Ok(End::Closed);
        }
        Err(StreamError::Engine(
            String::from_utf8_lossy(&self.engine_message)
                .trim()
                .to_owned(),
        ))
    }

    fn output(&self, stream: StreamKind) -> &Output {
        if stream == StreamKind::Stderr {
            &self.stderr
        } else {
            &self.stdout
        }
    }

    /// Reads standard input; true when the detach keys were typed.
    fn pull_input(&mut self) -> bool {
        let Some(keys) = &mut self.stdin else {
            return false;
        };
        let mut buffer = [0; 32 << 10];
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(0) => self.end_input(),
            Ok(count) => {
                let detached = keys.filter(&buffer[..count], &mut self.pending_input);
                self.push_input();
                return detached;
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            // The terminal has gone, or input is closed.
            Err(_) => self.end_input(),
        }
        false
    }

    fn end_input(&mut self) {
        self.stdin = None;
        self.finish_input = true;
        self.push_input();
    }

    /// Sends buffered input, and the end of input behind it.
    fn push_input(&mut self) {
        while !self.pending_input.is_empty() {
            match self.connection.write(&self.pending_input) {
                Ok(count) => drop(self.pending_input.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The process reads no more; its output may still come.
                Err(_) => {
                    self.stdin = None;
                    self.pending_input.clear();
                }
            }
        }
        if self.finish_input {
            self.finish_input = false;
            // A connection that is closed already needs no end.
            drop(self.connection.finish_sending());
        }
    }
}

/// Waits until `connection` has something to read, serving signals; `None`
/// when it has, or how the wait was ended.
pub(crate) fn wait_readable(
    connection: &Connection,
    signals: &mut dyn SignalHandler,
) -> Result<Option<End>, StreamError> {
    loop {
        if !connection.unread().is_empty() {
            return Ok(None);
        }
        let mut descriptors = vec![PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN)];
        if let Some(signals) = signals.descriptor() {
            descriptors.push(PollFd::new(signals, PollFlags::IN));
        }
        rustix::io::retry_on_intr(|| poll(&mut descriptors, None))
            .map_err(|error| StreamError::Poll(error.into()))?;
        let readable = !descriptors[0].revents().is_empty();
        if let Some(end) = serve_signals(signals)? {
            return Ok(Some(end));
        }
        if readable {
            return Ok(None);
        }
    }
}

fn serve_signals(signals: &mut dyn SignalHandler) -> Result<Option<End>, StreamError> {
    loop {
        let next = match signals.descriptor() {
            Some(descriptor) => descriptor.next().map_err(StreamError::Poll)?,
            None => None,
        };
        let Some(number) = next else { return Ok(None) };
        if let Reaction::End = signals.handle(number) {
            return Ok(Some(End::Interrupted(number)));
        }
    }
}

struct Ready {
    readable: bool,
    writable: bool,
    stdin: bool,
    signal: bool,
}

enum Drained {
    All,
    Blocked(StreamKind),
    ReaderGone,
}
