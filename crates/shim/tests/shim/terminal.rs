//! Containers with a terminal.

use tare_shim::client::Error;
use tare_shim::protocol::{Reason, Target, TerminalSize};

use super::fixture::{Fixture, wait_for_exit};

fn terminal(script: &str) -> Fixture {
    let mut fixture = Fixture::new(script);
    fixture.request.terminal = true;
    fixture.request.open_stdin = true;
    fixture.request.stdin_once = true;
    fixture
}

#[test]
fn output_is_raw_and_both_streams_are_one() {
    let mut fixture = terminal("test -t 0 && test -t 1 && test -t 2 && echo yes; echo err >&2");
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    assert_eq!(client.raw(), b"yes\r\nerr\r\n");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
    assert_eq!(fixture.log_lines(), ["yes\r", "err\r"]);
}

#[test]
fn the_size_is_set_at_the_start_and_changes() {
    let mut fixture =
        terminal("trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.01; done");
    fixture.request.size = Some(TerminalSize {
        height: 33,
        width: 101,
    });
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    client.raw_until("33 101");
    let size = TerminalSize {
        height: 44,
        width: 122,
    };
    connection.resize(Target::Init, size).expect("resize");
    client.raw_until("44 122");
    wait_for_exit(&connection, &Target::Init);
    match connection.resize(Target::Exec("none".to_owned()), size) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.reason, Reason::NotFound),
        other => panic!("{other:?}"),
    }
    fixture.release(&connection);
}

#[test]
fn what_is_typed_arrives_and_interrupts() {
    let mut fixture = terminal(
        "echo ready; read line; echo got $line; trap 'echo caught; exit 7' INT; echo set; while :; do sleep 0.01; done",
    );
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    client.raw_until("ready");
    client.write(b"hello\n");
    client.raw_until("set");
    client.write(b"\x03");
    client.raw_until("caught");
    assert_eq!(wait_for_exit(&connection, &Target::Init).code, 7);
    fixture.release(&connection);
}

#[test]
fn a_terminal_that_is_closed_and_opened_again_goes_on() {
    let mut fixture = terminal("exec <&- >&- 2>&-; sleep 0.2; exec >/dev/console; echo back");
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    assert_eq!(client.raw(), b"back\r\n");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

#[test]
fn a_client_can_leave_and_the_container_stays() {
    let mut fixture = terminal("read line; echo got $line");
    let client = fixture.attach(true);
    let connection = fixture.start();
    drop(client);
    let (mut next, attachment) = super::fixture::Client::new(true);
    connection.attach(attachment).expect("attach");
    next.write(b"you\n");
    next.raw_until("got you");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

#[test]
fn a_process_without_terminal_has_no_size() {
    let mut fixture = Fixture::of(&["sleep", "1000"]);
    let connection = fixture.start();
    let size = TerminalSize {
        height: 1,
        width: 1,
    };
    match connection.resize(Target::Init, size) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.reason, Reason::NoTerminal),
        other => panic!("{other:?}"),
    }
    connection.signal(Target::Init, 9).expect("signal");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}
