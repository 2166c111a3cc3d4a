//! A netlink socket: requests out, acknowledgements and dumps in.
//!
//! The socket belongs to the network namespace of the thread that opened it, and
//! is used from anywhere afterwards.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send,
    socket_with, sockopt,
};

use super::{Batch, DUMP, HEADER, Message, align, find};

/// `NLMSG_ERROR`: an acknowledgement or a refusal.
const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
const DONE: u16 = 3;
/// Set when the objects changed during a dump (`NLM_F_DUMP_INTR`).
const INTERRUPTED: u16 = 0x10;
/// The answer repeats no more than the request's header (`NLM_F_CAPPED`).
const CAPPED: u16 = 0x100;
/// The answer has attributes (`NLM_F_ACK_TLVS`).
const EXPLAINED: u16 = 0x200;
/// The kernel's own words on a refusal (`NLMSGERR_ATTR_MSG`).
const EXPLANATION: u16 = 1;
/// The kernel writes at most this much of a dump at once.
const RECEIVE: usize = 32 * 1024;
/// How often a dump that changed under way is made again.
const DUMP_ATTEMPTS: usize = 8;

/// One netlink socket with its sequence of request numbers.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
    send_buffer: usize,
    /// Whether all answers to the last requests have been read.
    clean: bool,
}

/// The first request of a batch that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("{description}{}", explained(.explanation))]
pub(crate) struct Failure {
    /// What the request was for.
    pub(crate) description: String,
    /// The kernel's own words, where it has some.
    pub(crate) explanation: Option<String>,
    /// The kernel's answer.
    #[source]
    pub(crate) errno: Errno,
}

fn explained(explanation: &Option<String>) -> String {
    explanation
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default()
}

impl Socket {
    /// Opens a socket for interfaces, addresses and routes.
    pub(crate) fn route() -> Result<Self, Errno> {
        Self::open(None)
    }

    /// Opens a socket for nftables and conntrack.
    pub(crate) fn netfilter() -> Result<Self, Errno> {
        Self::open(Some(netlink::NETFILTER))
    }

