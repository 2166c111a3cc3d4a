//! Output: to attachments, to the log, with slow and with dead readers.

use std::io::Read;
use std::time::Duration;

use tare_shim::client::Incoming;
use tare_shim::log::{Driver, LogConfig};
use tare_shim::protocol::Target;

use super::fixture::{Client, Fixture, demultiplex, eventually, wait_for_exit};

#[test]
fn an_attachment_made_before_the_start_sees_everything() {
    let mut fixture = Fixture::new("echo out; echo err >&2; printf end");
    let mut client = fixture.attach(false);
    fixture.run();
    let (out, err) = client.output();
    assert_eq!((out.as_str(), err.as_str()), ("out\nend", "err\n"));
}

#[test]
fn two_attachments_see_the_same_and_a_later_one_what_follows() {
    let mut fixture = Fixture::new("echo one; read x; echo two");
    fixture.request.open_stdin = true;
    let mut first = fixture.attach(true);
    let mut second = fixture.attach(false);
    let connection = fixture.start();
    first.raw_until("one");
    let (mut third, attachment) = Client::new(false);
    connection.attach(attachment).expect("attach");
    first.write(b"go\n");
    assert!(first.raw_until("two").contains("two"));
    wait_for_exit(&connection, &Target::Init);
    assert_eq!(second.output().0, "one\ntwo\n");
    assert_eq!(third.output().0, "two\n");
    fixture.release(&connection);
}

#[test]
fn a_slow_attachment_loses_nothing_and_slows_the_container() {
    let mut fixture = Fixture::new("seq 1 400000; echo done >&2");
    let client = fixture.attach(false);
    let connection = fixture.start();
    // 2.7 MB fit into no buffer: without a reader the container stands.
    assert_eq!(
        connection.wait(Duration::from_millis(700)).expect("wait"),
        Incoming::Nothing
    );
    let reader = std::thread::spawn(move || {
        let mut client = client;
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let length = client.stream.read(&mut buffer).expect("read");
            if length == 0 {
                return bytes;
            }
            bytes.extend_from_slice(&buffer[..length]);
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    wait_for_exit(&connection, &Target::Init);
    // The shim stays until the slow reader has everything.
    connection.release().expect("release");
    let (out, err) = demultiplex(&reader.join().expect("reader"));
    let expected: String = (1..=400_000).map(|number| format!("{number}\n")).collect();
    assert!(out == expected, "{} bytes of {}", out.len(), expected.len());
    assert_eq!(err, "done\n");
    fixture.assert_nothing_left();
    assert_eq!(fixture.log_lines().len(), 400_001);
}

#[test]
fn a_dead_attachment_stops_nobody() {
    let mut fixture = Fixture::new("seq 1 100000");
    let full = fixture.attach(false);
    let mut other = fixture.attach(false);
    let connection = fixture.start();
    let reader = std::thread::spawn(move || other.output().0.len());
    // It is full by now, and everyone waits for it.
    std::thread::sleep(Duration::from_millis(200));
    drop(full);
    wait_for_exit(&connection, &Target::Init);
    assert_eq!(reader.join().expect("reader"), 588_895);
    fixture.release(&connection);
    assert_eq!(fixture.log_lines().len(), 100_000);
}

#[test]
fn output_that_others_hold_open_does_not_hold_up_the_exit() {
    // Closing its own output is not the end of a process.
    let mut fixture = Fixture::new("exec >&- 2>&-; sleep 0.3; exit 4");
    let mut client = fixture.attach(false);
    let connection = fixture.start();
    assert_eq!(client.raw(), b"", "the stream ends with the container");
    assert_eq!(wait_for_exit(&connection, &Target::Init).code, 4);
    fixture.release(&connection);
}

#[test]
fn logs_rotate_while_the_container_writes() {
    for driver in [Driver::Local, Driver::JsonFile] {
        let mut fixture = Fixture::new("seq 1 20000");
        let path = fixture.directory.join("log");
        fixture.request.log = LogConfig {
            driver,
            max_size: Some(100_000),
            max_files: 3,
            ..LogConfig::local(path)
        };
        fixture.run();
        let lines = fixture.log_lines();
        let first: usize = lines[0].parse().expect("a number");
        assert!(first > 1, "nothing was dropped");
        let expected: Vec<String> = (first..=20_000).map(|number| number.to_string()).collect();
        assert!(lines == expected, "{driver:?}: a gap or a repetition");
        assert!(fixture.directory.join("log.2").exists());
        assert!(!fixture.directory.join("log.3").exists());
    }
}

#[test]
fn without_a_log_the_output_goes_to_attachments_only() {
    let mut fixture = Fixture::new("echo seen");
    fixture.request.log = LogConfig::none();
    let mut client = fixture.attach(false);
    fixture.run();
    assert_eq!(client.output().0, "seen\n");
    assert!(!fixture.directory.join("log").exists());
}

#[test]
fn a_log_is_continued_by_the_next_start() {
    let mut fixture = Fixture::new("echo again; printf unfinished");
    fixture.run();
    fixture.run();
    let lines = fixture.log_lines();
    assert_eq!(lines, ["again", "unfinished", "again", "unfinished"]);
}

#[test]
fn a_full_log_disk_stops_nobody() {
    let mut fixture = Fixture::new("seq 1 100000; echo done >&2");
    // Every write to it fails as on a full disk.
    std::os::unix::fs::symlink("/dev/full", fixture.directory.join("full")).expect("link");
    fixture.request.log = LogConfig::local(fixture.directory.join("full"));
    let mut client = fixture.attach(false);
    let connection = fixture.start();
    let (out, err) = client.output();
    assert_eq!((out.len(), err.as_str()), (588_895, "done\n"));
    eventually("the exit", || {
        connection.state().expect("state").exit.is_some()
    });
    fixture.release(&connection);
}

#[test]
fn a_user_without_privileges_can_open_its_output_anew() {
    let mut fixture = Fixture::new("echo out >/dev/stdout; echo err >/dev/stderr");
    fixture.process().user.uid = 1000;
    fixture.process().user.gid = 1000;
    fixture.process().capabilities = None;
    let mut client = fixture.attach(false);
    fixture.run();
    assert_eq!(client.output(), ("out\n".to_owned(), "err\n".to_owned()));
}
