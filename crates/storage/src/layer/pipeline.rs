//! Decompression and unpacking, beside the download.
//!
//! The caller's thread hashes and keeps the compressed bytes; a second
//! decompresses them, which is most of the work; a third hashes the archive and
//! writes the files. Bounded pipes between them hold back whoever is faster. A
//! layer that fits one chunk is not worth two threads and is unpacked by the
//! caller at the end.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use tare_oci::{Algorithm, Digest, Hasher};

use super::decode::Decoder;
use super::pipe::{Closed, HashingReader, PipeReader, Sender, pipe};
use crate::tar;
use crate::unpack::{self, Summary, unpack};

/// Compressed bytes per chunk; also the largest layer unpacked without threads.
const COMPRESSED_CHUNK: usize = 128 << 10;
/// Archive bytes per chunk: fits the second-level cache, so that what was hashed
/// is written while hot.
const ARCHIVE_CHUNK: usize = 256 << 10;
const COMPRESSED_DEPTH: usize = 4;
const ARCHIVE_DEPTH: usize = 3;
const STACK: usize = 512 << 10;

/// What becomes of a blob's bytes.
pub(super) struct Pipeline {
    /// Where the files go; none when the layer is in the store already.
    directory: Option<PathBuf>,
    algorithm: Algorithm,
    /// What has not been sent yet.
    chunk: Vec<u8>,
    threads: Option<Threads>,
}

struct Threads {
    chunks: Sender,
    decode: JoinHandle<Result<(), Failure>>,
    unpack: JoinHandle<Result<Outcome, unpack::Error>>,
}

/// Why a pipeline failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A thread could not be started.
    Start(io::Error),
    /// The blob cannot be decompressed.
    Decode(io::Error),
    /// The archive cannot be unpacked.
    Unpack(unpack::Error),
    /// The neighbour gave up; it has the reason.
    Neighbour,
}

impl From<Closed> for Failure {
    fn from(_: Closed) -> Self {
        Self::Neighbour
    }
}

/// What came out: the archive's digest, and its files if there were to be any.
pub(super) type Outcome = (Digest, Option<Summary>);

impl Pipeline {
    pub(super) fn new(directory: Option<PathBuf>, algorithm: Algorithm) -> Self {
        Self {
            directory,
            algorithm,
            chunk: Vec::new(),
            threads: None,
        }
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let room = COMPRESSED_CHUNK - self.chunk.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            bytes = rest;
            if self.chunk.len() == COMPRESSED_CHUNK {
                self.send()?;
            }
        }
        Ok(())
    }

    /// All bytes were written: waits for the rest of the work.
    pub(super) fn finish(mut self) -> Result<Outcome, Failure> {
        if self.threads.is_none() {
            return unpack_here(&self.chunk, self.directory.as_deref(), self.algorithm);
        }
        self.send()?;
        match self.threads.take() {
            Some(threads) => threads.join(true),
            None => Err(Failure::Neighbour),
        }
    }

    fn send(&mut self) -> Result<(), Failure> {
        let threads = match self.threads.take() {
            Some(threads) => threads,
            None => {
                Threads::start(self.directory.clone(), self.algorithm).map_err(Failure::Start)?
            }
        };
        let mut next = threads.chunks.buffer(COMPRESSED_CHUNK);
        next.clear();
        let chunk = std::mem::replace(&mut self.chunk, next);
        match threads.chunks.send(chunk) {
            Ok(()) => {
                self.threads = Some(threads);
                Ok(())
            }
            Err(Closed) => Err(threads.join(false).err().unwrap_or(Failure::Neighbour)),
        }
    }
}

impl Drop for Pipeline {
    /// The threads must not write into a directory that is being removed.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            // What they have to say about being given up is known.
            let _ = threads.join(false);
        }
    }
}