    fn open(protocol: Option<Protocol>) -> Result<Self, Errno> {
        let fd = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )?;
        // Both are missing on old kernels only, where errors have fewer words.
        let _ = tare_sys::netlink::set_extended_acknowledgement(fd.as_fd());
        let _ = tare_sys::netlink::set_capped_acknowledgement(fd.as_fd());
        Ok(Self {
            fd,
            sequence: 0,
            buffer: Vec::new(),
            send_buffer: 128 * 1024,
            clean: true,
        })
    }

    /// Sends all requests at once and returns the first refusal.
    ///
    /// Requests behind a refused one have been carried out nevertheless, unless
    /// the batch is an nftables transaction.
    pub(crate) fn execute(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let Some(last) = batch.acknowledge_last() else {
            return Ok(());
        };
        let first = self.start(batch).map_err(|errno| Failure {
            description: "send to the kernel".to_owned(),
            explanation: None,
            errno,
        })?;
        let mut failure: Option<(usize, Failure)> = None;
        let mut answered = false;
        while !answered {
            if let Err(errno) = self.receive() {
                let description = "read the kernel's answer".to_owned();
                let lost = Failure {
                    description,
                    explanation: None,
                    errno,
                };
                return Err(failure.map_or(lost, |(_, failure)| failure));
            }
            for (header, payload) in Messages(&self.buffer) {
                let index = header.sequence.wrapping_sub(first) as usize;
                let Some(request) = batch.requests.get(index) else {
                    continue;
                };
                if header.kind != ERROR {
                    continue;
                }
                answered |= index == last || request.boundary;
                let Some(errno) = errno_of(payload) else {
                    continue;
                };
                if failure.as_ref().is_none_or(|(other, _)| index < *other) {
                    let description = request.description.clone();
                    let explanation = explanation_of(header.flags, payload);
                    failure = Some((
                        index,
                        Failure {
                            description,
                            explanation,
                            errno,
                        },
                    ));
                }
            }
        }
        match failure {
            None => {
                self.clean = true;
                Ok(())
            }
            Some((_, failure)) => Err(failure),
        }
    }

    /// Asks for all objects of a type: the messages behind their headers.
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        description: &'static str,
        header: &[u8],
        fill: impl Fn(&mut Message<'_>),
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let refused = |errno| Failure {
            description: description.to_owned(),
            explanation: None,
            errno,
        };
        for _ in 0..DUMP_ATTEMPTS {
            let mut batch = Batch::default();
            batch.add(kind, DUMP, description, header, &fill);
            let first = self.start(&mut batch).map_err(refused)?;
            match self.collect(first) {
                Ok(Some(replies)) => return Ok(replies),
                Ok(None) | Err(Errno::NOBUFS) => {}
                Err(errno) => return Err(refused(errno)),
            }
        }
        Err(refused(Errno::AGAIN))
    }

    /// Reads a dump to its end; `None` when the objects changed under way.
    fn collect(&mut self, sequence: u32) -> Result<Option<Vec<Vec<u8>>>, Errno> {
        let mut replies = Vec::new();
        let mut consistent = true;
        loop {
            self.receive()?;
            for (header, payload) in Messages(&self.buffer) {
                if header.sequence != sequence {
                    continue;
                }
                consistent &= header.flags & INTERRUPTED == 0;
                match header.kind {
                    DONE => {
                        self.clean = true;
                        return Ok(consistent.then_some(replies));
                    }
                    ERROR => return errno_of(payload).map_or(Ok(Some(Vec::new())), Err),
                    _ => replies.push(payload.to_vec()),
                }
            }
        }
    }

    /// Asks for one object; the kernel's answer or its refusal.
    pub(crate) fn get(
        &mut self,
        kind: u16,
        description: impl Into<String>,
        header: &[u8],
        fill: impl FnOnce(&mut Message<'_>),
    ) -> Result<Vec<u8>, Failure> {
        let description = description.into();
        let mut batch = Batch::default();
        batch.add(kind, 0, "", header, fill);
        let refused = |description: &str, errno| Failure {
            description: description.to_owned(),
            explanation: None,
            errno,
        };
        let first = self
            .start(&mut batch)
            .map_err(|errno| refused(&description, errno))?;
        loop {
            self.receive()
                .map_err(|errno| refused(&description, errno))?;
            for (header, payload) in Messages(&self.buffer) {
                if header.sequence != first {
                    continue;
                }
                self.clean = true;
                if header.kind != ERROR {
                    return Ok(payload.to_vec());
                }
                let errno = errno_of(payload).unwrap_or(Errno::PROTO);
                return Err(refused(&description, errno));
            }
        }
    }

    /// Numbers the requests, sends them and returns the first number.
    fn start(&mut self, batch: &mut Batch) -> Result<u32, Errno> {
        let first = self.number(batch);
        if !self.clean {
            self.discard();
        }
        self.clean = false;
        self.send(&batch.bytes)?;
        Ok(first)
    }

    /// Gives the requests their numbers and returns the first.
    fn number(&mut self, batch: &mut Batch) -> u32 {
        let first = self.sequence.wrapping_add(1);
        for request in &batch.requests {
            self.sequence = self.sequence.wrapping_add(1);
            let at = request.offset + 8;
            batch.bytes[at..at + 4].copy_from_slice(&self.sequence.to_ne_bytes());
        }
        first
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.len() > self.send_buffer {
            sockopt::set_socket_send_buffer_size_force(&self.fd, bytes.len() * 2)?;
            self.send_buffer = bytes.len();
        }
        loop {
            match send(&self.fd, bytes, SendFlags::empty()) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Reads one datagram into the buffer. The kernel has answered by now; when
    /// nothing is there the answer was lost (`AGAIN` becomes `NOBUFS`).
    fn receive(&mut self) -> Result<(), Errno> {
        self.buffer.resize(RECEIVE, 0);
        loop {
            match recv(&self.fd, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Err(Errno::NOBUFS),
                Err(errno) => return Err(errno),
                Ok((length, _)) => {
                    self.buffer.truncate(length);
                    return Ok(());
                }
            }
        }
    }

    /// Throws away what an earlier request that failed half way left behind.
    fn discard(&mut self) {
        loop {
            match self.receive() {
                Ok(()) => {}
                // Lost answers are reported once, ahead of those that are there.
                Err(Errno::NOBUFS) if self.pending() => {}
                Err(_) => return,
            }
        }
    }

    fn pending(&self) -> bool {
        let mut byte = [0; 1];
        recv(&self.fd, &mut byte, RecvFlags::DONTWAIT | RecvFlags::PEEK).is_ok()
    }
}

#[derive(Debug, Clone, Copy)]
struct Header {
    kind: u16,
    flags: u16,
    sequence: u32,
}

/// Messages of a datagram; a last one that was cut off is given as far as it goes.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (Header, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.0.split_first_chunk::<HEADER>()?;
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if length < HEADER {
            return None;
        }
        let payload = &self.0[HEADER..length.min(self.0.len())];
        let parsed = Header {
            kind: u16::from_ne_bytes([header[4], header[5]]),
            flags: u16::from_ne_bytes([header[6], header[7]]),
            sequence: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
        };
        self.0 = self.0.get(align(length)..).unwrap_or_default();
        Some((parsed, payload))
    }
}

/// The error of an `NLMSG_ERROR`; `None` is an acknowledgement.
fn errno_of(payload: &[u8]) -> Option<Errno> {
    let (code, _) = payload.split_first_chunk::<4>()?;
    match i32::from_ne_bytes(*code) {
        0 => None,
        code => Some(Errno::from_raw_os_error(code.saturating_neg())),
    }
}

fn explanation_of(flags: u16, payload: &[u8]) -> Option<String> {
    if flags & EXPLAINED == 0 {
        return None;
    }
    let request = payload.get(4..4 + HEADER)?;
    let length = u32::from_ne_bytes([request[0], request[1], request[2], request[3]]) as usize;
    let skipped = if flags & CAPPED != 0 {
        HEADER
    } else {
        align(length)
    };
    let text = find(payload.get(4 + skipped..)?, EXPLANATION)?;
    let text = text.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}
