//! Making one entry.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, SeekFrom, Uid};
use rustix::io::Errno;

use super::path::{self, Clean};
use super::root::{Place, Root};
use super::{Error, NO_FOLLOW, attribute, timestamps};
use crate::tar::{Entry, Kind, Reader};

impl Root {
    /// Makes an entry at its path, in place of what is there.
    pub(super) fn create(
        &mut self,
        path: &Clean,
        entry: &Entry,
        reader: &mut Reader<'_>,
    ) -> Result<(), Error> {
        match entry.kind {
            Kind::Regular => self.regular(path, entry, reader),
            Kind::Directory => self.directory(path, entry),
            Kind::HardLink => self.hard_link(path, entry),
            Kind::SymbolicLink => {
                let make = |place: Place<'_, '_>| {
                    rustix::fs::symlinkat(entry.link.as_slice(), place.directory, place.name)
                };
                self.replacing(path, make)?;
                self.finish_unopened(path, entry)
            }
            Kind::CharacterDevice | Kind::BlockDevice | Kind::Fifo => {
                let (kind, device) = match entry.kind {
                    Kind::CharacterDevice => (FileType::CharacterDevice, entry.device),
                    Kind::BlockDevice => (FileType::BlockDevice, entry.device),
                    _ => (FileType::Fifo, (0, 0)),
                };
                let device = rustix::fs::makedev(device.0, device.1);
                let mode = Mode::from_raw_mode(entry.mode);
                self.replacing(path, |place| {
                    rustix::fs::mknodat(place.directory, place.name, kind, mode, device)
                })?;
                self.finish_unopened(path, entry)
            }
        }
    }

    /// Runs a system call that makes a file; when something is there already,
    /// takes that away and tries again.
    fn replacing<T>(
        &mut self,
        path: &Clean,
        make: impl Fn(Place<'_, '_>) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        match make(self.place(path)?) {
            Err(Errno::EXIST) => {
                self.clear(path)?;
                make(self.place(path)?)
            }
            result => result,
        }
        .map_err(Error::entry("create", path.as_bytes()))
    }

    fn regular(
        &mut self,
        path: &Clean,
        entry: &Entry,
        reader: &mut Reader<'_>,
    ) -> Result<(), Error> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(entry.mode & 0o777);
        let file = self.replacing(path, |place| {
            rustix::fs::openat(place.directory, place.name, flags, mode)
        })?;
        write(&file, path, entry, reader)?;

