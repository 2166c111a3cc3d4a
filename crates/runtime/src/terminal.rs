//! Pseudo-terminals of containers.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use tare_oci::runtime::ConsoleSize;

/// Both ends of a pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// The end of who watches.
    pub(crate) master: OwnedFd,
    /// The end of the container's program.
    pub(crate) slave: OwnedFd,
}

impl Terminal {
    /// Opens a new terminal of the devpts mounted at `pts`. The slave is had
    /// from the master, not by its path, which could lead anywhere.
    ///
    /// # Errors
    /// `ENOTTY` when something else is mounted there.
    pub(crate) fn open(pts: BorrowedFd<'_>) -> Result<Terminal, Errno> {
        const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;
        if rustix::fs::fstatfs(pts)?.f_type != DEVPTS_SUPER_MAGIC {
            return Err(Errno::NOTTY);
        }
        let master = rustix::fs::openat(
            pts,
            c"ptmx",
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )?;
        rustix::pty::unlockpt(&master)?;
        let slave = rustix::pty::ioctl_tiocgptpeer(
            &master,
            OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
        )?;
        Ok(Terminal { master, slave })
    }

    /// Makes the slave the controlling terminal and the standard streams of
    /// the calling process, which must lead a session.
    pub(crate) fn attach(&self, size: Option<ConsoleSize>, owner: u32) -> Result<(), Errno> {
        if let Some(size) = size {
            resize(&self.master, size)?;
        }
        // As runc: the user can open /dev/console and /dev/pts/N anew.
        rustix::fs::fchown(&self.slave, Some(rustix::fs::Uid::from_raw(owner)), None)?;
        rustix::process::ioctl_tiocsctty(&self.slave)?;
        rustix::stdio::dup2_stdin(&self.slave)?;
        rustix::stdio::dup2_stdout(&self.slave)?;
        rustix::stdio::dup2_stderr(&self.slave)
    }
}

/// Sets a terminal's size, in characters; more than 65535 is 65535.
///
/// # Errors
/// The errno of the kernel when `master` is no terminal.
pub fn resize(master: &OwnedFd, size: ConsoleSize) -> Result<(), Errno> {
    let cells = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
    rustix::termios::tcsetwinsize(
        master,
        Winsize {
            ws_row: cells(size.height),
            ws_col: cells(size.width),
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )
}
