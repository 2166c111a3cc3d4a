//! Calls behind calls: i386 programs can make every socket call through
//! `socketcall` and every System V IPC call through `ipc`, whose first argument
//! says which.
//!
//! A rule for such a call also means the detour, as with libseccomp: there its
//! first condition becomes "the first argument is this call's number". What
//! the detour's real arguments are is behind a pointer, out of a filter's
//! sight.

use super::table::Row;

/// The call that stands for others, and the number of this one in it.
pub(super) fn detour(row: &Row) -> Option<(&'static str, u64)> {
    // By far most calls are none of these, and names are slow to compare.
    if !matches!(row.x86_64, -1 | 29..=31 | 41..=55 | 64..=71 | 220 | 288 | 299 | 307) {
        return None;
    }
    let (call, number) = match row.name {
        "socket" => (SOCKETCALL, 1),
        "bind" => (SOCKETCALL, 2),
        "connect" => (SOCKETCALL, 3),
        "listen" => (SOCKETCALL, 4),
        "accept" => (SOCKETCALL, 5),
        "getsockname" => (SOCKETCALL, 6),
        "getpeername" => (SOCKETCALL, 7),
        "socketpair" => (SOCKETCALL, 8),
        "send" => (SOCKETCALL, 9),
        "recv" => (SOCKETCALL, 10),
        "sendto" => (SOCKETCALL, 11),
        "recvfrom" => (SOCKETCALL, 12),
        "shutdown" => (SOCKETCALL, 13),
        "setsockopt" => (SOCKETCALL, 14),
        "getsockopt" => (SOCKETCALL, 15),
        "sendmsg" => (SOCKETCALL, 16),
        "recvmsg" => (SOCKETCALL, 17),
        "accept4" => (SOCKETCALL, 18),
        "recvmmsg" => (SOCKETCALL, 19),
        "sendmmsg" => (SOCKETCALL, 20),
        "semop" => (IPC, 1),
        "semget" => (IPC, 2),
        "semctl" => (IPC, 3),
        "semtimedop" => (IPC, 4),
        "msgsnd" => (IPC, 11),
        "msgrcv" => (IPC, 12),
        "msgget" => (IPC, 13),
        "msgctl" => (IPC, 14),
        "shmat" => (IPC, 21),
        "shmdt" => (IPC, 22),
        "shmget" => (IPC, 23),
        "shmctl" => (IPC, 24),
        _ => return None,
    };
    Some((call, number))
}

const SOCKETCALL: &str = "socketcall";
const IPC: &str = "ipc";
