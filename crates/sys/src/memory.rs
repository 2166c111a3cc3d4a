//! The process's own memory.

use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;

/// Gives memory that the allocator holds but nobody uses back to the kernel.
pub fn trim() {
    // SAFETY: malloc_trim has no preconditions; it takes the allocator's locks.
    unsafe { libc::malloc_trim(0) };
}

/// Sets the memory policy of the calling thread and what it makes and executes
/// from then on: an `MPOL_*` mode with its `MPOL_F_*` flags, and the nodes as
/// bits, of which there may be none.
///
/// # Errors
/// The errno of set_mempolicy; `ENOSYS` when the kernel is built without.
pub fn set_policy(mode: u32, nodes: &[u64]) -> io::Result<()> {
    // The kernel takes one bit less than it is told.
    let (mask, bits) = if nodes.is_empty() {
        (std::ptr::null(), 0)
    } else {
        (nodes.as_ptr(), nodes.len() * 64 + 1)
    };
    // SAFETY: the kernel reads `bits` less one bits of the mask, which is as
    // long as that, and nothing when it is null.
    let result = unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, mask, bits) };
    crate::check(result).map(drop)
}

/// Unmaps the pages of the executable's code and constants that have been
/// touched so far. They stay in the page cache, and those that are used again
/// come back at the price of a minor fault: for a process that has done its work
/// and now waits, perhaps for days.
pub fn drop_executable_pages() {
    let (Ok(maps), Ok(executable)) = (
        std::fs::File::open("/proc/self/maps"),
        std::fs::metadata("/proc/self/exe"),
    ) else {
        return;
    };
    for line in BufReader::new(maps).lines().map_while(Result::ok) {
        let Some(range) = clean_range(&line, executable.ino()) else {
            continue;
        };
        // SAFETY: the range is a whole mapping of this executable's file that
        // is private, never writable and not relocated (the executable is
        // linked at a fixed address; what is written before it becomes
        // read-only lies in the data segment, which `clean_range` leaves out).
        // Such pages equal the file, so dropping them changes no content.
        unsafe {
            libc::madvise(
                range.start as *mut libc::c_void,
                range.len(),
                libc::MADV_DONTNEED,
            )
        };
    }
}

/// The addresses of a mapping whose pages are the file's: code, or constants
/// before the data segment. A line is `start-end perms offset dev inode path`.
fn clean_range(line: &str, inode: u64) -> Option<std::ops::Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let permissions = words.next()?;
    let offset = words.next()?;
    let of_executable = words.nth(1)?.parse() == Ok(inode);
    let is_code = permissions == "r-xp";
    let is_head = permissions == "r--p" && offset.bytes().all(|digit| digit == b'0');
    if !of_executable || !(is_code || is_head) {
        return None;
    }
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_equal_the_file_are_dropped() {
        for (line, dropped) in [
            ("00200000-00503000 r--p 00000000 fe:00 77   /bin/tare", true),
            ("00503000-011ee000 r-xp 00302000 fe:00 77   /bin/tare", true),
            (
                "011ee000-01201000 r--p 00fec000 fe:00 77   /bin/tare",
                false,
            ),
            (
                "01201000-0120b000 rw-p 00ffe000 fe:00 77   /bin/tare",
                false,
            ),
            (
                "00503000-011ee000 r-xp 00302000 fe:00 78   /lib/other",
                false,
            ),
            ("317bf000-317f9000 rw-p 00000000 00:00 0    [heap]", false),
        ] {
            assert_eq!(clean_range(line, 77).is_some(), dropped, "{line}");
        }
        assert_eq!(
            clean_range("1000-3000 r-xp 0 fe:00 77", 77),
            Some(0x1000..0x3000)
        );
    }

    #[test]
    fn the_process_goes_on_after_dropping() {
        drop_executable_pages();
        assert_eq!((1..=10).product::<u32>(), 3_628_800);
    }
}
