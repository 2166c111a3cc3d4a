//! Sockets that systemd opened for us, as sd_listen_fds(3) passes them: from
//! descriptor 3 on, counted by `LISTEN_FDS`.

use std::env;
use std::os::fd::{OwnedFd, RawFd};

use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// The first descriptor that is passed.
const FIRST: RawFd = 3;

/// A passed socket and its name (`FileDescriptorName=`), or its number.
#[derive(Debug)]
pub(crate) struct Socket {
    /// What `fd://` calls it.
    pub(crate) name: String,
    /// The socket.
    pub(crate) descriptor: OwnedFd,
}

/// The sockets passed to this process; none if they are meant for another.
///
/// Each is a duplicate, because a number alone owns nothing; the originals are
/// marked to be closed in every program this process becomes or starts.
pub(crate) fn sockets() -> Vec<Socket> {
    let variable = |name| env::var(name).unwrap_or_default();
    let process = getpid();
    if variable("LISTEN_PID") != process.to_string() {
        return Vec::new();
    }
    let count: RawFd = variable("LISTEN_FDS").parse().unwrap_or(0);
    let names = variable("LISTEN_FDNAMES");
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let Ok(own) = pidfd_open(process, PidfdFlags::empty()) else {
        return Vec::new();
    };
    let sockets = (FIRST..FIRST.saturating_add(count))
        .map_while(|number| {
            let name = names
                .next()
                .map_or_else(|| number.to_string(), str::to_owned);
            let descriptor = pidfd_getfd(&own, number, PidfdGetfdFlags::empty()).ok()?;
            Some(Socket { name, descriptor })
        })
        .collect();
    // Without this, a shim would keep the sockets open beyond the daemon's end.
    if let Err(error) = tare_sys::execute::close_on_exec_from(FIRST.unsigned_abs()) {
        tracing::warn!(%error, "passed sockets stay open in shims");
    }
    sockets
}
