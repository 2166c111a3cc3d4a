//! Signals by name and number.

use std::io;
use std::os::fd::AsFd;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Names without SIG, by number from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
/// The first and last real-time signal as programs see them.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// The number of a signal by its number, or its name in any case, with or
/// without SIG: `9`, `KILL`, `sigkill`, `RTMIN+3`. 0 asks whether there is a
/// process.
#[must_use]
pub(crate) fn number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (0..=*REAL_TIME.end()).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(index) = NAMES.iter().position(|known| *known == name) {
        return i32::try_from(index + 1).ok();
    }
    match name {
        "IOT" => Some(6),
        "CLD" => Some(17),
        "POLL" => Some(29),
        _ => real_time(name),
    }
}

fn real_time(name: &str) -> Option<i32> {
    let from = |base: i32, rest: &str, sign: i32| -> Option<i32> {
        let offset = match rest {
            "" => 0,
            _ => rest[1..].parse::<i32>().ok()?,
        };
        let number = base.checked_add(sign * offset)?;
        REAL_TIME.contains(&number).then_some(number)
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return (rest.is_empty() || rest.starts_with('+'))
            .then(|| from(*REAL_TIME.start(), rest, 1))?;
    }
    let rest = name.strip_prefix("RTMAX")?;
    (rest.is_empty() || rest.starts_with('-')).then(|| from(*REAL_TIME.end(), rest, -1))?
}

/// Sends a signal to a process by its number; one that has ended is fine.
pub(crate) fn send_to(pid: i32, signal: i32) -> io::Result<()> {
    let Some(pid) = Pid::from_raw(pid) else {
        return Ok(());
    };
    let sent = pidfd_open(pid, PidfdFlags::empty())
        .map_err(io::Error::from)
        .and_then(|pidfd| tare_sys::signal::send(pidfd.as_fd(), signal));
    match sent {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_many_names() {
        for (text, expected) in [
            ("9", Some(9)),
            ("KILL", Some(9)),
            ("SIGTERM", Some(15)),
            ("sigusr1", Some(10)),
            ("SYS", Some(31)),
            ("RTMIN", Some(34)),
            ("SIGRTMIN+3", Some(37)),
            ("RTMAX-1", Some(63)),
            ("64", Some(64)),
            ("0", Some(0)),
            ("65", None),
            ("-1", None),
            ("MOON", None),
            ("RTMIN+31", None),
            ("RTMIN3", None),
            ("RTMAX+1", None),
            ("", None),
            ("SIG", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
