//! An archive of images while it is being loaded.
//!
//! Its members are written to a directory of their own as they come, because what
//! says what they are may come last. They are named by number there: no name of the
//! archive ever becomes a path. The directory goes with the [`Archive`].

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use tare_oci::media_type::Compression;
use tare_oci::{Algorithm, Digest, Hasher};

use crate::error::{Error, Result};

/// Members of an archive; a `save` of some hundred images has fewer.
const MEMBERS_MAXIMUM: usize = 1 << 20;

/// Links followed from one name to another.
const LINKS_MAXIMUM: usize = 8;

/// Bytes moved at once.
const PIECE: usize = 64 << 10;

/// What may follow the end of an archive, in bytes: it is read, so that the client
/// is not cut off while it sends its padding.
const PADDING_MAXIMUM: u64 = 16 << 20;

/// An archive's members, by name.
#[derive(Debug)]
pub(super) struct Archive {
    directory: PathBuf,
    members: HashMap<String, Member>,
}

/// One member.
#[derive(Clone, Debug)]
enum Member {
    File(Spooled),
    /// Another name of the archive.
    Link(String),
}

/// A file of the archive, in the archive's directory.
#[derive(Clone, Debug)]
pub(super) struct Spooled {
    path: PathBuf,
    /// Its size in bytes.
    pub(super) size: u64,
    /// The digest of its content.
    pub(super) digest: Digest,
}

impl Spooled {
    /// Opens it.
    pub(super) fn open(&self) -> Result<File> {
        File::open(&self.path).map_err(Error::internal)
    }
}

impl Archive {
    /// Reads an archive, compressed or not, into a new directory below `ingest`.
    pub(super) fn read(mut input: impl Read, ingest: &Path) -> Result<Self> {
        let mut archive = Self {
            directory: directory(ingest)?,
            members: HashMap::new(),
        };
        let mut first = [0; 6];
        let length = fill(&mut input, &mut first).map_err(unreadable)?;
        let mut whole = io::Cursor::new(first).take(length as u64).chain(&mut input);
        match Compression::of_content(&first[..length]) {
            Compression::None if first.starts_with(b"\xfd7zXZ") || first.starts_with(b"BZh") => {
                return Err(Error::invalid(
                    "the archive is compressed with xz or bzip2, which is not supported: \
                     decompress it first",
                ));
            }
            Compression::None => archive.spool(&mut whole)?,
            Compression::Gzip => {
                archive.spool(MultiGzDecoder::new(BufReader::with_capacity(
                    PIECE, &mut whole,
                )))?;
            }
            Compression::Zstd => {
                return Err(Error::invalid(
                    "the archive is compressed with zstd, which is not supported: \
                     decompress it first",
                ));
            }
        }
        io::copy(&mut whole.take(PADDING_MAXIMUM), &mut io::sink()).map_err(unreadable)?;
        Ok(archive)
    }

    /// Whether there is a file of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.file(name).is_ok()
    }

    /// The file of this name, through links.
    pub(super) fn file(&self, name: &str) -> Result<&Spooled> {
        let mut target = normalized(name);
        for _ in 0..LINKS_MAXIMUM {
            match self.members.get(&target) {
                Some(Member::File(file)) => return Ok(file),
                Some(Member::Link(link)) => target.clone_from(link),
                None => break,
            }
        }
        Err(Error::invalid(format!(
            "invalid archive: {name:?} is missing"
        )))
    }

    /// The whole file of this name, if it is no larger than `maximum`.
    pub(super) fn bytes(&self, name: &str, maximum: u64) -> Result<Vec<u8>> {
        let file = self.file(name)?;
        if file.size > maximum {
            return Err(Error::invalid(format!(
                "invalid archive: {name:?} has {} bytes, more than the {maximum} allowed",
                file.size
            )));
        }
        fs::read(&file.path).map_err(Error::internal)
    }

    fn spool(&mut self, input: impl Read) -> Result<()> {
        let mut tar = tar::Archive::new(input);
        for (number, entry) in tar.entries().map_err(unreadable)?.enumerate() {
            if number >= MEMBERS_MAXIMUM {
                return Err(Error::invalid("invalid archive: it has too many members"));
            }
            let mut entry = entry.map_err(unreadable)?;
            let name = normalized(&String::from_utf8_lossy(&entry.path_bytes()));
            let kind = entry.header().entry_type();
            let member = if kind.is_file() || kind.is_contiguous() {
                Member::File(self.keep(&mut entry, number)?)
            } else if kind.is_hard_link() || kind.is_symlink() {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = String::from_utf8_lossy(&target).into_owned();
                let from = if kind.is_symlink() { parent(&name) } else { "" };
                Member::Link(normalized(&format!("{from}/{target}")))
            } else {
                continue;
            };
            self.members.insert(name, member);
        }
        Ok(())
    }

    fn keep(&self, entry: &mut impl Read, number: usize) -> Result<Spooled> {
        let path = self.directory.join(number.to_string());
        let mut file = File::create_new(&path).map_err(Error::internal)?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut size = 0;
        let mut piece = vec![0; PIECE];
        loop {
            let length = entry.read(&mut piece).map_err(unreadable)?;
            if length == 0 {
                return Ok(Spooled {
                    path,
                    size,
                    digest: hasher.finish(),
                });
            }
            hasher.update(&piece[..length]);
            size += length as u64;
            file.write_all(&piece[..length])
                .map_err(|error| Error::internal(error).context("write the archive's content"))?;
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            let directory = self.directory.display();
            tracing::warn!("remove {directory}: {error}; the next start tries again");
        }
    }
}

/// A new directory. What an earlier engine left may still be on its way out.
fn directory(ingest: &Path) -> Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let name = format!("load-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = ingest.join(name);
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::internal(error).context(directory.display())),
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::invalid(format!("invalid archive: {error}"))
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..])? {
            0 => break,
            length => filled += length,
        }
    }
    Ok(filled)
}

fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The name without `.`, `..` and needless slashes, so that one file has one name.
fn normalized(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
