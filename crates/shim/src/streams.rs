//! The standard input and output of one process: from its pipes or terminal to
//! the log and the attachments, and back.
//!
//! Nothing here blocks. Output is read only while every attachment has room;
//! input is read only while the process takes it. So the memory for a stream
//! is bounded, nothing is lost, and whoever is slow slows down only those that
//! depend on it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use crate::clock;
use crate::log::{Stream, Writer};
use crate::protocol::TerminalSize;

mod attachment;
mod ends;
mod input;

pub(crate) use attachment::Attached;
pub(crate) use ends::{Ends, InputRules};
use ends::{duplicate, never_block};

/// Bytes read at once: what a pipe holds.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Most that is taken out of a pipe whose process has ended: what an
/// unprivileged process can make a pipe hold.
const LAST_WORDS: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Streams {
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    stdin: Option<OwnedFd>,
    /// The terminal, for its size.
    console: Option<OwnedFd>,
    /// The terminal's other end, kept open so that a program that closes and
    /// reopens its terminal does not end the output.
    peer: Option<OwnedFd>,
    input: InputRules,
    /// Input that the process has not taken yet.
    unread: Vec<u8>,
    close_stdin: bool,
    log: Option<Writer>,
    log_fails: bool,
    attached: Vec<Attached>,
    /// The process's exit has been reported: attachments may end.
    reported: bool,
}

/// A descriptor of [`Streams`] in the poll loop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Output(Stream),
    Input,
    Attachment(usize),
}

impl Streams {
    pub(crate) fn new(
        ends: Ends,
        input: InputRules,
        log: Option<Writer>,
        attached: Vec<Attached>,
    ) -> Result<Streams, Errno> {
        let mut streams = Streams {
            input,
            log,
            attached,
            ..Streams::none()
        };
        match ends {
            Ends::Pipes {
                stdin,
                stdout,
                stderr,
            } => {
                for end in stdin.iter().chain([&stdout, &stderr]) {
                    never_block(end)?;
                }
                streams.stdin = stdin;
                streams.stdout = Some(stdout);
                streams.stderr = Some(stderr);
            }
            Ends::Terminal(console) => {
                never_block(&console)?;
                streams.peer = Some(rustix::pty::ioctl_tiocgptpeer(
                    &console,
                    OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
                )?);
                streams.stdout = Some(duplicate(&console)?);
                if input.open {
                    streams.stdin = Some(duplicate(&console)?);
                }
                streams.console = Some(console);
            }
            Ends::Null => {}
        }
        Ok(streams)
    }

    /// No streams at all.
    pub(crate) fn none() -> Streams {
        Streams {
            stdout: None,
            stderr: None,
            stdin: None,
            console: None,
            peer: None,
            input: InputRules {
                open: false,
                once: false,
            },
            unread: Vec::new(),
            close_stdin: false,
            log: None,
            log_fails: false,
            attached: Vec::new(),
            reported: false,
        }
    }

    pub(crate) fn attach(&mut self, attachment: Attached) {
        self.attached.push(attachment);
    }

    pub(crate) fn has_attachments(&self) -> bool {
        !self.attached.is_empty()
    }

    /// False when the process has no terminal.
    pub(crate) fn resize(&self, size: TerminalSize) -> Result<bool, Errno> {
        let Some(console) = &self.console else {
            return Ok(false);
        };
        let size = Winsize {
            ws_row: size.height,
            ws_col: size.width,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(console, size)?;
        Ok(true)
    }

    /// All output has been read.
    pub(crate) fn output_ended(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// Tells the poll loop what to wait for.
    pub(crate) fn interests<'a>(&'a self, mut add: impl FnMut(BorrowedFd<'a>, PollFlags, Source)) {
        for (stream, end) in [
            (Stream::Stdout, &self.stdout),
            (Stream::Stderr, &self.stderr),
        ] {
            if let Some(end) = end
                && !self.attached.iter().any(|one| one.is_full(stream))
            {
                add(end.as_fd(), PollFlags::IN, Source::Output(stream));
            }
        }
        if let Some(stdin) = &self.stdin
            && !self.unread.is_empty()
        {
            add(stdin.as_fd(), PollFlags::OUT, Source::Input);
        }
        for (index, one) in self.attached.iter().enumerate() {
            let room = self.unread.is_empty() || !self.is_input(one);
            if let Some(flags) = one.interest(room) {
                add(one.as_fd(), flags, Source::Attachment(index));
            }
        }
    }

    /// Does what the poll loop found possible. `buffer` is scratch space.
    pub(crate) fn ready(&mut self, source: Source, flags: PollFlags, buffer: &mut Vec<u8>) {
        match source {
            Source::Output(stream) => {
                self.read_output(stream, buffer);
            }
            Source::Input => self.write_input(),
            Source::Attachment(index) => self.attachment_ready(index, flags, buffer),
        }
    }

    /// Closes what has come to its end; to be called after each turn of the loop.
    pub(crate) fn sweep(&mut self) {
        if self.reported && self.output_ended() {
            self.attached.iter_mut().for_each(Attached::close);
        }
        self.attached.retain(|one| !one.is_done());
    }

    /// Gives back memory that is only needed while output flows.
    pub(crate) fn save_memory(&mut self) {
        if let Some(log) = &mut self.log {
            log.save_memory();
        }
    }

    /// The process has ended: takes what it left behind, whether or not
    /// everyone has room.
    pub(crate) fn process_ended(&mut self, buffer: &mut Vec<u8>) {
        self.stdin = None;
        self.unread = Vec::new();
        self.peer = None;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let mut taken = 0;
            while taken < LAST_WORDS {
                match self.read_output(stream, buffer) {
                    0 => break,
                    length => taken += length,
                }
            }
        }
    }

    /// The process's exit has been reported.
    pub(crate) fn exit_reported(&mut self) {
        self.reported = true;
        self.sweep();
    }

    /// Gives up output that is held open by someone else.
    pub(crate) fn abandon_output(&mut self) {
        self.end_output(Stream::Stdout);
        self.end_output(Stream::Stderr);
        self.sweep();
    }

    /// How many bytes came; 0 at the end and when there are none now.
    fn read_output(&mut self, stream: Stream, buffer: &mut Vec<u8>) -> usize {
        let end = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        let Some(end) = end else {
            return 0;
        };
        buffer.clear();
        buffer.reserve_exact(CHUNK);
        match rustix::io::read(end, spare_capacity(buffer)) {
            Ok(0) => self.end_output(stream),
            Ok(_) => self.pass_output(stream, buffer),
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A terminal whose other end is closed everywhere says EIO.
            Err(_) => self.end_output(stream),
        }
        buffer.len()
    }

    fn pass_output(&mut self, stream: Stream, bytes: &[u8]) {
        self.log(|log| log.write(stream, bytes, clock::now()));
        let raw = self.console.is_some();
        for one in &mut self.attached {
            one.output(stream, bytes, raw);
        }
    }

    fn end_output(&mut self, stream: Stream) {
        let end = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        if end.take().is_some() {
            self.log(|log| log.finish(stream, clock::now()));
        }
    }

    /// A log that cannot be written (a full disk) does not stop the container;
    /// it is said once each time it begins.
    fn log(&mut self, write: impl FnOnce(&mut Writer) -> std::io::Result<()>) {
        if let Some(log) = &mut self.log {
            let outcome = write(log);
            if let Err(error) = &outcome
                && !self.log_fails
            {
                eprintln!("cannot write the log, output is lost: {error}");
            }
            self.log_fails = outcome.is_err();
        }
    }
}
