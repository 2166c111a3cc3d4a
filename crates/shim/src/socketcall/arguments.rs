//! The arguments of `socket`, as a 32-bit program hands them over.

use std::io;

const AF_ALG: u32 = 38;
const AF_VSOCK: u32 = 40;
const SOCK_CLOEXEC: u32 = 0o2_000_000;
const EPERM: i32 = 1;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) domain: i32,
    /// With SOCK_NONBLOCK and SOCK_CLOEXEC.
    pub(super) kind: i32,
    pub(super) protocol: i32,
    pub(super) close_on_exec: bool,
}

/// Reads three integers, and refuses the families that the default filter
/// refuses where it can see them.
pub(super) fn parse(memory: [u8; 12]) -> io::Result<Socket> {
    let word = |place: usize| {
        u32::from_le_bytes([
            memory[place],
            memory[place + 1],
            memory[place + 2],
            memory[place + 3],
        ])
    };
    let [domain, kind, protocol] = [word(0), word(4), word(8)];
    if matches!(domain, AF_ALG | AF_VSOCK) {
        return Err(io::Error::from_raw_os_error(EPERM));
    }
    Ok(Socket {
        domain: domain.cast_signed(),
        kind: kind.cast_signed(),
        protocol: protocol.cast_signed(),
        close_on_exec: kind & SOCK_CLOEXEC != 0,
    })
}
