//! Packets on the shim's control sockets: a JSON message and file descriptors.
//!
//! Sockets are `SOCK_SEQPACKET`, so a packet arrives whole or not at all. The
//! first byte says what follows:
//!
//! ```text
//! 0  the message itself
//! 1  nothing; the message is in the first descriptor, a sealed memory file
//! 2  nothing; the descriptors belong to the next message (one packet can
//!    carry only so many)
//! ```
//!
//! Nothing is owned on disk. A peer that dies leaves an end of file behind.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

mod memory_file;

use memory_file::{memory_file, memory_file_bytes};

const MESSAGE: u8 = 0;
const MESSAGE_IN_FILE: u8 = 1;
const MORE_DESCRIPTORS: u8 = 2;

/// A message longer than this travels in a memory file.
const INLINE: usize = 32 * 1024;
/// Descriptors in one packet (the kernel's limit is 253).
const DESCRIPTORS: usize = 64;
/// Descriptors in one message: bounds what a peer can make us collect.
const DESCRIPTORS_OF_MESSAGE: usize = 8192;

/// What went wrong with a packet.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// The socket refused to send.
    #[error("cannot send on the control socket: {0}")]
    Send(#[source] Errno),
    /// The socket failed to receive.
    #[error("cannot receive from the control socket: {0}")]
    Receive(#[source] Errno),
    /// The memory file of a long message could not be made or read.
    #[error("cannot pass a long message in a memory file: {0}")]
    MemoryFile(#[source] std::io::Error),
    /// The message is not the JSON that was expected.
    #[error("malformed message on the control socket: {0}")]
    Message(#[source] serde_json::Error),
    /// The packet does not have the form described in this module.
    #[error("malformed packet on the control socket: {0}")]
    Form(&'static str),
}

/// One end of a control socket and the descriptors that came ahead of their message.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    socket: OwnedFd,
    collected: Vec<OwnedFd>,
}

/// What a receive brought.
#[derive(Debug)]
pub(crate) enum Received<T> {
    /// A message with its descriptors.
    Message(T, Vec<OwnedFd>),
    /// Nothing is there now.
    Nothing,
    /// The peer is gone.
    Closed,
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl PacketSocket {
    pub(crate) fn new(socket: OwnedFd) -> PacketSocket {
        PacketSocket {
            socket,
            collected: Vec::new(),
        }
    }

    /// Sends a message with descriptors; never blocks when `flags` says so.
    pub(crate) fn send<T: Serialize>(
        &self,
        message: &T,
        descriptors: &[BorrowedFd<'_>],
        flags: SendFlags,
    ) -> Result<(), PacketError> {
        let json = serde_json::to_vec(message).map_err(PacketError::Message)?;
        let file;
        let mut all = Vec::with_capacity(descriptors.len() + 1);
        let (kind, inline): (u8, &[u8]) = if json.len() <= INLINE {
            (MESSAGE, &json)
        } else {
            file = memory_file(&json).map_err(PacketError::MemoryFile)?;
            all.push(file.as_fd());
            (MESSAGE_IN_FILE, &[])
        };
        all.extend_from_slice(descriptors);
        // The last packet carries the message and the last descriptors.
        let first_of_last = all.len().saturating_sub(1) / DESCRIPTORS * DESCRIPTORS;
        for ahead in all[..first_of_last].chunks(DESCRIPTORS) {
            self.send_packet(&[MORE_DESCRIPTORS], &[], ahead, flags)?;
        }
        self.send_packet(&[kind], inline, &all[first_of_last..], flags)
    }

    fn send_packet(
        &self,
        kind: &[u8],
        body: &[u8],
        descriptors: &[BorrowedFd<'_>],
        flags: SendFlags,
    ) -> Result<(), PacketError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(PacketError::Form("too many descriptors"));
        }
        let parts = [IoSlice::new(kind), IoSlice::new(body)];
        loop {
            match rustix::net::sendmsg(
                &self.socket,
                &parts,
                &mut control,
                flags | SendFlags::NOSIGNAL,
            ) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(PacketError::Send(error)),
            }
        }
    }

    /// Receives one message if it is there; packets that only carry
    /// descriptors are collected on the way.
    pub(crate) fn receive<T: DeserializeOwned>(&mut self) -> Result<Received<T>, PacketError> {
        loop {
            // The length first: messages are small, and a buffer for the
            // longest would stay in this small process for ever.
            let length = match rustix::net::recv(
                &self.socket,
                &mut [0_u8; 0],
                RecvFlags::PEEK | RecvFlags::TRUNC | RecvFlags::DONTWAIT,
            ) {
                Ok((_, 0)) => return Ok(Received::Closed),
                Ok((_, length)) => length,
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::INTR) => continue,
                Err(Errno::CONNRESET) => return Ok(Received::Closed),
                Err(error) => return Err(PacketError::Receive(error)),
            };
            let mut packet = vec![0; length];
            let mut descriptors = std::mem::take(&mut self.collected);
            if !self.receive_packet(&mut packet, &mut descriptors)? {
                self.collected = descriptors;
                continue;
            }
            if descriptors.len() > DESCRIPTORS_OF_MESSAGE {
                return Err(PacketError::Form("too many descriptors"));
            }
            match packet.split_first() {
                Some((&MORE_DESCRIPTORS, [])) => self.collected = descriptors,
                Some((&MESSAGE, json)) => {
                    let message = serde_json::from_slice(json).map_err(PacketError::Message)?;
                    return Ok(Received::Message(message, descriptors));
                }
                Some((&MESSAGE_IN_FILE, [])) => {
                    if descriptors.is_empty() {
                        return Err(PacketError::Form("the memory file is missing"));
                    }
                    let json = memory_file_bytes(descriptors.remove(0))?;
                    let message = serde_json::from_slice(&json).map_err(PacketError::Message)?;
                    return Ok(Received::Message(message, descriptors));
                }
                _ => return Err(PacketError::Form("unknown kind")),
            }
        }
    }

    /// False when a signal interrupted it before anything was taken.
    fn receive_packet(
        &self,
        packet: &mut [u8],
        descriptors: &mut Vec<OwnedFd>,
    ) -> Result<bool, PacketError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(packet)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        );
        match received {
            Ok(received) if received.flags.contains(rustix::net::ReturnFlags::CTRUNC) => Err(
                PacketError::Form("descriptors were lost: too many open files"),
            ),
            Ok(_) => {
                for message in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(received) = message {
                        descriptors.extend(received);
                    }
                }
                Ok(true)
            }
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(PacketError::Receive(error)),
        }
    }
}

/// A connected pair of control sockets.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
}

#[cfg(test)]
mod tests;
