//! The shim's loop: one thread, one poll, everything that can happen.
//!
//! Each turn asks every part what it waits for, polls once, and lets each part
//! do what has become possible, none of which blocks. Output is handled before
//! exits, and exits before requests, so that what a request is told includes
//! what happened before it.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, SocketFlags};

use crate::container::Container;
use crate::directory::Directory;
use crate::packet::PacketSocket;
use crate::protocol::Event;
use crate::socketcall::{Socketcalls, Wake};
use crate::streams::Source;

mod child;
mod exit;
mod requests;

pub(crate) use child::Child;

/// Memory for output is given back when nothing has happened for so long.
const IDLE: Duration = Duration::from_secs(1);
/// How often a control group that is still busy is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// How long that goes on when nothing else is left to do.
const REMOVAL_AFTER_RELEASE: Duration = Duration::from_secs(2);

/// Everything the shim has to look after.
#[derive(Debug)]
pub(crate) struct Supervisor {
    directory: Directory,
    listener: OwnedFd,
    connections: Vec<Option<PacketSocket>>,
    /// None: gone, and removed at the end of the turn.
    subscribers: Vec<Option<PacketSocket>>,
    container: Container,
    /// The init first, then the execs.
    children: Vec<Child>,
    /// Calls of programs that wait for an answer.
    socketcalls: Socketcalls,
    /// Kept open until the init has ended.
    held: Vec<OwnedFd>,
    paused: bool,
    /// When to try again to remove the control group.
    removal: Option<Instant>,
    /// Since when the engine needs nothing more.
    released: Option<Instant>,
    /// Memory has been used that can be given back.
    lavish: bool,
    /// Scratch space for all reads.
    buffer: Vec<u8>,
}

/// What a descriptor in the poll set stands for.
#[derive(Clone, Copy, Debug)]
enum Token {
    Stream(usize, Source),
    Exit(usize),
    Socketcall(Wake),
    Subscriber(usize),
    Connection(usize),
    Listener,
}

impl Supervisor {
    pub(crate) fn new(
        directory: Directory,
        listener: OwnedFd,
        connection: PacketSocket,
        container: Container,
        init: Child,
        held: Vec<OwnedFd>,
    ) -> Supervisor {
        Supervisor {
            directory,
            listener,
            connections: vec![Some(connection)],
            subscribers: Vec::new(),
            container,
            children: vec![init],
            socketcalls: Socketcalls::default(),
            held,
            paused: false,
            removal: None,
            released: None,
            lavish: true,
            buffer: Vec::new(),
        }
    }

    /// Adds an event socket.
    pub(crate) fn subscribe(&mut self, socket: OwnedFd) {
        self.subscribers.push(Some(PacketSocket::new(socket)));
    }

    /// Answers the calls that a program's filter asks about.
    pub(crate) fn supervise(&mut self, listener: Option<OwnedFd>) {
        if let Some(listener) = listener {
            self.socketcalls.add(listener);
        }
    }

