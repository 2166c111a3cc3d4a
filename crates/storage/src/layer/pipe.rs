//! A bounded pipe of byte chunks between two threads.
//!
//! Chunks travel as vectors and come back for reuse, so a layer of any
//! size costs a fixed number of allocations. The reader learns the difference
//! between the end of the data and a writer that gave up.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use tare_oci::{Digest, Hasher};

/// Makes a pipe that holds at most `depth` chunks.
pub(super) fn pipe(depth: usize) -> (Sender, PipeReader) {
    let (sender, receiver) = sync_channel(depth);
    let (empty_sender, empty_receiver) = sync_channel(depth + 2);
    let reader = PipeReader {
        chunks: receiver,
        empty: empty_sender,
        chunk: Vec::new(),
        position: 0,
        ended: false,
    };
    (
        Sender {
            chunks: sender,
            empty: empty_receiver,
        },
        reader,
    )
}

enum Message {
    Chunk(Vec<u8>),
    End,
}

/// The writing side. Dropped without [`Self::end`], the reader gets an error.
pub(super) struct Sender {
    chunks: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
}

/// The reader is gone; it knows why.
#[derive(Debug)]
pub(super) struct Closed;

impl Sender {
    /// A vector to fill, used before if possible, then with its old content.
    pub(super) fn buffer(&self, capacity: usize) -> Vec<u8> {
        match self.empty.try_recv() {
            Ok(buffer) => buffer,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Vec::with_capacity(capacity),
        }
    }

    /// Waits for room and sends a chunk.
    pub(super) fn send(&self, chunk: Vec<u8>) -> Result<(), Closed> {
        self.chunks.send(Message::Chunk(chunk)).map_err(|_| Closed)
    }

    /// Says that all data was sent.
    pub(super) fn end(self) -> Result<(), Closed> {
        self.chunks.send(Message::End).map_err(|_| Closed)
    }
}

/// The reading side.
pub(super) struct PipeReader {
    chunks: Receiver<Message>,
    empty: SyncSender<Vec<u8>>,
    chunk: Vec<u8>,
    position: usize,
    ended: bool,
}

impl BufRead for PipeReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.position == self.chunk.len() && !self.ended {
            match self.chunks.recv() {
                Ok(Message::Chunk(chunk)) => {
                    let used = std::mem::replace(&mut self.chunk, chunk);
                    self.position = 0;
                    // A full channel or no writer: then it is simply freed.
                    let _ = self.empty.try_send(used);
                }
                Ok(Message::End) => self.ended = true,
                Err(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::ConnectionAborted,
                        "the transfer was given up",
                    ));
                }
            }
        }
        Ok(&self.chunk[self.position..])
    }

    fn consume(&mut self, amount: usize) {
        self.position = self.chunk.len().min(self.position + amount);
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        copy_from(self, buffer)
    }
}

/// Hashes each chunk as it comes, just before it is used.
pub(super) struct HashingReader {
    pipe: PipeReader,
    hasher: Hasher,
}

impl HashingReader {
    pub(super) fn new(pipe: PipeReader, hasher: Hasher) -> Self {
        Self { pipe, hasher }
    }

    /// The digest of all chunks that came.
    pub(super) fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl BufRead for HashingReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.pipe.position == self.pipe.chunk.len() {
            self.hasher.update(self.pipe.fill_buf()?);
        }
        self.pipe.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.pipe.consume(amount);
    }
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        copy_from(self, buffer)
    }
}

fn copy_from(reader: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let available = reader.fill_buf()?;
    let length = available.len().min(buffer.len());
    buffer[..length].copy_from_slice(&available[..length]);
    reader.consume(length);
    Ok(length)
}
