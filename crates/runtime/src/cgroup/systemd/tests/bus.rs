//! A connection to a bus of our own that plays systemd.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::address::Address;
use super::super::connection::Connection;
use super::super::message::{Kind, Message, PREFIX};
use super::super::value::Value;
use super::super::{Error, PATIENCE};

/// What the bus does with a call: the messages that it answers with.
type Answer = fn(&Message) -> Vec<Message>;

struct Bus {
    path: PathBuf,
    thread: JoinHandle<Vec<String>>,
}

impl Bus {
    /// A bus for one connection; the thread's result are the calls it got.
    fn start(name: &str, answer: Answer) -> Bus {
        let path = std::env::temp_dir().join(format!("tare-bus-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            serve(stream, answer)
        });
        Bus { path, thread }
    }

    fn connect(&self, deadline: Instant) -> Result<Connection, Error> {
        Connection::to(&[Address::Bus(self.path.clone())], "do it", deadline)
    }

    /// The calls that came, after the connection has been closed.
    fn calls(self) -> Vec<String> {
        let calls = self.thread.join().expect("the bus");
        std::fs::remove_file(&self.path).expect("the socket");
        calls
    }
}

fn serve(mut stream: UnixStream, answer: Answer) -> Vec<String> {
    let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
    let mut zero = [1];
    reader.read_exact(&mut zero).expect("credentials");
    assert_eq!(zero, [0]);
    for (expected, reply) in [
        ("AUTH EXTERNAL\r\n", "DATA\r\n"),
        ("DATA\r\n", "OK 0123\r\n"),
        ("BEGIN\r\n", ""),
    ] {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        assert_eq!(line, expected);
        stream.write_all(reply.as_bytes()).expect("a reply");
    }
    let mut calls = Vec::new();
    loop {
        let mut prefix = [0; PREFIX];
        if reader.read_exact(&mut prefix).is_err() {
            return calls;
        }
        let length = Message::length(&prefix).expect("a message");
        let mut bytes = vec![0; length];
        bytes[..PREFIX].copy_from_slice(&prefix);
        reader.read_exact(&mut bytes[PREFIX..]).expect("a message");
        let call = Message::decode(&bytes).expect("valid").expect("known");
        calls.push(format!("{} {}", call.interface, call.member));
        for message in answer(&call) {
            // Whoever is too late does not read it.
            let _ = stream.write_all(&message.encode());
        }
    }
}

fn reply(call: &Message, body: Vec<Value>) -> Message {
    let mut message = Message::new(Kind::Return);
    message.serial = 1;
    message.answers = call.serial;
    message.body = body;
    message
}

fn removed(job: &str, result: &str) -> Message {
    let mut message = Message::new(Kind::Signal);
    message.serial = 1;
    message.path = "/org/freedesktop/systemd1".to_owned();
    message.interface = "org.freedesktop.systemd1.Manager".to_owned();
    message.member = "JobRemoved".to_owned();
    message.body = vec![
        Value::Uint32(1),
        Value::Path(job.to_owned()),
        Value::string("x.scope"),
        Value::string(result),
    ];
    message
}

/// As systemd; the job's end may be told before the call is answered, and
/// other jobs' ends come between.
fn obliging(call: &Message) -> Vec<Message> {
    let job = Value::Path("/job/1".to_owned());
    match call.member.as_str() {
        "StartTransientUnit" => vec![
            removed("/job/9", "failed"),
            reply(call, vec![job]),
            removed("/job/8", "canceled"),
            removed("/job/1", "done"),
        ],
        "StopUnit" => vec![removed("/job/1", "done"), reply(call, vec![job])],
        "Get" => vec![reply(
            call,
            vec![Value::Variant(Box::new(Value::string("/user.slice")))],
        )],
        "SetUnitProperties" => {
            let mut refusal = Message::new(Kind::Error);
            refusal.serial = 1;
            refusal.answers = call.serial;
            refusal.error = "org.freedesktop.DBus.Error.AccessDenied".to_owned();
            refusal.body = vec![Value::string("Not for you")];
            vec![refusal]
        }
        _ => vec![reply(call, vec![])],
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(PATIENCE)
}

#[test]
fn a_job_is_waited_for_until_its_own_end() {
    let bus = Bus::start("job", obliging);
    let mut connection = bus.connect(soon()).expect("connects");
    let start = connection.job("StartTransientUnit", vec![Value::string("x.scope")]);
    assert_eq!(start.expect("a result"), "done");
    assert_eq!(
        connection.job("StopUnit", vec![]).expect("a result"),
        "done"
    );
    assert_eq!(
        connection.manager_property("ControlGroup").expect("a text"),
        "/user.slice"
    );
    let error = connection.manager("SetUnitProperties", vec![]);
    assert_eq!(
        error.expect_err("refused").to_string(),
        "systemd did not do it: Not for you"
    );
    drop(connection);
    let calls = bus.calls();
    assert_eq!(calls[0], "org.freedesktop.DBus Hello");
    assert_eq!(calls[1], "org.freedesktop.DBus AddMatch");
    assert!(calls.contains(&"org.freedesktop.systemd1.Manager Subscribe".to_owned()));
}

#[test]
fn a_silent_systemd_is_not_waited_for_without_end() {
    let silent = |call: &Message| match call.member.as_str() {
        "StartTransientUnit" => vec![reply(call, vec![Value::Path("/job/1".to_owned())])],
        _ => vec![reply(call, vec![])],
    };
    let bus = Bus::start("silent", silent);
    let deadline = Instant::now() + Duration::from_millis(200);
    let mut connection = bus.connect(deadline).expect("connects");
    let error = connection
        .job("StartTransientUnit", vec![])
        .expect_err("too late");
    assert_eq!(error.to_string(), "systemd did not do it in 30 s");
    drop(connection);
    bus.calls();
}

#[test]
fn a_bus_that_ends_or_is_none_is_an_error() {
    let address = Address::Bus(std::env::temp_dir().join("tare-no-such-bus"));
    let error = match Connection::to(&[address], "do it", soon()) {
        Ok(_) => panic!("connects"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("cgroupsPath"), "{error}");
    let path = std::env::temp_dir().join(format!("tare-bus-{}-end", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a socket");
    let thread = std::thread::spawn(move || drop(listener.accept()));
    let result = Connection::to(&[Address::Bus(path.clone())], "do it", soon());
    thread.join().expect("the bus");
    std::fs::remove_file(path).expect("the socket");
    assert!(matches!(result, Err(Error::Protocol(_))));
}
