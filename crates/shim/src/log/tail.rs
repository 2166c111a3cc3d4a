//! Reading a log file from its end: where the last records begin, and where
//! the last whole record ends.
//!
//! Only as much is read as the answer needs, so the size of a log does not
//! matter. The end may be torn: by a writer that is in the middle of
//! appending, or by one that was killed there.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::local::{self, Decoded, LONGEST_RECORD};
use super::{Driver, LogConfig};

/// How much is read at a time.
const WINDOW: usize = 64 * 1024;

/// The end of the last whole record.
pub(super) fn whole_end(driver: Driver, file: &File, length: u64) -> io::Result<u64> {
    match driver {
        Driver::JsonFile => Ok(newlines_back(file, length, 1)?.0),
        Driver::Local => local_end(&mut Window::new(file), length),
        Driver::None => Ok(0),
    }
}

/// Where the last `count` records begin, and how many there are from there.
pub(super) fn start_of_last(config: &LogConfig, file: &File, count: u64) -> io::Result<(u64, u64)> {
    let length = file.metadata()?.len();
    let end = whole_end(config.driver, file, length)?;
    if count == 0 || end == 0 {
        return Ok((end, 0));
    }
    match config.driver {
        Driver::JsonFile => {
            // The newline before the first wanted line; that of the last line
            // itself is one more.
            let (start, found) = newlines_back(file, end, count.saturating_add(1))?;
            Ok((start, if start == 0 { found } else { count }))
        }
        Driver::Local => {
            let mut window = Window::new(file);
            let mut start = end;
            let mut found = 0;
            while found < count
                && let Some(earlier) = record_before(&mut window, start)?
            {
                start = earlier;
                found += 1;
            }
            Ok((start, found))
        }
        Driver::None => Ok((0, 0)),
    }
}

/// The offset after the `count`th newline from the end, 0 if there are fewer,
/// and how many were found.
fn newlines_back(file: &File, end: u64, count: u64) -> io::Result<(u64, u64)> {
    let mut buffer = vec![0; WINDOW];
    let mut position = end;
    let mut found = 0;
    while position > 0 {
        let length = position.min(WINDOW as u64);
        position -= length;
        let chunk = &mut buffer[..usize::try_from(length).unwrap_or(WINDOW)];
        file.read_exact_at(chunk, position)?;
        for (index, _) in chunk
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n')
        {
            found += 1;
            if found == count {
                return Ok((position + index as u64 + 1, found));
            }
        }
    }
    Ok((0, found))
}

fn local_end(window: &mut Window<'_>, length: u64) -> io::Result<u64> {
    // At most one record is torn, so a whole one ends within the length of
    // the longest. Two in a row are asked for: content may look like one.
    let limit = length.saturating_sub(LONGEST_RECORD as u64);
    let mut end = length;
    while end > limit {
        if let Some(start) = record_before(window, end)?
            && (start == 0 || record_before(window, start)?.is_some())
        {
            return Ok(end);
        }
        end -= 1;
    }
    Ok(if limit == 0 { 0 } else { length })
}

/// Where the record begins that ends here, if one does.
fn record_before(window: &mut Window<'_>, end: u64) -> io::Result<Option<u64>> {
    let bytes = window.before(end, local::TRAILER)?;
    let Some(length) = local::length_of_last(bytes) else {
        return Ok(None);
    };
    let bytes = window.before(end, length)?;
    if bytes.len() != length || !matches!(local::decode(bytes), Decoded::Record(_, _)) {
        return Ok(None);
    }
    Ok(Some(end - length as u64))
}

/// A part of a file, moved towards its beginning as needed.
struct Window<'a> {
    file: &'a File,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(file: &'a File) -> Window<'a> {
        Window {
            file,
            start: 0,
            bytes: Vec::new(),
        }
    }

    /// Up to `length` bytes that end at `end`; fewer at the file's beginning.
    fn before(&mut self, end: u64, length: usize) -> io::Result<&[u8]> {
        let from = end.saturating_sub(length as u64);
        if from < self.start || end > self.start + self.bytes.len() as u64 {
            self.start = end.saturating_sub((WINDOW + LONGEST_RECORD) as u64);
            let size = usize::try_from(end - self.start).unwrap_or_default();
            self.bytes.resize(size, 0);
            self.file.read_exact_at(&mut self.bytes, self.start)?;
        }
        let first = usize::try_from(from - self.start).unwrap_or_default();
        let last = usize::try_from(end - self.start).unwrap_or_default();
        Ok(&self.bytes[first..last])
    }
}
