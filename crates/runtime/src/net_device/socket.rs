//! A netlink socket for one question after the other. It belongs to the
//! network namespace that it was opened in, and keeps that alive.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send};

use super::message::Attributes;

/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_ACK`.
const ACKNOWLEDGE: u16 = 4;
/// `NLM_F_ROOT | NLM_F_MATCH`.
const DUMP: u16 = 0x300;
/// `NLMSG_ERROR`: a refusal, or with errno 0 an acknowledgement.
const ERROR: u16 = 2;
/// `NLMSG_DONE`.
const DONE: u16 = 3;
/// Set when the objects changed during a dump (`NLM_F_DUMP_INTR`).
const INTERRUPTED: u16 = 0x10;
/// The answer repeats the request's header only (`NLM_F_CAPPED`).
const CAPPED: u16 = 0x100;
/// `NLMSGERR_ATTR_MSG`: the kernel's own words on a refusal.
const EXPLANATION: u16 = 1;
/// The kernel writes at most this much of a dump at once.
const RECEIVE: usize = 32 << 10;
/// How often a dump that changed under way is made again.
const ATTEMPTS: usize = 8;

/// A question or an order to the kernel.
#[derive(Debug, Clone)]
pub(super) struct Request(Vec<u8>);

impl Request {
    /// With its family's fixed header.
    pub(super) fn new(kind: u16, flags: u16, header: &[u8]) -> Request {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | REQUEST | ACKNOWLEDGE).to_ne_bytes());
        bytes.extend_from_slice(header);
        Request(bytes)
    }

    /// For all objects of a kind.
    pub(super) fn dump(kind: u16, header: &[u8]) -> Request {
        Request::new(kind, DUMP, header)
    }

    /// With an attribute.
    pub(super) fn bytes(mut self, kind: u16, payload: &[u8]) -> Request {
        let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(payload);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// With an attribute of text.
    pub(super) fn text(self, kind: u16, text: &str) -> Request {
        let mut payload = text.as_bytes().to_vec();
        payload.push(0);
        self.bytes(kind, &payload)
    }
}

/// The kernel's refusal.
#[derive(Debug, thiserror::Error)]
#[error("{errno}{}", explained(.explanation))]
pub(super) struct Refusal {
    pub(super) errno: Errno,
    explanation: Option<String>,
}

fn explained(explanation: &Option<String>) -> String {
    explanation
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default()
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal {
            errno,
            explanation: None,
        }
    }
}

/// The socket.
#[derive(Debug)]
pub(super) struct Socket {
    descriptor: OwnedFd,
    sequence: u32,
}

impl Socket {
    /// Opens one in the network namespace of the caller.
    pub(super) fn open() -> Result<Socket, Errno> {
        let descriptor = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )?;
        // Both are missing on old kernels only, where errors have fewer words.
        let _ = tare_sys::netlink::set_extended_acknowledgement(descriptor.as_fd());
        let _ = tare_sys::netlink::set_capped_acknowledgement(descriptor.as_fd());
        Ok(Socket {
            descriptor,
            sequence: 0,
        })
    }

    /// Asks, and returns what is answered: the messages behind their headers.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Vec<Vec<u8>>, Refusal> {
        for _ in 0..ATTEMPTS {
            self.sequence = self.sequence.wrapping_add(1);
            let mut bytes = request.0.clone();
            let length = u32::try_from(bytes.len()).map_err(|_| Errno::MSGSIZE)?;
            bytes[0..4].copy_from_slice(&length.to_ne_bytes());
            bytes[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
            send(&self.descriptor, &bytes, SendFlags::empty())?;
            if let Some(answers) = self.collect()? {
                return Ok(answers);
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Reads until the end of the answer; none when the objects changed under
    /// way.
    fn collect(&mut self) -> Result<Option<Vec<Vec<u8>>>, Refusal> {
        let mut answers = Vec::new();
        let mut is_consistent = true;
        let mut buffer = vec![0; RECEIVE];
        loop {
            let (_, length) = match recv(&self.descriptor, buffer.as_mut_slice(), RecvFlags::TRUNC)
            {
                Err(Errno::INTR) => continue,
                result => result?,
            };
            let mut rest = buffer.get(..length).ok_or(Errno::MSGSIZE)?;
            while let Some(message) = Message::split(&mut rest) {
                if message.sequence != self.sequence {
                    continue;
                }
                is_consistent &= message.flags & INTERRUPTED == 0;
                match message.kind {
                    ERROR => return message.refusal().map_or(Ok(Some(answers)), Err),
                    DONE => return Ok(is_consistent.then_some(answers)),
                    _ => answers.push(message.payload.to_vec()),
                }
            }
        }
    }
}

struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    fn split(rest: &mut &'a [u8]) -> Option<Message<'a>> {
        let (header, _) = rest.split_first_chunk::<HEADER>()?;
        let word = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
        let half = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
        let length = usize::try_from(word(0)).ok()?;
        let payload = rest.get(HEADER..length)?;
        *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: half(4),
            flags: half(6),
            sequence: word(8),
            payload,
        })
    }

    /// What an `NLMSG_ERROR` refuses; none when it acknowledges.
    fn refusal(&self) -> Option<Refusal> {
        let (code, rest) = self.payload.split_first_chunk::<4>()?;
        let code = i32::from_ne_bytes(*code);
        if code == 0 {
            return None;
        }
        // The request's header, or all of the request, comes before the words.
        let repeated = if self.flags & CAPPED == 0 {
            let length = rest
                .first_chunk::<4>()
                .map(|word| u32::from_ne_bytes(*word));
            length.map_or(0, |length| (length as usize).next_multiple_of(4))
        } else {
            HEADER
        };
        let words = Attributes(rest.get(repeated..).unwrap_or_default());
        let explanation = words
            .into_iter()
            .find(|(kind, _)| *kind == EXPLANATION)
            .map(|(_, text)| {
                let text = text.strip_suffix(&[0]).unwrap_or(text);
                String::from_utf8_lossy(text).into_owned()
            });
        Some(Refusal {
            errno: Errno::from_raw_os_error(code.wrapping_neg()),
            explanation,
        })
    }
}
