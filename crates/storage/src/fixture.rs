//! What the tests share: a directory of their own, archives made byte by byte,
//! and a description of a tree that misses nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tare_oci::{Descriptor, Digest};

use crate::layer::{Error, Layer};
use crate::store::Store;

/// A directory that goes with the test.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "tare-storage-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory for the test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        crate::tree::remove(&self.0).expect("the test's directory goes");
    }
}

/// An archive in the making. The metadata methods apply to the next entry.
#[derive(Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    records: Vec<u8>,
    mode: Option<u32>,
    owner: (u64, u64),
    device: (u32, u32),
    time: u64,
    size: Option<u64>,
}

impl Archive {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    pub(crate) fn owner(mut self, user: u64, group: u64) -> Self {
        self.owner = (user, group);
        self
    }

    pub(crate) fn device(mut self, major: u32, minor: u32) -> Self {
        self.device = (major, minor);
        self
    }

    pub(crate) fn time(mut self, time: u64) -> Self {
        self.time = time;
        self
    }

    /// The size in the header, whatever the data has.
    pub(crate) fn claimed_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    pub(crate) fn record(mut self, key: &str, value: &[u8]) -> Self {
        let body = key.len() + value.len() + 3;
        let digits = (1..).find(|digits| (body + digits).to_string().len() == *digits);
        let length = digits.expect("it converges") + body;
        self.records
            .extend_from_slice(format!("{length} {key}=").as_bytes());
        self.records.extend_from_slice(value);
        self.records.push(b'\n');
        self
    }

    pub(crate) fn directory(self, path: &str) -> Self {
        self.entry(b'5', path.as_bytes(), b"", b"")
    }

    pub(crate) fn file(self, path: &str, data: &[u8]) -> Self {
        self.entry(b'0', path.as_bytes(), b"", data)
    }

    pub(crate) fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path.as_bytes(), target.as_bytes(), b"")
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path.as_bytes(), target.as_bytes(), b"")
    }

    pub(crate) fn entry(mut self, kind: u8, path: &[u8], link: &[u8], data: &[u8]) -> Self {
        let records = std::mem::take(&mut self.records);
        if !records.is_empty() {
            self.block(
                b'x',
                b"records",
                b"",
                records.len() as u64,
                0o644,
                (0, 0),
                (0, 0),
                0,
            );
            self.data(&records);
        }
        let default_mode = if kind == b'5' { 0o755 } else { 0o644 };
        let (mode, owner, device, time) = (
            self.mode.take().unwrap_or(default_mode),
            self.owner,
            self.device,
            self.time,
        );
        let size = self.size.take().unwrap_or(data.len() as u64);
        self.block(kind, path, link, size, mode, owner, device, time);
        self.data(data);
        (self.owner, self.device, self.time) = ((0, 0), (0, 0), 0);
        self
    }

    /// Bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn unfinished(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&[0; 1024]);
        self.bytes
    }

    fn data(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "these are the fields of a header"
    )]
    fn block(
        &mut self,
        kind: u8,
        path: &[u8],
        link: &[u8],
        size: u64,
        mode: u32,
        owner: (u64, u64),
        device: (u32, u32),
        time: u64,
    ) {
        let mut block = [0_u8; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &path[..path.len().min(100)]);
        put(100, format!("{mode:07o}").as_bytes());
        put(108, &number(owner.0, 8));
        put(116, &number(owner.1, 8));
        put(124, &number(size, 12));
        put(136, &number(time, 12));
        put(148, b"        ");
        put(156, &[kind]);
        put(157, &link[..link.len().min(100)]);
        put(257, b"ustar\x0000");
        put(329, format!("{:07o}", device.0).as_bytes());
        put(337, format!("{:07o}", device.1).as_bytes());
        seal(&mut block);
        self.bytes.extend_from_slice(&block);
    }
}

