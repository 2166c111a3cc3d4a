//! Reading and writing the files of a control group.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::Error;
use super::resources::refused;

/// Writes a value in one call, as the kernel wants it.
pub(super) fn write(path: &Path, value: &str) -> Result<(), Error> {
    put(path, value).map_err(|source| Error::Write {
        path: path.to_owned(),
        value: value.to_owned(),
        source,
    })
}

fn put(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
}

/// Writes the value of a limit. The error names the field of
/// `linux.resources` that asked for it.
pub(super) fn set(
    directory: &Path,
    file: &str,
    field: &str,
    value: impl AsRef<str>,
) -> Result<(), Error> {
    let value = value.as_ref();
    let path = directory.join(file);
    put(&path, value).map_err(|error| limit_error(&path, field, value, error))
}

fn limit_error(path: &Path, field: &str, value: &str, error: io::Error) -> Error {
    let file = path.file_name().unwrap_or_default().display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound if path.parent().is_some_and(Path::exists) => refused(
            field,
            format!("cannot be had on this host: its control groups have no {file}"),
        ),
        _ => Error::Limit {
            field: field.to_owned(),
            value: value.to_owned(),
            path: path.to_owned(),
            source: error,
        },
    }
}

/// Whether writing failed because of the value.
pub(super) fn is_invalid(error: &Error) -> bool {
    matches!(error, Error::Limit { source, .. } if source.kind() == io::ErrorKind::InvalidInput)
}

/// Reads a file; `None` when it or the group does not exist.
pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A file's only number; `None` when it does not exist or holds none.
pub(super) fn read_number(path: &Path) -> Result<Option<u64>, Error> {
    Ok(read(path)?.as_deref().and_then(number))
}

/// Whether an error says that the group does not exist (any more).
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error())
}

/// Whether an error says that the caller may not have control groups here.
pub(super) fn is_forbidden(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// The number after a key in a file of `key number` lines.
pub(super) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        if name != key {
            return None;
        }
        value.trim().parse().ok()
    })
}

/// A file's only number; `max` and too large ones are [`u64::MAX`].
pub(super) fn number(text: &str) -> Option<u64> {
    match text.trim() {
        "max" => Some(u64::MAX),
        digits => digits.parse().ok(),
    }
}
