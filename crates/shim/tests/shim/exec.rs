//! Further processes in a running container.

use tare_oci::runtime::Process;
use tare_shim::client::{Connection, Error, ExecRequest};
use tare_shim::protocol::{Reason, Started, Target, TerminalSize};

use super::fixture::{Client, Fixture, eventually, wait_for_exit};

struct Running {
    fixture: Fixture,
    connection: Connection,
}

impl Running {
    fn new() -> Running {
        let mut fixture = Fixture::of(&["sleep", "1000"]);
        let connection = fixture.start();
        Running {
            fixture,
            connection,
        }
    }

    fn request(&mut self, id: &str, script: &str) -> ExecRequest {
        ExecRequest {
            exec_id: id.to_owned(),
            process: Process {
                args: ["sh", "-c", script].map(str::to_owned).into(),
                ..self.fixture.process().clone()
            },
            terminal: false,
            size: None,
            open_stdin: false,
            attachments: Vec::new(),
        }
    }

    /// Runs a script with a client attached.
    fn exec(&mut self, id: &str, script: &str) -> (Client, Started) {
        let (client, attachment) = Client::new(false);
        let mut request = self.request(id, script);
        request.attachments.push(attachment);
        let started = self.connection.exec(request).expect("exec");
        (client, started)
    }

    fn exit(&self, id: &str) -> u8 {
        wait_for_exit(&self.connection, &Target::Exec(id.to_owned())).code
    }

    fn end(self) {
        self.connection.signal(Target::Init, 9).expect("signal");
        wait_for_exit(&self.connection, &Target::Init);
        self.fixture.release(&self.connection);
    }
}

#[test]
fn output_and_exit_code_come_back() {
    let mut running = Running::new();
    let (mut client, started) = running.exec("a", "echo out; echo err >&2; exit 5");
    assert!(started.pid > 1);
    assert_eq!(client.output(), ("out\n".to_owned(), "err\n".to_owned()));
    assert_eq!(running.exit("a"), 5);
    // Told and ended, it is forgotten.
    assert_eq!(running.connection.state().expect("state").execs, []);
    running.end();
}

#[test]
fn many_run_at_once_and_do_not_mix() {
    let mut running = Running::new();
    let mut clients: Vec<_> = (0..10)
        .map(|number| {
            running
                .exec(&format!("e{number}"), &format!("seq {number} 5000"))
                .0
        })
        .collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let expected: String = (number..=5000).map(|line| format!("{line}\n")).collect();
        assert!(client.output().0 == expected, "exec {number}");
    }
    running.end();
}

#[test]
fn the_end_of_input_ends_a_filter() {
    let mut running = Running::new();
    let (mut client, attachment) = Client::new(true);
    let mut request = running.request("cat", "cat; echo end");
    request.open_stdin = true;
    request.attachments.push(attachment);
    running.connection.exec(request).expect("exec");
    client.write(b"text\n");
    client.end_input();
    assert_eq!(client.output().0, "text\nend\n");
    assert_eq!(running.exit("cat"), 0);
    running.end();
}

#[test]
fn a_program_that_cannot_run_is_an_error_with_dockers_code() {
    let mut running = Running::new();
    for (program, code) in [("/no/such/program", 127), ("nothing", 127), ("/etc", 126)] {
        let mut request = running.request("x", "");
        request.process.args = vec![program.to_owned()];
        match running.connection.exec(request) {
            Err(Error::Start(error)) => {
                assert_eq!(i32::from(error.exit_code), code, "{}", error.message);
                assert!(error.message.contains(program), "{}", error.message);
            }
            other => panic!("{program}: {other:?}"),
        }
    }
    let (mut client, _) = running.exec("x", "echo the ID is free still");
    assert_eq!(client.output().0, "the ID is free still\n");
    running.end();
}

#[test]
fn a_background_child_keeps_the_stream_but_not_the_exit() {
    let mut running = Running::new();
    let (mut client, _) = running.exec("b", "(sleep 0.5; echo late) & echo now; exit 6");
    assert_eq!(running.exit("b"), 6);
    assert_eq!(client.output().0, "now\nlate\n");
    running.end();
}

#[test]
fn a_terminal_of_its_own() {
    let mut running = Running::new();
    let (mut client, attachment) = Client::new(true);
    let mut request = running.request("t", "stty size; read x; stty size; exit 9");
    request.terminal = true;
    request.open_stdin = true;
    request.size = Some(TerminalSize {
        height: 21,
        width: 81,
    });
    request.attachments.push(attachment);
    running.connection.exec(request).expect("exec");
    client.raw_until("21 81");
    let target = Target::Exec("t".to_owned());
    let size = TerminalSize {
        height: 22,
        width: 82,
    };
    running.connection.resize(target, size).expect("resize");
    client.write(b"\n");
    client.raw_until("22 82");
    assert_eq!(running.exit("t"), 9);
    running.end();
}

#[test]
fn signals_reach_the_exec_alone() {
    let mut running = Running::new();
    running.exec("s", "sleep 1000");
    let target = Target::Exec("s".to_owned());
    let again = running.request("s", "true");
    match running.connection.exec(again) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.reason, Reason::Exists),
        other => panic!("{other:?}"),
    }
    running.connection.signal(target, 15).expect("signal");
    assert_eq!(running.exit("s"), 128 + 15);
    assert_eq!(running.connection.state().expect("state").exit, None);
    running.end();
}

#[test]
fn execs_end_with_the_container() {
    let mut running = Running::new();
    let (mut client, _) = running.exec("e", "echo up; sleep 1000");
    client.raw_until("up");
    running.connection.signal(Target::Init, 9).expect("signal");
    assert_eq!(running.exit("e"), 137);
    wait_for_exit(&running.connection, &Target::Init);
    assert_eq!(client.raw(), b"");
    let late = running.request("late", "true");
    match running.connection.exec(late) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.reason, Reason::NotRunning),
        other => panic!("{other:?}"),
    }
    running.fixture.release(&running.connection);
}

#[test]
fn one_without_attachments_runs_unseen() {
    let mut running = Running::new();
    let request = running.request("d", "echo unseen; echo x >/tmp/made");
    running.connection.exec(request).expect("exec");
    assert_eq!(running.exit("d"), 0);
    let made = running.fixture.directory.join("upper/tmp/made");
    eventually("the file", || made.exists());
    assert_eq!(running.fixture.log_lines(), Vec::<String>::new());
    running.end();
}
