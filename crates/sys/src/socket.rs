//! Descriptors over unix sockets (SCM_RIGHTS).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

/// The most descriptors one message can carry (the kernel's SCM_MAX_FD).
pub const MAXIMUM_DESCRIPTORS: usize = 253;

/// A message and the descriptors that came with it.
#[derive(Debug)]
pub struct Received {
    /// Length of the message; 0 at the end of the stream.
    pub length: usize,
    /// The descriptors, close-on-exec.
    pub descriptors: Vec<OwnedFd>,
}

/// Makes a connected pair of packet sockets, close-on-exec.
///
/// # Errors
/// The errno of socketpair.
pub fn packet_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// Makes a socket of any kind, by the kernel's numbers, close-on-exec.
///
/// # Errors
/// The errno of socket.
pub fn socket(domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: three integers.
    let result = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
    let descriptor = crate::check(result.into())?;
    // SAFETY: a new descriptor, which nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// Whether the other end of a unix stream socket has read all that was written.
///
/// # Errors
/// The errno of the ioctl.
pub fn is_read_by_peer(socket: BorrowedFd<'_>) -> io::Result<bool> {
    let mut waiting: libc::c_int = 0;
    // SAFETY: the kernel writes one integer through the pointer, which is
    // valid for the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut waiting) };
    crate::check(result.into())?;
    Ok(waiting == 0)
}

/// Sends one message with descriptors; never raises SIGPIPE.
///
/// # Errors
/// The errno of sendmsg; `InvalidInput` for more than
/// [`MAXIMUM_DESCRIPTORS`].
pub fn send(
    socket: BorrowedFd<'_>,
    message: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    if descriptors.len() > MAXIMUM_DESCRIPTORS {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut small = [MaybeUninit::<u8>::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut large;
    let space: &mut [MaybeUninit<u8>] = if descriptors.len() <= 8 {
        &mut small
    } else {
        large = [MaybeUninit::<u8>::uninit(); rustix::cmsg_space!(ScmRights(MAXIMUM_DESCRIPTORS))];
        &mut large
    };
    let mut control = SendAncillaryBuffer::new(space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    loop {
        match sendmsg(
            socket,
            &[IoSlice::new(message)],
            &mut control,
            SendFlags::NOSIGNAL,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

/// Receives one message with its descriptors.
///
/// # Errors
/// The errno of recvmsg; `InvalidData` when the message did not fit `buffer`
/// or descriptors were lost.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    receive_with(socket, buffer, RecvFlags::empty())
}

/// As [`receive`], but fails with `WouldBlock` instead of waiting.
///
/// # Errors
/// As [`receive`].
pub fn try_receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    receive_with(socket, buffer, RecvFlags::DONTWAIT)
}

fn receive_with(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> io::Result<Received> {
    let mut space =
        [MaybeUninit::<u8>::uninit(); rustix::cmsg_space!(ScmRights(MAXIMUM_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let result = loop {
        match recvmsg(
            socket,
            &mut [IoSliceMut::new(buffer)],
            &mut control,
            flags | RecvFlags::CMSG_CLOEXEC,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result?,
        }
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    if result
        .flags
        .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "message or its descriptors were cut short",
        ));
    }
    Ok(Received {
        length: result.bytes,
        descriptors,
    })
}
