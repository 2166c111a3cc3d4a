//! Writing a container's log, in the shim.
//!
//! What one read of the container's output brought is encoded into one batch
//! and written with one call before the next read: memory is never the only
//! place of a complete line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use super::lines::Lines;
use super::{Driver, LogConfig, Record, Stream, json_file, local, rotation, tail};

/// A batch that reaches this is written at once.
const BATCH: usize = 64 * 1024;

/// The only writer of a log.
#[derive(Debug)]
pub struct Writer {
    config: LogConfig,
    attributes: Vec<u8>,
    file: File,
    size: u64,
    batch: Vec<u8>,
    stdout: Lines,
    stderr: Lines,
}

impl Writer {
    /// Opens a log to append to, cutting off a record that a killed writer
    /// tore; none when the driver keeps nothing.
    ///
    /// # Errors
    /// When the file cannot be opened, read or cut.
    pub fn open(config: LogConfig) -> io::Result<Option<Writer>> {
        if config.driver == Driver::None {
            return Ok(None);
        }
        let file = append(&config)?;
        let length = file.metadata()?.len();
        let size = tail::whole_end(config.driver, &file, length)?;
        if size < length {
            file.set_len(size)?;
        }
        Ok(Some(Writer {
            attributes: json_file::attributes(&config.tags),
            config,
            file,
            size,
            batch: Vec::new(),
            stdout: Lines::default(),
            stderr: Lines::default(),
        }))
    }

    /// Logs what arrived at `now`: complete lines are in the file afterwards.
    ///
    /// # Errors
    /// When the file cannot be written: the lines concerned are lost, none is torn.
    pub fn write(&mut self, stream: Stream, bytes: &[u8], now: i64) -> io::Result<()> {
        self.with_lines(stream, |lines, log| {
            lines.push(bytes, now, |line| {
                log(line.time, line.partial, line.bytes);
            });
        })
    }

    /// The stream has ended: logs what it left without a newline.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn finish(&mut self, stream: Stream, now: i64) -> io::Result<()> {
        self.with_lines(stream, |lines, log| {
            lines.finish(now, |line| log(line.time, line.partial, line.bytes));
        })
    }

    /// Gives back memory that is only needed while lines are written.
    pub fn save_memory(&mut self) {
        self.batch = Vec::new();
    }

    fn with_lines(
        &mut self,
        stream: Stream,
        cut: impl FnOnce(&mut Lines, &mut dyn FnMut(i64, bool, &[u8])),
    ) -> io::Result<()> {
        let mut lines = std::mem::take(match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        });
        let mut outcome = Ok(());
        cut(&mut lines, &mut |time, partial, bytes| {
            let record = Record {
                time,
                stream,
                partial,
                bytes,
            };
            let logged = self.append(&record);
            if outcome.is_ok() {
                outcome = logged;
            }
        });
        match stream {
            Stream::Stdout => self.stdout = lines,
            Stream::Stderr => self.stderr = lines,
        }
        let flushed = self.flush();
        outcome.and(flushed)
    }

    fn append(&mut self, record: &Record<'_>) -> io::Result<()> {
        let full = self
            .config
            .max_size
            .is_some_and(|most| self.size + self.batch.len() as u64 >= most);
        if full || self.batch.len() >= BATCH {
            self.flush()?;
        }
        if full && self.size > 0 {
            self.rotate()?;
        }
        match self.config.driver {
            Driver::JsonFile => json_file::encode(record, &self.attributes, &mut self.batch),
            Driver::Local | Driver::None => local::encode(record, &mut self.batch),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.batch);
        match written {
            Ok(()) => self.size += self.batch.len() as u64,
            // A full disk may have taken a part: no record stays torn.
            Err(_) => self.file.set_len(self.size)?,
        }
        self.batch.clear();
        self.batch.shrink_to(2 * BATCH);
        written
    }

    fn rotate(&mut self) -> io::Result<()> {
        rotation::rotate(&self.config)?;
        self.file = append(&self.config)?;
        self.size = 0;
        Ok(())
    }
}

fn append(config: &LogConfig) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o640)
        .open(&config.path)
}

#[cfg(test)]
mod tests;
