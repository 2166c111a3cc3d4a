//! Messages too long for a packet: a sealed file in memory, which its receiver
//! can trust not to change.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags};

use super::PacketError;

/// No message is longer; what claims to be is refused.
const LONGEST: u64 = 64 * 1024 * 1024;
pub(super) fn memory_file(bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let descriptor = rustix::fs::memfd_create(
        "tare-message",
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?;
    let mut file = File::from(descriptor);
    file.write_all(bytes)?;
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )?;
    Ok(file.into())
}

pub(super) fn memory_file_bytes(descriptor: OwnedFd) -> Result<Vec<u8>, PacketError> {
    let file = File::from(descriptor);
    let length = file.metadata().map_err(PacketError::MemoryFile)?.len();
    if length > LONGEST {
        return Err(PacketError::Form("the message is too long"));
    }
    // Bounded by LONGEST above.
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0)
        .map_err(PacketError::MemoryFile)?;
    Ok(bytes)
}