    /// Looks after the container until the engine has released it and nobody
    /// reads its last output any more.
    pub(crate) fn run(mut self) -> Result<(), Errno> {
        while !self.is_over() {
            let ready = self.wait()?;
            if ready.is_empty() {
                self.save_memory();
            } else {
                self.lavish = true;
                self.handle(&ready);
            }
            self.keep_time();
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let silent = || self.children.iter().all(Child::is_silent);
        self.released.is_some_and(|at| {
            silent() && (self.removal.is_none() || at.elapsed() > REMOVAL_AFTER_RELEASE)
        })
    }

    fn wait(&self) -> Result<Vec<(Token, PollFlags)>, Errno> {
        let mut set = Vec::new();
        let mut tokens = Vec::new();
        for (index, child) in self.children.iter().enumerate() {
            child.streams.interests(|descriptor, flags, source| {
                set.push(PollFd::from_borrowed_fd(descriptor, flags));
                tokens.push(Token::Stream(index, source));
            });
        }
        for (index, child) in self.children.iter().enumerate() {
            if let Some(pidfd) = child.running() {
                set.push(PollFd::from_borrowed_fd(pidfd, PollFlags::IN));
                tokens.push(Token::Exit(index));
            }
        }
        self.socketcalls.interests(|descriptor, wake| {
            set.push(PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
            tokens.push(Token::Socketcall(wake));
        });
        for (index, socket) in self.subscribers.iter().enumerate() {
            if let Some(socket) = socket {
                set.push(PollFd::new(socket, PollFlags::empty()));
                tokens.push(Token::Subscriber(index));
            }
        }
        for (index, socket) in self.connections.iter().enumerate() {
            if let Some(socket) = socket {
                set.push(PollFd::new(socket, PollFlags::IN));
                tokens.push(Token::Connection(index));
            }
        }
        set.push(PollFd::new(&self.listener, PollFlags::IN));
        tokens.push(Token::Listener);

        match poll(&mut set, self.timeout().as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        Ok(tokens
            .into_iter()
            .zip(set.iter().map(PollFd::revents))
            .filter(|(_, flags)| !flags.is_empty())
            .collect())
    }

    fn handle(&mut self, ready: &[(Token, PollFlags)]) {
        let mut calls = Vec::new();
        // Indexes stay true during the loop: nothing is removed before its end.
        for (token, flags) in ready {
            match *token {
                Token::Stream(child, source) => {
                    self.children[child]
                        .streams
                        .ready(source, *flags, &mut self.buffer);
                }
                Token::Exit(child) => self.child_ended(child),
                Token::Socketcall(wake) => calls.push((wake, flags.contains(PollFlags::HUP))),
                Token::Subscriber(index) => self.subscribers[index] = None,
                Token::Connection(index) => self.connection_ready(index),
                Token::Listener => self.accept(),
            }
        }
        // A request may have brought a listener more, which comes last.
        self.socketcalls.ready(&calls);
        self.subscribers.retain(Option::is_some);
        self.connections.retain(Option::is_some);
        for child in &mut self.children {
            child.streams.sweep();
        }
        let mut index = 0;
        self.children.retain(|child| {
            index += 1;
            index == 1 || !child.is_done()
        });
    }

    fn connection_ready(&mut self, index: usize) {
        if let Some(mut connection) = self.connections[index].take()
            && self.serve(&mut connection)
        {
            self.connections[index] = Some(connection);
        }
    }

    fn accept(&mut self) {
        match rustix::net::accept_with(&self.listener, SocketFlags::CLOEXEC) {
            Ok(socket) => self.connections.push(Some(PacketSocket::new(socket))),
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => {}
            Err(error) => eprintln!("cannot accept a connection: {error}"),
        }
    }

    /// Tells all who listen; one that cannot take it now is let go, and asks
    /// for the state when it comes back. True when somebody has been told.
    fn tell(&mut self, event: &Event) -> bool {
        let mut told = false;
        for subscriber in &mut self.subscribers {
            let sent = subscriber
                .as_ref()
                .is_some_and(|socket| socket.send(event, &[], SendFlags::DONTWAIT).is_ok());
            told |= sent;
            if !sent {
                *subscriber = None;
            }
        }
        told
    }

    fn timeout(&self) -> Option<Timespec> {
        let idle = self.lavish.then(|| Instant::now() + IDLE);
        let deadlines = [self.removal, self.children[0].deadline(), idle];
        let next = deadlines.into_iter().flatten().min()?;
        let left = next.saturating_duration_since(Instant::now());
        Some(Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        })
    }

    fn save_memory(&mut self) {
        self.buffer = Vec::new();
        for child in &mut self.children {
            child.streams.save_memory();
        }
        if self.lavish {
            tare_sys::memory::trim();
            tare_sys::memory::drop_executable_pages();
        }
        self.lavish = false;
    }

    fn keep_time(&mut self) {
        self.report_init();
        if self.removal.is_some_and(|at| at <= Instant::now()) {
            self.remove_cgroup();
        }
    }
}
