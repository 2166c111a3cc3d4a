//! The signals that a client forwards to the container it is attached to,
//! and their names.

use std::io;

use tare_sys::signalfd::SignalFd;

/// Every signal that Docker's client forwards, by its number on Linux. Not
/// here: what cannot be caught, the client's own faults, CHLD, PIPE, URG,
/// and TTIN and TTOU, whose default keeps a background client off the
/// terminal.
const FORWARDED: &[(i32, &str)] = &[
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (6, "ABRT"),
    (10, "USR1"),
    (12, "USR2"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
    (20, "TSTP"),
    (24, "XCPU"),
    (25, "XFSZ"),
    (26, "VTALRM"),
    (27, "PROF"),
    (28, "WINCH"),
    (29, "IO"),
    (30, "PWR"),
];

/// The terminal's size has changed.
pub(crate) const WINCH: i32 = 28;

/// Blocks the forwarded signals, to be read from the descriptor.
///
/// # Errors
/// When the process is out of file descriptors.
pub(crate) fn catch_forwarded() -> io::Result<SignalFd> {
    let numbers: Vec<i32> = FORWARDED.iter().map(|(number, _)| *number).collect();
    SignalFd::block(&numbers)
}

/// Blocks what would end the client while the terminal is raw, and the
/// change of size.
///
/// # Errors
/// When the process is out of file descriptors.
pub(crate) fn catch_ending() -> io::Result<SignalFd> {
    SignalFd::block(&[1, 2, 3, 15, WINCH])
}

/// The name to send to the engine, without `SIG`.
pub(crate) fn name(number: i32) -> Option<&'static str> {
    FORWARDED
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, name)| *name)
}
