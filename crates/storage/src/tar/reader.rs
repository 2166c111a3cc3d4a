//! The archive from its first block to its last.

use std::io::{self, BufRead, Read as _};

use super::header::{BLOCK, Header, OCTAL_SIZE_MAX};
use super::pax::{self, Extensions};
use super::sparse::{self, SEGMENTS_MAX};
use super::{Entry, Error, Kind, Segment, printable};

/// The largest long name or extended header; Go's reader has the same bound.
const EXTENSION_MAX: u64 = 1 << 20;
/// The kernel refuses (u32)-1 as a user or group.
const ID_MAX: u64 = u32::MAX as u64 - 1;

/// Reads entries one after the other. After [`Self::next`], the entry's data
/// can be had once by [`Self::data`]; what is not taken is skipped.
pub(crate) struct Reader<'input> {
    input: &'input mut dyn BufRead,
    /// Bytes of the current entry's data that are still to come, and of the
    /// padding behind it.
    data: u64,
    padding: u64,
}

/// What headers of their own said about the entry after them.
#[derive(Default)]
struct Preceding {
    extensions: Option<Extensions>,
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Preceding {
    fn is_empty(&self) -> bool {
        self.extensions.is_none() && self.long_path.is_none() && self.long_link.is_none()
    }
}

impl<'input> Reader<'input> {
    pub(crate) fn new(input: &'input mut dyn BufRead) -> Self {
        Self {
            input,
            data: 0,
            padding: 0,
        }
    }

    /// The next entry, or none at the archive's end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        let mut preceding = Preceding::default();
        loop {
            self.skip_to_header()?;
            let Some(block) = self.header_block()? else {
                return if preceding.is_empty() {
                    Ok(None)
                } else {
                    Err(Error::Truncated)
                };
            };
            let header = Header::parse(&block)?;
            match header.kind() {
                b'x' => set_once(
                    &mut preceding.extensions,
                    Extensions::parse(&self.extension(&header)?)?,
                )?,
                b'L' => set_once(
                    &mut preceding.long_path,
                    long_name(self.extension(&header)?),
                )?,
                b'K' => set_once(
                    &mut preceding.long_link,
                    long_name(self.extension(&header)?),
                )?,
                b'g' => {
                    if !preceding.is_empty() {
                        return Err(Error::Header("an extended header without an entry"));
                    }
                    pax::check_global(&self.extension(&header)?)?;
                }
                _ => return self.entry(&header, preceding).map(Some),
            }
        }
    }

    /// Hands out the current entry's data in pieces as they come.
    pub(crate) fn data<E: From<Error>>(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while self.data > 0 {
            let buffer = self.input.fill_buf().map_err(Error::from)?;
            if buffer.is_empty() {
                return Err(Error::Truncated.into());
            }
            let length = buffer
                .len()
                .min(usize::try_from(self.data).unwrap_or(usize::MAX));
            take(&buffer[..length])?;
            self.input.consume(length);
            self.data -= length as u64;
        }
        Ok(())
    }

    /// Reads on to the end of the input, whatever is behind the archive.
    pub(crate) fn drain(&mut self) -> Result<(), Error> {
        io::copy(&mut self.input, &mut io::sink())?;
        Ok(())
    }

    fn entry(&mut self, header: &Header<'_>, preceding: Preceding) -> Result<Entry, Error> {
        let mut extensions = preceding.extensions.unwrap_or_default();
        if preceding.long_path.is_some() && extensions.path.is_some()
            || preceding.long_link.is_some() && extensions.link.is_some()
        {
            return Err(Error::Header("a long name given in two ways"));
        }
        let sparse_name = extensions.sparse.name.take();
        let path = sparse_name
            .or(extensions.path.take())
            .or(preceding.long_path)
            .unwrap_or_else(|| header.path());
        let link = extensions
            .link
            .take()
            .or(preceding.long_link)
            .unwrap_or_else(|| header.link());
        let kind = kind(header.kind(), &path)?;
        let stored = match kind {
            // Header only, as Go reads them; a size here means the size of the
            // file linked to, or nothing.
            Kind::Regular => stored_size(header.size()?, extensions.size, &path)?,
            _ => 0,
        };
        self.data = stored;
        self.padding = stored.next_multiple_of(BLOCK as u64) - stored;
        let id = |value: u64| match value {
            0..=ID_MAX => Ok(u32::try_from(value).unwrap_or(0)),
            _ => Err(Error::Excessive {
                path: printable(&path),
                what: "a user or group ID",
            }),
        };
        let mut entry = Entry {
            kind,
            mode: header.mode()?,
            user: id(extensions.user.map_or_else(|| header.user(), Ok)?)?,
            group: id(extensions.group.map_or_else(|| header.group(), Ok)?)?,
            modified: extensions.modified.map_or_else(|| header.modified(), Ok)?,
            device: match kind {
                Kind::CharacterDevice | Kind::BlockDevice => header.device()?,
                _ => (0, 0),
            },
            size: stored,
            attributes: extensions.attributes,
            segments: None,
            path,
            link,
        };
        let map = if header.kind() == b'S' {
            Some(self.gnu_map(header)?)
        } else if kind == Kind::Regular && extensions.sparse.is_present() {
            let map = match extensions.sparse.map {
                Some(map) => map,
                None => self.map_before_data(&entry.path)?,
            };
            Some((map, extensions.sparse.real_size.unwrap_or(0)))
        } else {
            None
        };
        if let Some((segments, real_size)) = map {
            sparse::validate(&entry.path, &segments, real_size, self.data)?;
            entry.size = real_size;
            entry.segments = Some(segments);
        }
        Ok(entry)
    }

