//! Reading a container's log, in the engine.
//!
//! A reader holds the files that it has still to read, so that rotation takes
//! nothing from it, and finds newer ones by their inode. It never blocks by
//! itself: when there is nothing more it says [`Next::Wait`], and the caller
//! decides how to wait ([`Reader::wait`], or its own poll on
//! [`Reader::as_fd`]) and when the container has ended ([`Reader::finish`]).

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use super::frame::{FrameOptions, frame};
use super::local::{self, Decoded};
use super::rotation::{self, Source};
use super::wait::Watch;
use super::{Driver, LogConfig, Record, Stream, json_file, tail};

mod beginning;
mod options;

pub use options::{Filled, Next, ReadOptions};

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// Reads a log from a chosen point onwards.
#[derive(Debug)]
pub struct Reader {
    config: LogConfig,
    options: ReadOptions,
    /// The file that is read, and those after it.
    sources: VecDeque<Source>,
    /// Where the next read of the first source begins.
    offset: u64,
    /// Where the last source ends for a reader that does not follow.
    limit: Option<u64>,
    buffer: Vec<u8>,
    used: usize,
    /// The text of a json-file record.
    text: Vec<u8>,
    watch: Option<Watch>,
    finishing: bool,
    ended: bool,
}

/// A record whose bytes are somewhere in the reader.
struct Found {
    time: i64,
    stream: Stream,
    partial: bool,
    place: Place,
}

enum Place {
    Buffer(Range<usize>),
    Text,
}

enum Step {
    Record(Found),
    Wait,
    End,
}

impl Reader {
    /// Opens a log; one that does not exist yet is empty.
    ///
    /// # Errors
    /// When a file of the log cannot be opened or read.
    pub fn open(config: LogConfig, options: ReadOptions) -> io::Result<Reader> {
        let mut sources = if config.driver == Driver::None {
            Vec::new()
        } else {
            rotation::open_all(&config)?
        };
        if let Some(since) = options.since {
            beginning::drop_older(&mut sources, since)?;
        }
        let mut reader = Reader {
            limit: None,
            watch: options.follow.then(Watch::new).transpose()?,
            finishing: false,
            ended: config.driver == Driver::None && !options.follow,
            config,
            options,
            sources: VecDeque::new(),
            offset: 0,
            buffer: Vec::new(),
            used: 0,
            text: Vec::new(),
        };
        if let (false, Some(last)) = (options.follow, sources.last()) {
            reader.limit = Some(last.file.metadata()?.len());
        }
        if let Some(count) = options.tail {
            reader.offset = beginning::skip_to_tail(&reader.config, &mut sources, count)?;
        }
        reader.sources = sources.into();
        reader.watch_first()?;
        Ok(reader)
    }