impl Threads {
    fn start(directory: Option<PathBuf>, algorithm: Algorithm) -> io::Result<Self> {
        let spawn = |name: &str| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .stack_size(STACK)
        };
        let (chunks, compressed) = pipe(COMPRESSED_DEPTH);
        let (output, archive) = pipe(ARCHIVE_DEPTH);
        let archive = HashingReader::new(archive, Hasher::new(algorithm));
        let unpack =
            spawn("tare-unpack").spawn(move || unpack_archive(archive, directory.as_deref()))?;
        let decode = spawn("tare-inflate").spawn(move || decode(compressed, output))?;
        Ok(Self {
            chunks,
            decode,
            unpack,
        })
    }

    /// Waits for both threads; whoever failed first has the reason.
    fn join(self, complete: bool) -> Result<Outcome, Failure> {
        if complete {
            // A reader that is gone tells why below.
            let _ = self.chunks.end();
        } else {
            drop(self.chunks);
        }
        let decoded = self.decode.join().unwrap_or(Err(Failure::Neighbour));
        let unpacked = self.unpack.join().unwrap_or_else(|_| Err(interrupted()));
        match (decoded, unpacked) {
            (Ok(()), Ok(outcome)) => Ok(outcome),
            (Ok(()) | Err(Failure::Neighbour), Err(error)) => Err(Failure::Unpack(error)),
            (Err(failure), _) => Err(failure),
        }
    }
}

/// A thread that panicked left no reason.
fn interrupted() -> unpack::Error {
    tar::Error::Read(io::Error::other("the unpacking thread failed")).into()
}

fn decode(input: PipeReader, output: Sender) -> Result<(), Failure> {
    let failed = |error: io::Error| match error.kind() {
        // Only the pipe says this: the download was given up.
        io::ErrorKind::ConnectionAborted => Failure::Neighbour,
        _ => Failure::Decode(error),
    };
    let mut decoder = Decoder::new(input).map_err(failed)?;
    loop {
        let mut chunk = output.buffer(ARCHIVE_CHUNK);
        // A used chunk has this length already, so nothing is zeroed twice.
        chunk.resize(ARCHIVE_CHUNK, 0);
        let length = fill(&mut decoder, &mut chunk).map_err(failed)?;
        chunk.truncate(length);
        output.send(chunk)?;
        if length < ARCHIVE_CHUNK {
            break;
        }
    }
    Ok(output.end()?)
}

fn unpack_archive(
    mut archive: HashingReader,
    directory: Option<&Path>,
) -> Result<Outcome, unpack::Error> {
    let summary = match directory {
        Some(directory) => Some(unpack(&mut archive, directory)?),
        None => {
            io::copy(&mut archive, &mut io::sink()).map_err(tar::Error::from)?;
            None
        }
    };
    Ok((archive.finish(), summary))
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn unpack_here(
    blob: &[u8],
    directory: Option<&Path>,
    algorithm: Algorithm,
) -> Result<Outcome, Failure> {
    let decoder = Decoder::new(blob).map_err(Failure::Decode)?;
    let mut archive = Hashing {
        decoder,
        hasher: Hasher::new(algorithm),
        failed: None,
    };
    let summary = match directory {
        Some(directory) => {
            let unpacked = unpack(
                &mut BufReader::with_capacity(ARCHIVE_CHUNK, &mut archive),
                directory,
            );
            if let Some(error) = archive.failed {
                return Err(Failure::Decode(error));
            }
            Some(unpacked.map_err(Failure::Unpack)?)
        }
        None => {
            io::copy(&mut archive, &mut io::sink()).map_err(Failure::Decode)?;
            None
        }
    };
    Ok((archive.hasher.finish(), summary))
}

/// Hashes what is read, and remembers why reading failed: to the archive's
/// reader all errors look alike.
struct Hashing<R> {
    decoder: R,
    hasher: Hasher,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buffer) {
            Ok(length) => {
                self.hasher.update(&buffer[..length]);
                Ok(length)
            }
            Err(error) => {
                let copy = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(copy)
            }
        }
    }
}
