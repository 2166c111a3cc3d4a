//! An engine that goes away, is killed, and comes back.

use std::time::Duration;

use tare_shim::client::{self, Error, ExecRequest, Incoming, stored_exit};
use tare_shim::protocol::{Event, Target};

use super::fixture::{Client, Fixture, eventually, shims, wait_for_exit};

#[test]
fn nothing_is_lost_while_the_engine_is_away() {
    let mut fixture = Fixture::new("seq 1 100000; exit 8");
    let attached = fixture.attach(false);
    let connection = fixture.start();
    // All that a killed engine held goes at once.
    drop(connection);
    drop(attached);
    let directory = fixture.shim_directory();
    eventually("the exit", || stored_exit(&directory).is_some());
    let connection = client::connect(&directory).expect("connect");
    let state = connection.state().expect("state");
    assert_eq!(state.id, fixture.id);
    assert_eq!(state.pid, None);
    let exit = state.exit.expect("the exit is kept");
    assert_eq!(exit.code, 8);
    assert_eq!(stored_exit(&directory), Some(exit));
    fixture.release(&connection);
    let expected: Vec<String> = (1..=100_000).map(|number| number.to_string()).collect();
    assert!(fixture.log_lines() == expected);
}

#[test]
fn an_engine_killed_by_signal_while_lines_are_written() {
    // A process of its own stands for the engine: it starts the container,
    // reads from it, and is killed in the middle.
    if let Some(directory) = std::env::var_os("SHIM_TEST_ENGINE") {
        let mut fixture = Fixture::adopt(directory.into(), "seq 1 100000; exit 8");
        let mut client = fixture.attach(false);
        let _connection = fixture.start();
        client.raw_until("\n5000\n");
        println!("reading");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let fixture = Fixture::new("");
    let mut engine = std::process::Command::new(std::env::current_exe().expect("test"))
        .args(["--exact", "--nocapture"])
        .arg("engine_away::an_engine_killed_by_signal_while_lines_are_written")
        .env("SHIM_TEST_ENGINE", &fixture.directory)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("spawn");
    let mut lines = std::io::BufReader::new(engine.stdout.take().expect("output"));
    let mut line = String::new();
    while !line.contains("reading") {
        line.clear();
        let length = std::io::BufRead::read_line(&mut lines, &mut line).expect("read");
        assert!(length > 0, "the engine ended");
    }
    engine.kill().expect("kill");
    engine.wait().expect("wait");
    let directory = fixture.shim_directory();
    eventually("the exit", || stored_exit(&directory).is_some());
    let connection = client::connect(&directory).expect("connect");
    assert_eq!(
        connection
            .state()
            .expect("state")
            .exit
            .map(|exit| exit.code),
        Some(8)
    );
    connection.release().expect("release");
    let expected: Vec<String> = (1..=100_000).map(|number| number.to_string()).collect();
    assert!(fixture.log_lines() == expected);
    eventually("the end of the shim", || shims(&directory).is_empty());
}

#[test]
fn who_comes_back_hears_of_what_follows() {
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    drop(fixture.start());
    let connection = client::connect(&fixture.shim_directory()).expect("connect");
    let state = connection.state().expect("state");
    assert!(state.pid.is_some() && state.exit.is_none());
    assert_eq!(connection.receive().expect("receive"), Incoming::Nothing);
    let (mut client, attachment) = Client::new(false);
    connection.attach(attachment).expect("attach");
    connection.signal(Target::Init, 9).expect("signal");
    assert_eq!(wait_for_exit(&connection, &Target::Init).code, 137);
    assert_eq!(client.raw(), b"");
    fixture.release(&connection);
    assert_eq!(
        connection.wait(Duration::from_secs(5)).expect("wait"),
        Incoming::Closed
    );
}

#[test]
fn two_engines_hear_the_same() {
    let mut fixture = Fixture::new("exit 2");
    fixture.request.open_stdin = true;
    fixture.spec.process.as_mut().expect("process").args =
        ["sh", "-c", "read x; exit 2"].map(str::to_owned).into();
    fixture.request.stdin_once = true;
    let client = fixture.attach(true);
    let first = fixture.start();
    let second = client::connect(&fixture.shim_directory()).expect("connect");
    drop(client);
    assert_eq!(wait_for_exit(&first, &Target::Init).code, 2);
    assert_eq!(wait_for_exit(&second, &Target::Init).code, 2);
    fixture.release(&second);
    assert!(matches!(first.state(), Err(Error::Ended { .. })));
}

#[test]
fn an_execs_exit_waits_for_somebody_to_tell() {
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    let connection = fixture.start();
    let mut process = fixture.process().clone();
    process.args = ["sh", "-c", "sleep 0.1; exit 11"].map(str::to_owned).into();
    let request = ExecRequest {
        exec_id: "e".to_owned(),
        process,
        terminal: false,
        size: None,
        open_stdin: false,
        attachments: Vec::new(),
    };
    connection.exec(request).expect("exec");
    drop(connection);
    std::thread::sleep(Duration::from_millis(300));
    let connection = client::connect(&fixture.shim_directory()).expect("connect");
    let execs = connection.state().expect("state").execs;
    let exit = execs[0].exit.as_ref().expect("the exit is kept");
    assert_eq!((execs[0].exec_id.as_str(), exit.code), ("e", 11));
    connection.signal(Target::Init, 9).expect("signal");
    let exit = loop {
        match connection.wait(Duration::from_secs(10)).expect("wait") {
            Incoming::Event(Event::Exited {
                target: Target::Init,
                exit,
            }) => {
                break exit;
            }
            Incoming::Closed => panic!("gone"),
            _ => {}
        }
    };
    assert_eq!(exit.code, 137);
    fixture.release(&connection);
}

#[test]
fn a_shim_without_a_request_goes_away() {
    let fixture = Fixture::new("true");
    let directory = fixture.shim_directory();
    std::fs::create_dir(&directory).expect("directory");
    let (ours, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .expect("socket pair");
    let mut shim = std::process::Command::new(super::fixture::executable())
        .arg("shim")
        .arg(&directory)
        .stdin(std::process::Stdio::from(theirs))
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("spawn");
    drop(ours);
    assert!(!shim.wait().expect("wait").success());
    assert!(!directory.exists());
}