    /// The next record, or why there is none.
    ///
    /// # Errors
    /// When a file of the log cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record is lent by the reader, which an iterator cannot do"
    )]
    pub fn next(&mut self) -> io::Result<Next<'_>> {
        match self.step()? {
            Step::Record(found) => Ok(Next::Record(self.record(&found))),
            Step::Wait => Ok(Next::Wait),
            Step::End => Ok(Next::End),
        }
    }

    /// Appends records as a client sees them until about `limit` bytes are in
    /// the buffer.
    ///
    /// # Errors
    /// When a file of the log cannot be read.
    pub fn fill(
        &mut self,
        into: &mut Vec<u8>,
        limit: usize,
        options: FrameOptions,
    ) -> io::Result<Filled> {
        while into.len() < limit {
            match self.next()? {
                Next::Record(record) => frame(&record, options, into),
                Next::Wait => return Ok(Filled::Wait),
                Next::End => return Ok(Filled::End),
            }
        }
        Ok(Filled::More)
    }

    /// The container has ended and its log is complete: from now on the end
    /// of the log is the end, also when following.
    pub fn finish(&mut self) {
        self.finishing = true;
    }

    /// Blocks until there may be more, `cancel` is readable or closed, or the
    /// time is over.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn wait(
        &self,
        timeout: Option<Duration>,
        cancel: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        match &self.watch {
            Some(watch) => watch.wait(timeout, cancel),
            None => Ok(()),
        }
    }

    /// Readable when there may be more, for a reader that follows.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(Watch::as_fd)
    }

    fn step(&mut self) -> io::Result<Step> {
        while !self.ended {
            if let Some(found) = self.decode() {
                if self.options.until.is_some_and(|until| found.time > until) {
                    self.ended = true;
                    break;
                }
                let wanted = match found.stream {
                    Stream::Stdout => self.options.stdout,
                    Stream::Stderr => self.options.stderr,
                };
                if wanted && self.options.since.is_none_or(|since| found.time >= since) {
                    return Ok(Step::Record(found));
                }
                continue;
            }
            if self.read()? {
                continue;
            }
            if self.sources.len() > 1 {
                self.sources.pop_front();
                self.start_first()?;
                continue;
            }
            if !self.options.follow {
                break;
            }
            if self.find_newer()? {
                continue;
            }
            if !self.finishing {
                return Ok(Step::Wait);
            }
            break;
        }
        self.ended = true;
        Ok(Step::End)
    }

    /// Takes a record off the buffer if a whole one is there.
    fn decode(&mut self) -> Option<Found> {
        loop {
            let rest = &self.buffer[self.used..];
            if self.config.driver == Driver::JsonFile {
                let line = rest.iter().position(|byte| *byte == b'\n')?;
                let record = json_file::decode(&rest[..line], &mut self.text);
                self.used += line + 1;
                if let Some(record) = record {
                    return Some(Found {
                        time: record.time,
                        stream: record.stream,
                        partial: record.partial,
                        place: Place::Text,
                    });
                }
                continue;
            }
            match local::decode(rest) {
                Decoded::Incomplete => return None,
                // Look for a record from the next byte on.
                Decoded::Damage => self.used += 1,
                Decoded::Record(record, length) => {
                    let start = self.used + local::HEADER;
                    self.used += length;
                    return Some(Found {
                        time: record.time,
                        stream: record.stream,
                        partial: record.partial,
                        place: Place::Buffer(start..start + record.bytes.len()),
                    });
                }
            }
        }
    }

    fn record(&self, found: &Found) -> Record<'_> {
        Record {
            time: found.time,
            stream: found.stream,
            partial: found.partial,
            bytes: match &found.place {
                Place::Buffer(range) => &self.buffer[range.clone()],
                Place::Text => &self.text,
            },
        }
    }

    /// Reads more of the first source; false at its present end.
    fn read(&mut self) -> io::Result<bool> {
        let Some(source) = self.sources.front() else {
            return Ok(false);
        };
        self.buffer.drain(..self.used);
        self.used = 0;
        let mut length = CHUNK;
        if let (1, Some(limit)) = (self.sources.len(), self.limit) {
            length =
                length.min(usize::try_from(limit.saturating_sub(self.offset)).unwrap_or(length));
        }
        let held = self.buffer.len();
        self.buffer.resize(held + length, 0);
        let outcome = source.file.read_at(&mut self.buffer[held..], self.offset);
        let read = *outcome.as_ref().unwrap_or(&0);
        self.buffer.truncate(held + read);
        self.offset += read as u64;
        if outcome? == 0 && length > 0 {
            // The writer cut off what it could not finish: begin again there.
            let present = source.file.metadata()?.len();
            if present < self.offset {
                self.buffer.clear();
                self.offset = present;
            }
        }
        Ok(read > 0)
    }

    /// Begins with the file that has become the first.
    fn start_first(&mut self) -> io::Result<()> {
        // What is left of the one before is a torn record.
        self.buffer.clear();
        self.used = 0;
        self.offset = 0;
        self.watch_first()
    }

    fn watch_first(&mut self) -> io::Result<()> {
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        match (self.sources.front(), self.config.path.parent()) {
            (Some(source), _) => watch.file(&source.file),
            (None, Some(directory)) if self.config.driver != Driver::None => {
                watch.directory(directory)
            }
            _ => Ok(()),
        }
    }

    /// Looks for files after the last one; true when there are.
    fn find_newer(&mut self) -> io::Result<bool> {
        if self.config.driver == Driver::None {
            return Ok(false);
        }
        let newer = match self.sources.back() {
            Some(last) => rotation::open_newer(&self.config, last.identity)?,
            None => rotation::open_all(&self.config)?,
        };
        let first_ever = self.sources.is_empty();
        let found = !newer.is_empty();
        self.sources.extend(newer);
        if found && first_ever {
            self.start_first()?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
