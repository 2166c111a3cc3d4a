//! The shim's directory: its control socket and the exit it keeps.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::protocol::{DIAGNOSTICS, EXIT, Exit, SOCKET};

/// Until it is complete, an exit has this name.
const UNFINISHED_EXIT: &str = "exit.json.new";
/// Connections that may wait while the shim is busy.
const BACKLOG: i32 = 16;

/// The directory, held open: its path is used only to remove it.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    descriptor: OwnedFd,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> Result<Directory, Errno> {
        Ok(Directory {
            path: path.to_owned(),
            descriptor: open_directory(path)?,
        })
    }

    /// Binds the control socket, which does not block.
    pub(crate) fn listen(&self) -> Result<OwnedFd, Errno> {
        let socket = socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
        rustix::net::bind(&socket, &address(&self.descriptor)?)?;
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(socket)
    }

    /// Keeps an exit: the file is complete or it is not there.
    pub(crate) fn store_exit(&self, exit: &Exit) -> io::Result<()> {
        let json = serde_json::to_vec(exit)?;
        let file = rustix::fs::openat(
            &self.descriptor,
            UNFINISHED_EXIT,
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC,
            Mode::RUSR | Mode::WUSR,
        )?;
        io::Write::write_all(&mut File::from(file), &json)?;
        rustix::fs::renameat(&self.descriptor, UNFINISHED_EXIT, &self.descriptor, EXIT)?;
        Ok(())
    }

    /// Removes the directory and what the shim has made in it.
    pub(crate) fn remove(&self) -> Result<(), Errno> {
        for name in [SOCKET, EXIT, UNFINISHED_EXIT, DIAGNOSTICS] {
            match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        match rustix::fs::rmdir(&self.path) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Connects to the shim that listens in a directory.
pub(crate) fn connect(path: &Path) -> Result<OwnedFd, Errno> {
    let directory = open_directory(path)?;
    let socket = socket(SocketFlags::CLOEXEC)?;
    rustix::net::connect(&socket, &address(&directory)?)?;
    Ok(socket)
}

fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

fn socket(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
}

/// A socket's address has room for 107 bytes, which a path with a container's
/// ID can exceed; a path through our own descriptor cannot.
fn address(directory: &OwnedFd) -> Result<SocketAddrUnix, Errno> {
    let descriptor = directory.as_fd().as_raw_fd();
    SocketAddrUnix::new(format!("/proc/self/fd/{descriptor}/{SOCKET}"))
}
