use std::fs;

use super::super::ReadOptions;
use super::super::tests::{Directory, configs, lines};
use super::*;

fn open(config: &LogConfig) -> Writer {
    Writer::open(config.clone())
        .expect("open")
        .expect("a driver that keeps something")
}

#[test]
fn a_complete_line_is_in_the_file_at_once_and_an_unfinished_one_at_the_end() {
    for (index, config) in configs(&Directory::new("at-once"), 1 << 20, 2)
        .iter()
        .enumerate()
    {
        let directory = Directory::new(&format!("at-once-{index}"));
        let config = LogConfig {
            path: directory.log(),
            ..config.clone()
        };
        let mut writer = open(&config);
        writer.write(Stream::Stdout, b"one\ntw", 1).expect("write");
        writer.write(Stream::Stderr, b"error\n", 2).expect("write");
        assert_eq!(lines(&config, ReadOptions::default()), ["one", "error"]);
        writer.write(Stream::Stdout, b"o", 3).expect("write");
        writer.finish(Stream::Stdout, 4).expect("finish");
        assert_eq!(
            lines(&config, ReadOptions::default()),
            ["one", "error", "two"]
        );
    }
}

#[test]
fn files_stay_bounded_in_size_and_number() {
    for (index, files) in [(0, 1), (1, 1), (0, 3), (1, 3)] {
        let directory = Directory::new(&format!("bounded-{index}-{files}"));
        let config = &configs(&directory, 1000, files)[index];
        let mut writer = open(config);
        for number in 0..500 {
            let line = format!("line {number}\n");
            writer
                .write(Stream::Stdout, line.as_bytes(), number)
                .expect("write");
        }
        let expected: Vec<String> = ["log", "log.1", "log.2"][..files as usize]
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        assert_eq!(directory.files(), expected);
        for name in &expected {
            let length = fs::metadata(directory.0.join(name))
                .expect("metadata")
                .len();
            assert!(length < 1100, "{name} has {length} bytes");
        }
        let kept = lines(config, ReadOptions::default());
        let wanted: Vec<String> = (500 - kept.len()..500)
            .map(|n| format!("line {n}"))
            .collect();
        assert_eq!(kept, wanted);
        assert!(kept.len() > 8 * (files as usize - 1) + 1, "{}", kept.len());
    }
}

#[test]
fn a_torn_record_is_cut_off_and_the_rest_kept() {
    for index in 0..2 {
        let directory = Directory::new(&format!("torn-{index}"));
        let config = &configs(&directory, 1 << 20, 1)[index];
        let mut writer = open(config);
        for number in 0..100 {
            let line = format!("{number} {}\n", "z".repeat(700));
            writer
                .write(Stream::Stdout, line.as_bytes(), 5)
                .expect("write");
        }
        drop(writer);
        let whole = fs::read(&config.path).expect("read");
        let last = lines(config, ReadOptions::default()).len() - 1;
        for cut in [1, 3, 5, 100, 700] {
            fs::write(&config.path, &whole[..whole.len() - cut]).expect("tear");
            assert_eq!(
                lines(config, ReadOptions::default()).len(),
                last,
                "reader, {cut}"
            );
            let tail = ReadOptions {
                tail: Some(1),
                ..ReadOptions::default()
            };
            assert!(lines(config, tail)[0].starts_with("98 "), "tail, {cut}");
            let mut writer = open(config);
            writer.write(Stream::Stdout, b"after\n", 6).expect("write");
            let read = lines(config, ReadOptions::default());
            assert_eq!(read.len(), last + 1, "{cut}");
            assert_eq!(read[last], "after");
        }
    }
}
