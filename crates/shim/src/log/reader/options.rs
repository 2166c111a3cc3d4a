//! What is asked of a log's reader, and what it answers.

use super::Record;

/// What is wanted of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Only the last so many records, of both streams together.
    pub tail: Option<u64>,
    /// Nothing older, in nanoseconds since the Unix epoch.
    pub since: Option<i64>,
    /// Nothing newer.
    pub until: Option<i64>,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Go on with what is written after the opening.
    pub follow: bool,
}

impl Default for ReadOptions {
    /// Everything that is there.
    fn default() -> ReadOptions {
        ReadOptions {
            tail: None,
            since: None,
            until: None,
            stdout: true,
            stderr: true,
            follow: false,
        }
    }
}

/// What comes next in a log.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A record.
    Record(Record<'a>),
    /// Nothing yet, but the log is followed.
    Wait,
    /// Nothing any more.
    End,
}

/// Why [`Reader::fill`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The buffer is full enough; there may be more.
    More,
    /// Nothing more yet, but the log is followed.
    Wait,
    /// Nothing more.
    End,
}
