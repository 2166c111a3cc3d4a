//! Signal names and numbers as clients write them.

use crate::error::{Error, Result};

/// SIGKILL.
pub(crate) const KILL: i32 = 9;
/// SIGTERM.
pub(crate) const TERM: i32 = 15;

/// Names without `SIG`, by number from 1 (x86 and ARM have the same).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
/// First and last real-time signal as the C library counts them.
const REALTIME: (i32, i32) = (34, 64);

/// The number of `SIGTERM`, `term`, `15`, `RTMIN+3`, ….
pub(crate) fn parse(name: &str) -> Result<i32> {
    let unknown = || Error::invalid(format!("invalid signal: {name}"));
    if let Ok(number) = name.parse::<i32>() {
        return if (1..=REALTIME.1).contains(&number) {
            Ok(number)
        } else {
            Err(unknown())
        };
    }
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(position) = NAMES.iter().position(|known| *known == bare) {
        return i32::try_from(position + 1).map_err(|_| unknown());
    }
    let number = match bare {
        "POLL" => 29,
        "CLD" => 17,
        "IOT" => 6,
        "RTMIN" => REALTIME.0,
        "RTMAX" => REALTIME.1,
        _ => {
            let offset = |prefix: &str| {
                bare.strip_prefix(prefix)
                    .and_then(|digits| digits.parse::<i32>().ok())
            };
            match (offset("RTMIN+"), offset("RTMAX-")) {
                (Some(above), _) if (0..=30).contains(&above) => REALTIME.0 + above,
                (_, Some(below)) if (0..=30).contains(&below) => REALTIME.1 - below,
                _ => return Err(unknown()),
            }
        }
    };
    Ok(number)
}

#[cfg(test)]
mod tests;
