//! Unix sockets on which a runtime sends descriptors.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::io::IoSliceMut;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// Listens at a path.
pub(crate) fn listen(path: &Path) -> UnixListener {
    let listener = UnixListener::bind(path).expect("listens");
    // A runtime that does not connect must fail a test, not block it.
    listener.set_nonblocking(true).expect("sets");
    listener
}

/// The connection that a runtime made.
#[track_caller]
pub(crate) fn accept(listener: &UnixListener) -> UnixStream {
    let (stream, _) = listener.accept().expect("the runtime has connected");
    stream.set_nonblocking(false).expect("sets");
    stream
}

/// The first message: its bytes and its descriptors.
pub(crate) fn receive(stream: &UnixStream) -> (Vec<u8>, Vec<OwnedFd>) {
    let mut bytes = vec![0; 65536];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )
    .expect("receives");
    bytes.truncate(message.bytes);
    let descriptors = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(rights) => Some(rights),
            _ => None,
        })
        .flatten()
        .collect();
    (bytes, descriptors)
}
