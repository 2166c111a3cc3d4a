//! Compiled filters, kept by what they were compiled from.
//!
//! ```text
//! <directory>/              0700, ours
//!   x86_64-<sha256>         0600: mark, filter, SHA-256 of the filter
//!   .new-<pid>-<count>      being written
//! ```
//!
//! The name is the digest of the configuration, of the machine and of the
//! compiler's own source, so that an entry never has to be invalidated. Files
//! appear by rename, complete. Whatever is wrong with one (owner, mode,
//! length, checksum) makes it as good as absent: the filter is compiled and
//! the file written anew. A crash leaves at most a file under a temporary
//! name, which a later writer removes. The directory is meant to lie below
//! /run: nothing is synced, and nothing is missing when it is gone.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;
use tare_oci::digest::Digest;
use tare_oci::runtime::Seccomp;
use tare_sys::seccomp::Flags;

use super::convention::Machine;
use super::{Error, Filter, compile};

/// How many filters are kept. Hosts have a handful of profiles.
const ENTRIES: usize = 64;
/// How old a temporary file is that nobody is writing any more, in seconds.
const ABANDONED: i64 = 60;
/// What begins an entry.
const MARK: &[u8; 8] = b"tareBPF\x01";
/// Flags and 4,096 instructions.
const LONGEST: usize = 4 + 4096 * 8;
const DIGEST: usize = 64;

/// Stands for the compiler: any change of its source makes all entries void.
const COMPILER: u64 = fingerprint(&[
    include_bytes!("answer.rs"),
    include_bytes!("argument.rs"),
    include_bytes!("check.rs"),
    include_bytes!("compile.rs"),
    include_bytes!("convention.rs"),
    include_bytes!("emit.rs"),
    include_bytes!("multiplex.rs"),
    include_bytes!("table.rs"),
    include_bytes!("../seccomp.rs"),
]);

/// FNV-1a, which the compiler can compute.
const fn fingerprint(sources: &[&[u8]]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut source = 0;
    while source < sources.len() {
        let mut place = 0;
        while place < sources[source].len() {
            hash = (hash ^ sources[source][place] as u64).wrapping_mul(0x0100_0000_01b3);
            place += 1;
        }
        source += 1;
    }
    hash
}

/// Why a directory cannot hold filters.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made or opened.
    #[error("the seccomp cache {path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What went wrong.
        source: Errno,
    },
    /// Others could put filters into it.
    #[error("the seccomp cache {path} must belong to its user and be closed to others")]
    Open {
        /// The directory.
        path: PathBuf,
    },
}

/// A directory of compiled filters.
#[derive(Debug)]
pub struct Cache {
    directory: OwnedFd,
}

impl Cache {
    /// Opens a directory, and makes it when it is missing.
    ///
    /// # Errors
    /// When that fails, or when others than the caller can write there.
    pub fn open(path: &Path) -> Result<Cache, CacheError> {
        let failed = |source| CacheError::Directory {
            path: path.to_owned(),
            source,
        };
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
        let stat = fstat(&directory).map_err(failed)?;
        if stat.st_uid != rustix::process::geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
            return Err(CacheError::Open {
                path: path.to_owned(),
            });
        }
        Ok(Cache { directory })
    }

    /// The filter for a configuration: kept, or compiled and kept. A filter
    /// that cannot be kept is compiled each time.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn filter(&self, configuration: &Seccomp) -> Result<Filter, Error> {
        let Some(name) = name(configuration) else {
            return compile(configuration);
        };
        if let Some(filter) = self.read(&name) {
            return Ok(filter);
        }
        let filter = compile(configuration)?;
        if self.write(&name, &filter).is_ok() {
            self.tidy();
        }
        Ok(filter)
    }

    fn read(&self, name: &str) -> Option<Filter> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.directory, name, flags, Mode::empty()).ok()?;
        let stat = fstat(&file).ok()?;
        let length = usize::try_from(stat.st_size).ok()?;
        let is_ours = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == rustix::process::geteuid().as_raw()
            && stat.st_mode & 0o7777 == 0o600
            && stat.st_nlink == 1;
        if !is_ours || length > MARK.len() + LONGEST + DIGEST {
            return None;
        }
        let mut bytes = Vec::with_capacity(length + 1);
        File::from(file)
            .take(length as u64 + 1)
            .read_to_end(&mut bytes)
            .ok()?;
        parse(&bytes)
    }

    fn write(&self, name: &str, filter: &Filter) -> rustix::io::Result<()> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".new-{}-{count}", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.directory, &temporary, flags, mode)?;
        let written = rustix::fs::fchmod(&file, mode).and_then(|()| {
            File::from(file)
                .write_all(&format(filter))
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            renameat(&self.directory, &temporary, &self.directory, name)
        });
        written.inspect_err(|_| {
            let _ = unlinkat(&self.directory, &temporary, AtFlags::empty());
        })
    }

    /// Removes what nobody writes any more, and the oldest entries beyond the
    /// limit. Another process may do so at the same time.
    fn tidy(&self) {
        let Ok(listing) = Dir::read_from(&self.directory) else {
            return;
        };
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
        let mut entries = Vec::new();
        for entry in listing.flatten() {
            let name = entry.file_name().to_owned();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let Ok(stat) = rustix::fs::statat(&self.directory, &name, AtFlags::SYMLINK_NOFOLLOW)
            else {
                continue;
            };
            let written = (stat.st_mtime, stat.st_mtime_nsec);
            if !name.to_bytes().starts_with(b".new-") {
                entries.push((written, name));
            } else if now - written.0 > ABANDONED {
                let _ = unlinkat(&self.directory, &name, AtFlags::empty());
            }
        }
        entries.sort_unstable();
        let excess = entries.len().saturating_sub(ENTRIES);
        for (_, name) in &entries[..excess] {
            let _ = unlinkat(&self.directory, name, AtFlags::empty());
        }
    }
}

/// The name of a configuration's entry.
fn name(configuration: &Seccomp) -> Option<String> {
    let machine = Machine::HOST.name();
    let mut source = format!("{machine} {COMPILER:016x} ").into_bytes();
    // The fields in the order of the type: the same configuration always
    // makes the same bytes.
    serde_json::to_writer(&mut source, configuration).ok()?;
    Some(format!("{machine}-{}", Digest::sha256_of(&source).hex()))
}

fn format(filter: &Filter) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    bytes.extend(filter.encode());
    let digest = Digest::sha256_of(&bytes);
    bytes.extend(digest.hex().as_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<Filter> {
    const KNOWN: u32 = Flags::THREAD_SYNC
        | Flags::LOG
        | Flags::SPEC_ALLOW
        | Flags::NEW_LISTENER
        | Flags::THREAD_SYNC_FAILS
        | Flags::WAIT_KILLABLE_RECEIVE;
    let (content, digest) = bytes.split_last_chunk::<DIGEST>()?;
    if Digest::sha256_of(content).hex().as_bytes() != digest {
        return None;
    }
    let filter = Filter::decode(content.strip_prefix(MARK)?)?;
    (!filter.program.is_empty() && filter.flags.0 & !KNOWN == 0).then_some(filter)
}