/// Sets a header's checksum.
pub(crate) fn seal(block: &mut [u8; 512]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Octal if it fits, else base-256.
fn number(value: u64, width: usize) -> Vec<u8> {
    let octal = format!("{value:0digits$o}", digits = width - 1);
    if octal.len() < width {
        return octal.into_bytes();
    }
    let mut bytes = vec![0; width - 8];
    bytes.extend_from_slice(&value.to_be_bytes());
    bytes[0] |= 0x80;
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("compressed")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("compressed")
}

/// Takes a layer in, in pieces of this many bytes.
pub(crate) fn put_layer(
    store: &Store,
    archive: &[u8],
    blob: &[u8],
    piece: usize,
) -> Result<Layer, Error> {
    let descriptor = Descriptor::of("", blob);
    let mut writer = store.layer_writer(&descriptor, &Digest::sha256_of(archive))?;
    for piece in blob.chunks(piece) {
        if writer.write_all(piece).is_err() {
            break;
        }
    }
    writer.finish()
}

/// Everything one can know about a tree: path → kind, mode, owner, size, blocks,
/// time, device, link target, attributes, content, and which paths are one file.
pub(crate) fn describe(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut files = BTreeMap::new();
    let mut first_names = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).expect("metadata");
        let name = path
            .strip_prefix(root)
            .expect("below")
            .as_os_str()
            .as_bytes()
            .to_vec();
        let kind = metadata.file_type();
        let mut text = format!(
            "{:o} {}:{} {}.{:09}",
            metadata.mode(),
            metadata.uid(),
            metadata.gid(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        );
        if kind.is_dir() {
            let entries = fs::read_dir(&path).expect("entries");
            pending.extend(entries.map(|entry| entry.expect("entry").path()));
        } else if kind.is_symlink() {
            write!(text, " -> {:?}", fs::read_link(&path).expect("target")).expect("text");
        } else if kind.is_file() {
            let digest = Digest::sha256_of(&fs::read(&path).expect("content"));
            write!(
                text,
                " {} bytes {} {}",
                metadata.size(),
                metadata.nlink(),
                digest.short()
            )
            .expect("text");
            // Whether holes stayed holes; file systems round the rest.
            let is_sparse =
                metadata.size() > 65536 && metadata.blocks() * 512 < metadata.size() / 2;
            write!(text, " sparse={is_sparse}").expect("text");
        } else if kind.is_char_device() || kind.is_block_device() {
            write!(text, " device {:x}", metadata.rdev()).expect("text");
        }
        for (attribute, value) in attributes(&path) {
            write!(text, " {attribute}={value:x?}").expect("text");
        }
        files.insert(name.clone(), text);
        if metadata.nlink() > 1 && !kind.is_dir() {
            first_names
                .entry(metadata.ino())
                .or_insert_with(Vec::new)
                .push(name);
        }
    }
    for mut names in first_names.into_values() {
        names.sort();
        let together = format!(" one of {names:?}");
        for name in names {
            files.get_mut(&name).expect("described").push_str(&together);
        }
    }
    files
}

/// Extended attributes, sorted by name.
pub(crate) fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap_or(0);
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let value = |name: &[u8]| {
        let mut value = vec![0; 4096];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap_or(0);
        value.truncate(length);
        value
    };
    names
        .map(|name| (String::from_utf8_lossy(name).into_owned(), value(name)))
        .collect()
}

/// A path of raw bytes below a directory.
pub(crate) fn below(root: &Path, path: &[u8]) -> PathBuf {
    root.join(std::ffi::OsString::from_vec(path.to_vec()))
}

/// Runs a program that must succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) {
    let output = std::process::Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {} {stderr}",
        output.status
    );
}

/// What lies in the places that must be empty when nothing is going on.
pub(crate) fn leftovers(root: &Path) -> Vec<PathBuf> {
    ["ingest", "layers/sha256", "blobs/sha256", "containers"]
        .iter()
        .flat_map(|directory| fs::read_dir(root.join(directory)).expect("a directory of the store"))
        .map(|entry| entry.expect("an entry").path())
        .collect()
}
