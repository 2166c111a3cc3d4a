//! One stream attached to a process.
//!
//! What does not fit into the socket waits in a buffer of limited size; while
//! it is full, the process's output is not read. A peer that is gone never
//! stands in the way: its buffer is dropped.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

use crate::log::{Stream, frame_header};
use crate::protocol::Channels;

/// Output that waits for one peer; more makes the process wait.
const WAITING: usize = 64 * 1024;

/// The shim's end of an attached stream.
#[derive(Debug)]
pub(crate) struct Attached {
    socket: OwnedFd,
    channels: Channels,
    waiting: Vec<u8>,
    sent: usize,
    /// Standard input may still come.
    pub(super) input_open: bool,
    /// Nothing more is added; closes when nothing waits.
    closing: bool,
    dead: bool,
}

/// What came from the peer.
pub(super) enum Input {
    /// Bytes are in the buffer.
    Bytes,
    /// Nothing for now.
    Nothing,
    /// Nothing any more.
    End,
}

impl AsFd for Attached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Attached {
    pub(crate) fn new(socket: OwnedFd, channels: Channels) -> Attached {
        Attached {
            socket,
            channels,
            waiting: Vec::new(),
            sent: 0,
            input_open: true,
            closing: false,
            dead: false,
        }
    }

    /// What comes from the peer is the process's standard input.
    pub(super) fn gives_input(&self) -> bool {
        self.channels.stdin
    }

    fn takes(&self, stream: Stream) -> bool {
        !self.closing
            && !self.dead
            && match stream {
                Stream::Stdout => self.channels.stdout,
                Stream::Stderr => self.channels.stderr,
            }
    }

    /// The process's output must wait for this peer.
    pub(super) fn is_full(&self, stream: Stream) -> bool {
        self.takes(stream) && self.waiting.len() - self.sent >= WAITING
    }

    /// What to wait for, reading input only if asked to; none when there is
    /// nothing. That the peer hangs up is reported even for an empty set.
    pub(super) fn interest(&self, input: bool) -> Option<PollFlags> {
        let mut flags = PollFlags::empty();
        if self.input_open && input {
            flags |= PollFlags::IN;
        } else if self.dead {
            return None;
        }
        if self.sent < self.waiting.len() {
            flags |= PollFlags::OUT;
        }
        Some(flags)
    }

    /// Passes output on, or keeps what does not fit.
    pub(super) fn output(&mut self, stream: Stream, bytes: &[u8], raw: bool) {
        if !self.takes(stream) {
            return;
        }
        let header = frame_header(stream, bytes.len());
        let header: &[u8] = if raw { &[] } else { &header };
        let mut passed = 0;
        if self.waiting.is_empty() {
            passed = self.send(&[IoSlice::new(header), IoSlice::new(bytes)]);
        }
        if !self.dead {
            self.waiting
                .extend_from_slice(&header[passed.min(header.len())..]);
            self.waiting
                .extend_from_slice(&bytes[passed.saturating_sub(header.len())..]);
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) {
        if self.sent < self.waiting.len() {
            self.sent += self.send(&[IoSlice::new(&self.waiting[self.sent..])]);
        }
        if self.sent == self.waiting.len() {
            // Memory is given back: most attachments never need it again.
            self.waiting = Vec::new();
            self.sent = 0;
        }
    }

    fn send(&self, parts: &[IoSlice<'_>]) -> usize {
        loop {
            return match rustix::net::sendmsg(
                &self.socket,
                parts,
                &mut SendAncillaryBuffer::default(),
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            ) {
                Ok(sent) => sent,
                Err(Errno::INTR) => continue,
                // A peer that is gone is found by the poll loop, which calls hung_up.
                Err(_) => 0,
            };
        }
    }

    /// Appends to `buffer` what the peer sent.
    pub(super) fn input(&mut self, buffer: &mut Vec<u8>) -> Input {
        match rustix::net::recv(&self.socket, spare_capacity(buffer), RecvFlags::DONTWAIT) {
            Ok((_, 0)) => {
                self.input_open = false;
                Input::End
            }
            Ok(_) => Input::Bytes,
            Err(Errno::AGAIN | Errno::INTR) => Input::Nothing,
            Err(_) => {
                self.input_open = false;
                Input::End
            }
        }
    }

    /// The peer has closed its end: nobody reads any more.
    pub(super) fn hung_up(&mut self) {
        self.dead = true;
        self.waiting = Vec::new();
        self.sent = 0;
    }

    /// Closes the stream when everything has been sent.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.input_open = false;
    }

    /// Nothing is left to do for this attachment.
    pub(super) fn is_done(&self) -> bool {
        let sent = self.sent == self.waiting.len();
        self.dead && !self.input_open || self.closing && (sent || self.dead)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // A stream closed with unread input would give the peer an error
        // instead of the end of the output.
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
        let mut discarded = [0; 1024];
        while let Ok((_, 1..)) =
            rustix::net::recv(&self.socket, &mut discarded, RecvFlags::DONTWAIT)
        {}
    }
}
