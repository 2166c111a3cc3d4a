use std::fs;
use std::time::Instant;

use super::super::Writer;
use super::super::tests::{Directory, configs, lines};
use super::*;

fn write(config: &LogConfig, numbers: Range<i64>) {
    let mut writer = Writer::open(config.clone()).expect("open").expect("kept");
    write_with(&mut writer, numbers);
}

fn write_with(writer: &mut Writer, numbers: Range<i64>) {
    for number in numbers {
        let stream = if number % 2 == 0 {
            Stream::Stdout
        } else {
            Stream::Stderr
        };
        let line = format!("line {number}\n");
        writer
            .write(stream, line.as_bytes(), number)
            .expect("write");
    }
}

fn expected(numbers: impl Iterator<Item = i64>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

#[test]
fn what_is_asked_for_comes_whatever_the_files() {
    let all = ReadOptions::default();
    let table: Vec<(ReadOptions, Vec<String>)> = vec![
        (all, expected(0..200)),
        (
            ReadOptions {
                tail: Some(0),
                ..all
            },
            expected(0..0),
        ),
        (
            ReadOptions {
                tail: Some(1),
                ..all
            },
            expected(199..200),
        ),
        (
            ReadOptions {
                tail: Some(90),
                ..all
            },
            expected(110..200),
        ),
        (
            ReadOptions {
                tail: Some(200),
                ..all
            },
            expected(0..200),
        ),
        (
            ReadOptions {
                tail: Some(u64::MAX),
                ..all
            },
            expected(0..200),
        ),
        (
            ReadOptions {
                since: Some(150),
                ..all
            },
            expected(150..200),
        ),
        (
            ReadOptions {
                until: Some(150),
                ..all
            },
            expected(0..151),
        ),
        (
            ReadOptions {
                since: Some(20),
                until: Some(21),
                ..all
            },
            expected(20..22),
        ),
        (
            ReadOptions {
                stderr: false,
                ..all
            },
            expected((0..200).step_by(2)),
        ),
        (
            ReadOptions {
                stdout: false,
                tail: Some(4),
                ..all
            },
            expected([197, 199].into_iter()),
        ),
        (
            ReadOptions {
                tail: Some(5),
                follow: true,
                ..all
            },
            expected(195..200),
        ),
    ];
    for index in 0..2 {
        for max_size in [1_000_000, 3000, 700] {
            let directory = Directory::new(&format!("asked-{index}-{max_size}"));
            let config = &configs(&directory, max_size, 100)[index];
            write(config, 0..200);
            for (options, lines_expected) in &table {
                assert_eq!(
                    &lines(config, *options),
                    lines_expected,
                    "{options:?} {max_size}"
                );
            }
        }
    }
}

#[test]
fn following_misses_nothing_across_rotations() {
    for index in 0..2 {
        let directory = Directory::new(&format!("follow-{index}"));
        let config = &configs(&directory, 900, 50)[index];
        let options = ReadOptions {
            follow: true,
            ..ReadOptions::default()
        };
        // Before the first file exists, too.
        let mut reader = Reader::open(config.clone(), options).expect("open");
        assert_eq!(reader.next().expect("next"), Next::Wait);
        let mut writer = Writer::open(config.clone()).expect("open").expect("kept");
        let mut read = Vec::new();
        for step in 0..30 {
            write_with(&mut writer, step * 20..(step + 1) * 20);
            while let Next::Record(record) = reader.next().expect("next") {
                read.push(String::from_utf8_lossy(record.bytes).into_owned());
            }
        }
        assert_eq!(read, expected(0..600));
        reader.finish();
        assert_eq!(reader.next().expect("next"), Next::End);
    }
}

#[test]
fn waiting_wakes_for_a_line_a_rotation_and_a_cancel() {
    let directory = Directory::new("wait");
    let config = &configs(&directory, 900, 50)[0];
    let options = ReadOptions {
        follow: true,
        ..ReadOptions::default()
    };
    let mut reader = Reader::open(config.clone(), options).expect("open");
    let long = Some(Duration::from_secs(20));
    let started = Instant::now();
    let mut writer = Writer::open(config.clone()).expect("open").expect("kept");
    reader.wait(long, None).expect("the first file wakes");
    assert_eq!(reader.next().expect("next"), Next::Wait);
    for number in 0..100 {
        write_with(&mut writer, number..number + 1);
        reader.wait(long, None).expect("a line wakes");
        // A wake may be late news of the line before.
        while reader.next().expect("next") == Next::Wait {
            reader.wait(long, None).expect("a line wakes");
        }
    }
    while reader.next().expect("next") != Next::Wait {}
    reader
        .wait(Some(Duration::ZERO), None)
        .expect("forget what woke");
    let (ours, theirs) = rustix::pipe::pipe().expect("pipe");
    drop(theirs);
    reader
        .wait(long, Some(std::os::fd::AsFd::as_fd(&ours)))
        .expect("cancel");
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_reader_that_does_not_follow_ends_where_the_log_ended() {
    let directory = Directory::new("limit");
    let config = &configs(&directory, 1 << 20, 2)[0];
    write(config, 0..10);
    let mut reader = Reader::open(config.clone(), ReadOptions::default()).expect("open");
    write(config, 10..20);
    let mut out = Vec::new();
    let filled = reader
        .fill(
            &mut out,
            usize::MAX,
            FrameOptions {
                terminal: true,
                timestamps: false,
            },
        )
        .expect("fill");
    assert_eq!(filled, Filled::End);
    assert_eq!(
        String::from_utf8_lossy(&out),
        expected(0..10).join("\n") + "\n"
    );
}

#[test]
fn damage_costs_only_what_is_damaged() {
    for (index, garbage) in [(0, &b"\x05\0\0\0garbage garbage"[..]), (1, b"{\"log\":\n")] {
        let directory = Directory::new(&format!("damage-{index}"));
        let config = &configs(&directory, 1 << 20, 2)[index];
        write(config, 0..10);
        let mut bytes = fs::read(&config.path).expect("read");
        bytes.extend_from_slice(garbage);
        let after = bytes.len();
        fs::write(&config.path, &bytes).expect("write");
        let other = LogConfig {
            path: directory.log().with_extension("other"),
            ..config.clone()
        };
        write(&other, 10..20);
        bytes.extend(fs::read(&other.path).expect("read"));
        assert!(bytes.len() > after);
        fs::write(&config.path, &bytes).expect("write");
        assert_eq!(lines(config, ReadOptions::default()), expected(0..20));
    }
}