        if self.place(path)?.passes_group_on || self.has_other_owner(entry) {
            rustix::fs::fchown(
                &file,
                Some(Uid::from_raw(entry.user)),
                Some(Gid::from_raw(entry.group)),
            )
            .map_err(Error::entry("set owner of", path.as_bytes()))?;
        }
        if self.lacks_bits(entry) {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(entry.mode))
                .map_err(Error::entry("set mode of", path.as_bytes()))?;
        }
        // After the owner, whose change takes capabilities away.
        attribute::set(entry, |name, value| attribute::set_on(&file, name, value))?;
        rustix::fs::futimens(&file, &timestamps(entry.modified))
            .map_err(Error::entry("set times of", path.as_bytes()))
    }

    /// A directory that is there already stays, with the new entry's metadata.
    fn directory(&mut self, path: &Clean, entry: &Entry) -> Result<(), Error> {
        let failed = |operation| Error::entry(operation, path.as_bytes());
        let mode = Mode::from_raw_mode(entry.mode & 0o777);
        let place = self.place(path)?;
        let (mut is_new, mut is_opaque) = (true, false);
        match rustix::fs::mkdirat(place.directory, place.name, mode) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let stat = rustix::fs::statat(place.directory, place.name, NO_FOLLOW)
                    .map_err(failed("look at"))?;
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    is_new = false;
                } else {
                    is_opaque = self.clear(path)?;
                    let place = self.place(path)?;
                    rustix::fs::mkdirat(place.directory, place.name, mode)
                        .map_err(failed("create"))?;
                }
            }
            Err(error) => return Err(failed("create")(error)),
        }
        let (chown, chmod) = (self.has_other_owner(entry), self.lacks_bits(entry));
        let place = self.place(path)?;
        if chown || place.passes_group_on || !is_new {
            set_owner(place, path, entry)?;
        }
        if chmod || place.passes_group_on || !is_new {
            rustix::fs::chmodat(
                place.directory,
                place.name,
                Mode::from_raw_mode(entry.mode),
                AtFlags::empty(),
            )
            .map_err(failed("set mode of"))?;
        }
        if is_opaque {
            attribute::set_opaque(place.directory, place.name).map_err(failed("make opaque"))?;
        }
        if !entry.attributes.is_empty() {
            let directory =
                attribute::open_directory(place.directory, place.name).map_err(failed("open"))?;
            attribute::set(entry, |name, value| {
                attribute::set_on(&directory, name, value)
            })?;
        }
        Ok(())
    }

    /// The target is a path in this layer, its last component not followed.
    /// The layers below cannot be linked to: they are other directories.
    fn hard_link(&mut self, path: &Clean, entry: &Entry) -> Result<(), Error> {
        let failed = || Error::entry("link", path.as_bytes());
        let target = path::clean(&entry.link)?;
        let Some((parent, name)) = target.split() else {
            return Err(Error::Path {
                path: path.printable(),
                reason: "a hard link to the root",
            });
        };
        let directory = self.open_directory(parent).map_err(failed())?;
        let stat = rustix::fs::statat(&directory, name, NO_FOLLOW).map_err(failed())?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(Error::Path {
                path: path.printable(),
                reason: "a hard link to a directory",
            });
        }
        if target.as_bytes() == path.as_bytes() {
            return Ok(());
        }
        self.replacing(path, |place| {
            rustix::fs::linkat(
                &directory,
                name,
                place.directory,
                place.name,
                AtFlags::empty(),
            )
        })
    }

    /// Metadata of what was made without being opened: links, devices, pipes.
    fn finish_unopened(&mut self, path: &Clean, entry: &Entry) -> Result<(), Error> {
        let failed = |operation| Error::entry(operation, path.as_bytes());
        let (chown, chmod) = (self.has_other_owner(entry), self.lacks_bits(entry));
        let place = self.place(path)?;
        if chown || place.passes_group_on {
            set_owner(place, path, entry)?;
        }
        if chmod && entry.kind != Kind::SymbolicLink {
            rustix::fs::chmodat(
                place.directory,
                place.name,
                Mode::from_raw_mode(entry.mode),
                AtFlags::empty(),
            )
            .map_err(failed("set mode of"))?;
        }
        attribute::set(entry, |name, value| {
            attribute::set_at(place.directory, place.name, name, value)
        })?;
        rustix::fs::utimensat(
            place.directory,
            place.name,
            &timestamps(entry.modified),
            NO_FOLLOW,
        )
        .map_err(failed("set times of"))
    }

    fn has_other_owner(&self, entry: &Entry) -> bool {
        (entry.user, entry.group) != (self.user, self.group)
    }

    /// Whether creating a file with this mode gives it other bits: the umask
    /// takes some, and set-ID bits come last because a change of owner clears
    /// them.
    fn lacks_bits(&self, entry: &Entry) -> bool {
        entry.mode & (self.umask | 0o7000) != 0
    }
}

fn set_owner(place: Place<'_, '_>, path: &Clean, entry: &Entry) -> Result<(), Error> {
    let (user, group) = (Uid::from_raw(entry.user), Gid::from_raw(entry.group));
    rustix::fs::chownat(
        place.directory,
        place.name,
        Some(user),
        Some(group),
        NO_FOLLOW,
    )
    .map_err(Error::entry("set owner of", path.as_bytes()))
}

fn write(
    file: &OwnedFd,
    path: &Clean,
    entry: &Entry,
    reader: &mut Reader<'_>,
) -> Result<(), Error> {
    let failed = |operation| Error::entry(operation, path.as_bytes());
    let Some(segments) = &entry.segments else {
        return reader.data(|bytes| write_all(file, bytes).map_err(failed("write")));
    };
    let mut segments = segments.iter().filter(|segment| segment.length > 0);
    let mut left = 0;
    reader.data(|mut bytes| -> Result<(), Error> {
        while !bytes.is_empty() {
            if left == 0 {
                // The map has exactly as many bytes as the data.
                let Some(segment) = segments.next() else {
                    return Ok(());
                };
                rustix::fs::seek(file, SeekFrom::Start(segment.offset)).map_err(failed("write"))?;
                left = segment.length;
            }
            let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            write_all(file, &bytes[..length]).map_err(failed("write"))?;
            left -= length as u64;
            bytes = &bytes[length..];
        }
        Ok(())
    })?;
    rustix::fs::ftruncate(file.as_fd(), entry.size).map_err(failed("write"))
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