    fn gnu_map(&mut self, header: &Header<'_>) -> Result<(Vec<Segment>, u64), Error> {
        let (fields, mut more, real_size) = header.sparse()?;
        let mut segments = Vec::new();
        sparse::add_gnu(fields, &mut segments)?;
        while more {
            let block = self.block()?;
            let (fields, goes_on) = sparse::extension(&block);
            sparse::add_gnu(fields, &mut segments)?;
            if segments.len() > SEGMENTS_MAX {
                return Err(Error::Excessive {
                    path: printable(&header.path()),
                    what: "pieces of a sparse file",
                });
            }
            more = goes_on;
        }
        Ok((segments, real_size))
    }

    /// The map of version 1.0 is part of the stored size.
    fn map_before_data(&mut self, path: &[u8]) -> Result<Vec<Segment>, Error> {
        let mut left = self.data;
        let map = sparse::read_map(path, || {
            left = left
                .checked_sub(BLOCK as u64)
                .ok_or(Error::Header("a malformed sparse map"))?;
            self.block()
        })?;
        self.data = left;
        Ok(map)
    }

    /// The content of a long name or extended header.
    fn extension(&mut self, header: &Header<'_>) -> Result<Vec<u8>, Error> {
        let size = header.size()?;
        if size > EXTENSION_MAX {
            return Err(Error::Excessive {
                path: printable(&header.path()),
                what: "an extended header",
            });
        }
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        self.input.read_exact(&mut content).map_err(truncated)?;
        Ok(content)
    }

    fn skip_to_header(&mut self) -> Result<(), Error> {
        let rest = self.data + self.padding;
        (self.data, self.padding) = (0, 0);
        if rest > 0 {
            let skipped = io::copy(&mut (&mut self.input).take(rest), &mut io::sink())?;
            if skipped < rest {
                return Err(Error::Truncated);
            }
        }
        Ok(())
    }

    /// The next header; none at the end, which is two blocks of zeros or, as
    /// sloppy builders have it, nothing more.
    fn header_block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let block = self.block()?;
        if block != [0; BLOCK] {
            return Ok(Some(block));
        }
        if !self.input.fill_buf()?.is_empty() && self.block()? != [0; BLOCK] {
            // GNU tar would stop here, others go on.
            return Err(Error::Header("a lone block of zeros"));
        }
        Ok(None)
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Error> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block).map_err(truncated)?;
        Ok(block)
    }
}

/// POSIX: the extended header's size replaces the header's. Readers that did
/// not do so took the data for headers, so the two may only differ when the
/// number does not fit the header (CVE-2025-62518).
fn stored_size(in_header: u64, in_extension: Option<u64>, path: &[u8]) -> Result<u64, Error> {
    match in_extension {
        Some(size) if size != in_header && size <= OCTAL_SIZE_MAX => {
            let reason = "the extended header and the header give different sizes";
            Err(Error::Ambiguous {
                path: printable(path),
                reason,
            })
        }
        Some(size) if i64::try_from(size).is_err() => Err(Error::Excessive {
            path: printable(path),
            what: "a size",
        }),
        Some(size) => Ok(size),
        None => Ok(in_header),
    }
}

fn kind(byte: u8, path: &[u8]) -> Result<Kind, Error> {
    Ok(match byte {
        // Before ustar a directory was a file with a slash at its end.
        0 if path.ends_with(b"/") => Kind::Directory,
        0 | b'0' | b'7' | b'S' => Kind::Regular,
        b'1' => Kind::HardLink,
        b'2' => Kind::SymbolicLink,
        b'3' => Kind::CharacterDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        other => {
            return Err(Error::UnknownKind {
                path: printable(path),
                kind: char::from(other),
            });
        }
    })
}

fn set_once<T>(place: &mut Option<T>, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::Header("two extended headers for one entry")),
    }
}

fn long_name(mut content: Vec<u8>) -> Vec<u8> {
    let end = content
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(content.len());
    content.truncate(end);
    content
}

fn truncated(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        Error::Truncated
    } else {
        Error::Read(error)
    }
}
