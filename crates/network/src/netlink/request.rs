//! Requests, laid one behind the other in the buffer that is sent.

use super::{ACKNOWLEDGE, HEADER, REQUEST, align};

/// Set on attributes that contain attributes (`NLA_F_NESTED`).
const NESTED: u16 = 0x8000;

/// Requests that go to the kernel in one system call.
///
/// Every request has a description, which names it in the error when the kernel
/// refuses it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) requests: Vec<Sent>,
}

/// Where a request lies in the buffer and what it is for.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) offset: usize,
    /// One end of a transaction: its refusal is that of all.
    pub(super) boundary: bool,
    pub(super) description: String,
}

impl Batch {
    /// Adds a request with its family's fixed header; `fill` adds the attributes.
    pub(crate) fn add(
        &mut self,
        kind: u16,
        flags: u16,
        description: impl Into<String>,
        header: &[u8],
        fill: impl FnOnce(&mut Message<'_>),
    ) {
        self.write(kind, flags, description.into(), header, fill, false);
    }

    /// Adds one end of a transaction.
    pub(crate) fn add_boundary(&mut self, kind: u16, description: &'static str, header: &[u8]) {
        self.write(kind, 0, description.to_owned(), header, |_| (), true);
    }

    fn write(
        &mut self,
        kind: u16,
        flags: u16,
        description: String,
        header: &[u8],
        fill: impl FnOnce(&mut Message<'_>),
        boundary: bool,
    ) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes
            .extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        self.bytes.extend_from_slice(&[0; HEADER - 8]);
        let mut message = Message {
            bytes: &mut self.bytes,
        };
        message.raw(header);
        fill(&mut message);
        let length = u32::try_from(self.bytes.len() - offset).unwrap_or(u32::MAX);
        self.bytes[offset..offset + 4].copy_from_slice(&length.to_ne_bytes());
        self.requests.push(Sent {
            offset,
            boundary,
            description,
        });
    }

    /// Asks for an acknowledgement of the last request. Refusals are told in any
    /// case, and the kernel answers in order, so this one ends the answers.
    /// Returns its position; `None` when nothing has been added.
    pub(super) fn acknowledge_last(&mut self) -> Option<usize> {
        let last = self
            .requests
            .iter()
            .rposition(|request| !request.boundary)?;
        let at = self.requests[last].offset + 6;
        let flags = u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]]) | ACKNOWLEDGE;
        self.bytes[at..at + 2].copy_from_slice(&flags.to_ne_bytes());
        Some(last)
    }
}

/// A request that is being written.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    bytes: &'a mut Vec<u8>,
}

impl Message<'_> {
    fn raw(&mut self, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        let padded = align(self.bytes.len());
        self.bytes.resize(padded, 0);
    }

    /// An attribute of bytes.
    pub(crate) fn bytes(&mut self, kind: u16, payload: &[u8]) {
        let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
        debug_assert!(
            usize::from(length) == payload.len() + 4,
            "attribute {kind} is too long"
        );
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.raw(payload);
    }

    /// An attribute of one byte.
    pub(crate) fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    /// A number in the host's byte order, as routes have it.
    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// A number in network byte order, as nftables has it.
    pub(crate) fn be32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// A text with its closing zero.
    pub(crate) fn text(&mut self, kind: u16, value: &str) {
        let mut payload = Vec::with_capacity(value.len() + 1);
        payload.extend_from_slice(value.as_bytes());
        payload.push(0);
        self.bytes(kind, &payload);
    }

    /// An attribute of attributes, optionally behind a fixed header.
    pub(crate) fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Message<'_>)) {
        self.nested_with(kind, &[], fill);
    }

    /// As [`Message::nested`], behind a fixed header (`struct ifinfomsg` of a peer).
    pub(crate) fn nested_with(
        &mut self,
        kind: u16,
        header: &[u8],
        fill: impl FnOnce(&mut Message<'_>),
    ) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        self.raw(header);
        fill(&mut Message { bytes: self.bytes });
        let length = u16::try_from(self.bytes.len() - offset).unwrap_or(u16::MAX);
        debug_assert!(
            usize::from(length) == self.bytes.len() - offset,
            "attribute {kind} is too long"
        );
        self.bytes[offset..offset + 2].copy_from_slice(&length.to_ne_bytes());
    }
}
