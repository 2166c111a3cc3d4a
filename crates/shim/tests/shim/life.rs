//! Start, signals, exit codes, errors, and what is left behind.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use tare_shim::client::{Error, stored_exit};
use tare_shim::protocol::{Reason, Target};

use super::fixture::{Fixture, PATIENCE, eventually, wait_for_exit};

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

#[test]
fn a_container_runs_and_leaves_nothing() {
    let mut fixture = Fixture::new("echo out; echo err >&2");
    let exit = fixture.run();
    assert_eq!((exit.code, exit.signal, exit.oom_killed), (0, None, false));
    let mut lines = fixture.log_lines();
    lines.sort();
    assert_eq!(lines, ["err", "out"]);
}

#[test]
fn exit_codes_are_the_programs_or_the_signals() {
    for (script, code) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 255", 255),
        ("exit 300", 44),
    ] {
        assert_eq!(Fixture::new(script).run().code, code, "{script}");
    }
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    let connection = fixture.start();
    // PID 1 has no default action for SIGTERM: nothing happens.
    connection.signal(Target::Init, SIGTERM).expect("signal");
    assert_eq!(connection.state().expect("state").exit, None);
    connection.signal(Target::Init, SIGKILL).expect("signal");
    let exit = wait_for_exit(&connection, &Target::Init);
    assert_eq!((exit.code, exit.signal), (137, Some(SIGKILL)));
    assert_eq!(connection.state().expect("state").exit, Some(exit.clone()));
    assert_eq!(stored_exit(&fixture.shim_directory()), Some(exit));
    match connection.signal(Target::Init, SIGKILL) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.reason, Reason::NotRunning),
        other => panic!("{other:?}"),
    }
    fixture.release(&connection);
}

#[test]
fn a_program_that_cannot_run_is_an_error_with_dockers_code() {
    let table: [(&str, i32, &str); 3] = [
        ("/no/such/program", 127, "/no/such/program"),
        ("nothing-in-path", 127, "nothing-in-path"),
        ("/etc/plain", 126, "/etc/plain"),
    ];
    for (program, code, word) in table {
        let mut fixture = Fixture::of(&[program]);
        fs::write(fixture.directory.join("rootfs/etc/plain"), "text").expect("write");
        match fixture.try_start() {
            Err(Error::Start(error)) => {
                assert_eq!(i32::from(error.exit_code), code, "{}", error.message);
                assert!(error.message.contains(word), "{}", error.message);
            }
            other => panic!("{program}: {other:?}"),
        }
        fixture.assert_nothing_left();
    }
}

#[test]
fn a_start_that_fails_early_leaves_nothing() {
    let mut fixture = Fixture::of(&["true"]);
    fs::remove_dir_all(fixture.directory.join("rootfs")).expect("remove");
    assert!(matches!(fixture.try_start(), Err(Error::Start(_))));
    fixture.assert_nothing_left();

    let mut fixture = Fixture::of(&["true"]);
    fixture.request.log.path = "/no/such/directory/log".into();
    match fixture.try_start() {
        Err(Error::Start(error)) => assert!(error.message.contains("log"), "{error}"),
        other => panic!("{other:?}"),
    }
    fixture.assert_nothing_left();
}

#[test]
fn release_waits_for_the_end() {
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    let connection = fixture.start();
    match connection.release() {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.reason, Reason::Running),
        other => panic!("{other:?}"),
    }
    connection.signal_all(SIGKILL).expect("signal");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

#[test]
fn everything_in_the_container_ends_with_its_init() {
    let mut fixture = Fixture::new("sleep 1000 & sleep 1001 & exit 3");
    assert_eq!(fixture.run().code, 3);
}

#[test]
fn held_descriptors_are_held_until_the_end() {
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    let path = fixture.directory.join("held.sock");
    let listener = UnixListener::bind(&path).expect("bind");
    // As many as a range of published ports has: more than one packet carries.
    for _ in 0..300 {
        let copy = listener.try_clone().expect("clone");
        fixture.request.held.push(OwnedFd::from(copy));
    }
    drop(listener);
    let connection = fixture.start();
    std::os::unix::net::UnixStream::connect(&path).expect("somebody listens");
    connection.signal(Target::Init, SIGKILL).expect("signal");
    wait_for_exit(&connection, &Target::Init);
    std::os::unix::net::UnixStream::connect(&path).expect_err("nobody listens");
    fixture.release(&connection);
}

#[test]
fn a_paused_container_stands_still() {
    let mut fixture = Fixture::new("while :; do echo tick; sleep 0.01; done");
    let connection = fixture.start();
    eventually("a tick", || !fixture.log_lines().is_empty());
    connection.pause().expect("pause");
    assert!(connection.state().expect("state").paused);
    // What was said before may still be on its way to the log.
    let mut before = fixture.log_lines().len();
    eventually("the ticks to stop", || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let now = fixture.log_lines().len();
        std::mem::replace(&mut before, now) == now
    });
    connection.resume().expect("resume");
    eventually("more ticks", || fixture.log_lines().len() > before);
    connection.signal(Target::Init, SIGKILL).expect("signal");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

#[test]
fn the_shims_own_signals_do_not_end_it() {
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    let connection = fixture.start();
    let [shim] = super::fixture::shims(&fixture.shim_directory())[..] else {
        panic!("one shim");
    };
    for signal in [
        rustix::process::Signal::HUP,
        rustix::process::Signal::INT,
        rustix::process::Signal::TERM,
        rustix::process::Signal::PIPE,
    ] {
        rustix::process::kill_process(shim, signal).expect("kill");
    }
    assert!(connection.state().expect("state").pid.is_some());
    // The container has the default for them: its shell dies of SIGHUP.
    let mut other = Fixture::new("sh -c 'kill -1 $$' 2>/dev/null; echo $?");
    other.run();
    assert_eq!(other.log_lines(), ["129"]);
    connection.signal(Target::Init, SIGKILL).expect("signal");
    connection.wait(PATIENCE).expect("wait");
    eventually("the exit", || {
        connection.state().expect("state").exit.is_some()
    });
    fixture.release(&connection);
}

#[test]
fn memory_that_ran_out_is_reported() {
    let mut fixture = Fixture::new("x=a; while :; do x=$x$x; done");
    let memory = tare_oci::runtime::Memory {
        limit: Some(16 << 20),
        swap: Some(16 << 20),
        ..Default::default()
    };
    let linux = fixture.spec.linux.as_mut().expect("linux");
    linux.resources.as_mut().expect("resources").memory = Some(memory);
    let exit = fixture.run();
    assert_eq!((exit.code, exit.oom_killed), (137, true));
}
