//! Numbers of a process, from /proc.

use std::io;

/// What /proc/PID/status says, in the reader's user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::socketcall) struct Status {
    /// Real, effective, saved, and the file system's.
    pub(in crate::socketcall) users: [u32; 4],
    /// As for users.
    pub(in crate::socketcall) groups: [u32; 4],
    pub(in crate::socketcall) supplementary: Vec<u32>,
    /// The effective capabilities.
    pub(in crate::socketcall) capabilities: u64,
}

impl Status {
    pub(in crate::socketcall) fn parse(text: &str) -> io::Result<Status> {
        let line = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .ok_or_else(|| malformed(name))
        };
        let numbers = |name: &str| -> io::Result<Vec<u32>> {
            line(name)?
                .split_ascii_whitespace()
                .map(|word| word.parse().map_err(|_| malformed(name)))
                .collect()
        };
        let four = |name: &str| numbers(name)?.try_into().map_err(|_| malformed(name));
        Ok(Status {
            users: four("Uid")?,
            groups: four("Gid")?,
            supplementary: numbers("Groups")?,
            capabilities: u64::from_str_radix(line("CapEff")?.trim(), 16)
                .map_err(|_| malformed("CapEff"))?,
        })
    }
}

/// The numbers of a user namespace: inside, outside as the reader sees it, and
/// how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::socketcall) struct Mapping(Vec<[u32; 3]>);

impl Mapping {
    pub(in crate::socketcall) fn parse(text: &str) -> io::Result<Mapping> {
        text.lines()
            .map(|line| {
                let words: Result<Vec<u32>, _> =
                    line.split_ascii_whitespace().map(str::parse).collect();
                words
                    .ok()
                    .and_then(|words| words.try_into().ok())
                    .ok_or_else(|| malformed("uid_map"))
            })
            .collect::<io::Result<_>>()
            .map(Mapping)
    }

    /// A number of the outside, seen from inside.
    pub(in crate::socketcall) fn inside(&self, outside: u32) -> Option<u32> {
        self.0.iter().find_map(|[inside, first, count]| {
            let distance = outside.checked_sub(*first)?;
            (distance < *count)
                .then(|| inside.checked_add(distance))
                .flatten()
        })
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} in /proc"))
}
