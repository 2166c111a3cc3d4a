//! Kept filters, and everything that can be wrong with one.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;
use crate::seccomp::cache::{Cache, CacheError};

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("tare-seccomp-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Directory(path)
    }

    fn entries(&self) -> Vec<PathBuf> {
        let listing = fs::read_dir(&self.0).expect("listing");
        listing.map(|entry| entry.expect("entry").path()).collect()
    }

    fn only(&self) -> PathBuf {
        let mut entries = self.entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn profile(errno: u32) -> Seccomp {
    let mut one = rule(&["mount"], SeccompAction::Errno, vec![]);
    one.errno_ret = Some(errno);
    filter(SeccompAction::Allow, vec![one])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").mode() & 0o7777
}

#[test]
fn a_filter_is_compiled_once_and_then_read() {
    let directory = Directory::new("once");
    let cache = Cache::open(&directory.0).expect("opens");
    let compiled = compile(&profile(1)).expect("compiles");
    assert_eq!(cache.filter(&profile(1)), Ok(compiled.clone()));
    let entry = directory.only();
    assert_eq!((mode(&directory.0), mode(&entry)), (0o700, 0o600));
    let before = fs::metadata(&entry).expect("metadata").ino();
    // By another process, as it were.
    let cache = Cache::open(&directory.0).expect("opens");
    assert_eq!(cache.filter(&profile(1)), Ok(compiled));
    let after = fs::metadata(directory.only()).expect("metadata").ino();
    assert_eq!(before, after, "it was written again");
    // It is the file that is believed: another filter under this name.
    cache.filter(&profile(2)).expect("compiles");
    let other = directory.entries().into_iter().find(|path| *path != entry);
    fs::rename(other.expect("another"), &entry).expect("rename");
    assert_eq!(cache.filter(&profile(1)), compile(&profile(2)));
}

#[test]
fn what_cannot_be_compiled_is_refused_and_not_kept() {
    let directory = Directory::new("refused");
    let cache = Cache::open(&directory.0).expect("opens");
    assert!(cache.filter(&profile(5000)).is_err());
    assert!(directory.entries().is_empty());
}

#[test]
fn a_damaged_entry_is_written_anew() {
    let directory = Directory::new("damaged");
    let cache = Cache::open(&directory.0).expect("opens");
    let compiled = compile(&profile(1)).expect("compiles");
    cache.filter(&profile(1)).expect("compiles");
    let entry = directory.only();
    let good = fs::read(&entry).expect("entry");
    let allow_all = {
        let all = filter(SeccompAction::Allow, vec![]);
        compile(&all).expect("compiles").encode()
    };
    type Damage<'a> = Box<dyn Fn() + 'a>;
    let rewrite = |bytes: Vec<u8>| {
        let entry = &entry;
        Box::new(move || fs::write(entry, &bytes).expect("write")) as Damage<'_>
    };
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    let longer = [good.clone(), vec![0]].concat();
    let damages: Vec<Damage<'_>> = vec![
        rewrite(vec![]),
        rewrite(good[..good.len() - 1].to_vec()),
        rewrite(longer),
        rewrite(flipped),
        rewrite(allow_all),
        rewrite(vec![b'x'; 1 << 20]),
        Box::new(|| {
            fs::set_permissions(&entry, fs::Permissions::from_mode(0o666)).expect("mode");
        }),
        Box::new(|| fs::hard_link(&entry, directory.0.join("second")).expect("link")),
        Box::new(|| {
            let elsewhere = directory.0.join("elsewhere");
            fs::rename(&entry, &elsewhere).expect("rename");
            symlink(elsewhere, &entry).expect("link");
        }),
    ];
    for (place, damage) in damages.iter().enumerate() {
        damage();
        assert_eq!(cache.filter(&profile(1)), Ok(compiled.clone()), "{place}");
        let file = fs::symlink_metadata(&entry).expect("entry");
        assert!(file.is_file() && file.nlink() == 1, "{place}");
        assert_eq!(mode(&entry), 0o600, "{place}");
        assert!(fs::read(&entry).expect("entry") == good, "{place}");
    }
}

#[test]
fn entries_are_bounded_and_leftovers_removed() {
    let directory = Directory::new("bounded");
    let cache = Cache::open(&directory.0).expect("opens");
    let old = directory.0.join(".new-1-0");
    let young = directory.0.join(".new-2-0");
    fs::write(&old, "left by a crash").expect("write");
    fs::write(&young, "being written").expect("write");
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let file = fs::File::options().write(true).open(&old).expect("open");
    file.set_modified(past).expect("time");
    cache.filter(&profile(1)).expect("compiles");
    assert!(!old.exists() && young.exists());
    fs::remove_file(young).expect("remove");

    let first = directory.only();
    let file = fs::File::options().write(true).open(&first).expect("open");
    file.set_modified(past).expect("time");
    for errno in 2..80 {
        cache.filter(&profile(errno)).expect("compiles");
    }
    assert_eq!(directory.entries().len(), 64);
    assert!(!first.exists());
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let directory = Directory::new("open");
    fs::create_dir(&directory.0).expect("directory");
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o770)).expect("mode");
    let opened = Cache::open(&directory.0);
    assert!(matches!(opened, Err(CacheError::Open { .. })), "{opened:?}");
    let link = Directory::new("link");
    symlink(&directory.0, &link.0).expect("link");
    let opened = Cache::open(&link.0);
    assert!(
        matches!(opened, Err(CacheError::Directory { .. })),
        "{opened:?}"
    );
    fs::remove_file(&link.0).expect("remove");
    let missing = Cache::open(&directory.0.join("a/b"));
    assert!(matches!(missing, Err(CacheError::Directory { .. })));
}
