//! What the tests of writer and reader share.

use std::fs;
use std::path::PathBuf;

use super::*;

pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    pub(super) fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("tare-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("temporary directory");
        Directory(path)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    pub(super) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .expect("directory")
            .map(|entry| {
                entry
                    .expect("entry")
                    .file_name()
                    .into_string()
                    .expect("name")
            })
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn configs(directory: &Directory, max_size: u64, max_files: u32) -> [LogConfig; 2] {
    [
        LogConfig::local(directory.log()),
        LogConfig::json_file(directory.log()),
    ]
    .map(|config| LogConfig {
        max_size: Some(max_size),
        max_files,
        ..config
    })
}

pub(super) fn lines(config: &LogConfig, options: ReadOptions) -> Vec<String> {
    let mut reader = Reader::open(config.clone(), options).expect("open");
    let mut lines = Vec::new();
    loop {
        match reader.next().expect("read") {
            Next::Record(record) => lines.push(String::from_utf8_lossy(record.bytes).into_owned()),
            Next::Wait | Next::End => return lines,
        }
    }
}
