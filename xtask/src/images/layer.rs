//! One layer: a tar stream whose every byte is decided here, and its gzip.

use super::image::digest;
use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use tar::{EntryType, Header};

/// The time of every file: what `SOURCE_DATE_EPOCH` is for other tools.
pub(crate) const EPOCH: u64 = 1_700_000_000;

/// A finished layer.
pub(crate) struct Layer {
    /// Digest of the tar stream.
    pub(crate) diff_id: String,
    /// Digest of the compressed bytes.
    pub(crate) digest: String,
    /// The compressed bytes.
    pub(crate) gzip: Vec<u8>,
}

impl Layer {
    /// Compresses a tar stream as a layer.
    pub(crate) fn from_tar(tar: &[u8]) -> Result<Self> {
        // No name, no time: the same bytes every time.
        let mut encoder = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::new(6));
        encoder.write_all(tar)?;
        let gzip = encoder.finish().context("cannot compress a layer")?;
        Ok(Self {
            diff_id: digest(tar),
            digest: digest(&gzip),
            gzip,
        })
    }
}

/// Writes the entries of a layer, in the order in which they are named.
pub(crate) struct LayerBuilder {
    tar: tar::Builder<Vec<u8>>,
    owner: (u64, u64),
}

impl LayerBuilder {
    /// A layer without entries, whose files will belong to root.
    pub(crate) fn new() -> Self {
        Self {
            tar: tar::Builder::new(Vec::new()),
            owner: (0, 0),
        }
    }

    /// Sets who owns the entries that follow.
    pub(crate) fn owned_by(&mut self, user: u64, group: u64) -> &mut Self {
        self.owner = (user, group);
        self
    }

    /// A directory.
    pub(crate) fn directory(&mut self, path: &str, mode: u32) -> Result<&mut Self> {
        self.append(path.as_bytes(), EntryType::Directory, mode, &[], None)
    }

    /// A regular file.
    pub(crate) fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<&mut Self> {
        self.append(path.as_bytes(), EntryType::Regular, mode, content, None)
    }

    /// A regular file whose name need not be text.
    pub(crate) fn file_named(&mut self, path: &[u8], content: &[u8]) -> Result<&mut Self> {
        self.append(path, EntryType::Regular, 0o644, content, None)
    }

    /// A symbolic link.
    pub(crate) fn symlink(&mut self, path: &str, to: &str) -> Result<&mut Self> {
        self.append(path.as_bytes(), EntryType::Symlink, 0o777, &[], Some(to))
    }

    /// A further name of a file of this layer.
    pub(crate) fn hard_link(&mut self, path: &str, to: &str) -> Result<&mut Self> {
        self.append(path.as_bytes(), EntryType::Link, 0o755, &[], Some(to))
    }

    /// A pipe.
    pub(crate) fn fifo(&mut self, path: &str) -> Result<&mut Self> {
        self.append(path.as_bytes(), EntryType::Fifo, 0o644, &[], None)
    }

    /// The mark that removes `path` of the layers below.
    pub(crate) fn whiteout(&mut self, path: &str) -> Result<&mut Self> {
        let marked = match path.rsplit_once('/') {
            Some((directory, name)) => format!("{directory}/.wh.{name}"),
            None => format!(".wh.{path}"),
        };
        self.file(&marked, 0o644, &[])
    }

    /// The mark that hides what the layers below have in `directory`.
    pub(crate) fn opaque(&mut self, directory: &str) -> Result<&mut Self> {
        self.file(&format!("{directory}/.wh..wh..opq"), 0o644, &[])
    }

    /// A character or block device.
    pub(crate) fn device(
        &mut self,
        path: &str,
        kind: EntryType,
        major: u32,
        minor: u32,
    ) -> Result<&mut Self> {
        let mut header = self.header(kind, 0o600, 0);
        header.set_device_major(major)?;
        header.set_device_minor(minor)?;
        self.tar.append_data(&mut header, path, std::io::empty())?;
        Ok(self)
    }

    /// PAX records for the entry that follows (extended attributes, times with
    /// nanoseconds, long names).
    pub(crate) fn records(&mut self, records: &[(&str, &[u8])]) -> Result<&mut Self> {
        self.tar.append_pax_extensions(records.iter().copied())?;
        Ok(self)
    }

    /// The tar stream.
    pub(crate) fn into_tar(self) -> Result<Vec<u8>> {
        self.tar.into_inner().context("cannot finish a layer")
    }

    /// The finished layer.
    pub(crate) fn finish(self) -> Result<Layer> {
        Layer::from_tar(&self.into_tar()?)
    }

    fn header(&self, kind: EntryType, mode: u32, size: usize) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(EPOCH);
        header.set_size(size as u64);
        header
    }

    fn append(
        &mut self,
        path: &[u8],
        kind: EntryType,
        mode: u32,
        content: &[u8],
        link: Option<&str>,
    ) -> Result<&mut Self> {
        let path = Path::new(OsStr::from_bytes(path));
        let mut header = self.header(kind, mode, content.len());
        match link {
            Some(target) => self.tar.append_link(&mut header, path, target),
            None => self.tar.append_data(&mut header, path, content),
        }
        .with_context(|| format!("cannot add {} to a layer", path.display()))?;
        Ok(self)
    }
}
