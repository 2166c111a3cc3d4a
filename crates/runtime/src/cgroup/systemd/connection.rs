//! A connection to systemd, directly or over a bus.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::address::{self, Address};
use super::authentication;
use super::message::{Kind, Message, PREFIX};
use super::value::Value;
use super::{Error, PATIENCE};

const BUS: &str = "org.freedesktop.DBus";
const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Most signals that are kept while an answer is waited for.
const MAXIMUM_WAITING: usize = 4096;

pub(super) struct Connection {
    stream: UnixStream,
    serial: u32,
    is_direct: bool,
    /// Signals that came while something else was waited for.
    signals: VecDeque<Message>,
    /// When all has to be over.
    deadline: Instant,
    /// What is being done, for the error.
    operation: String,
}

impl Connection {
    /// Connects to the system's or the user's systemd. Everything that is done
    /// over the connection has to be over in half a minute.
    pub(super) fn open(rootless: bool, operation: &str) -> Result<Connection, Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let user = rustix::process::geteuid().as_raw();
        let addresses = address::candidates(rootless, &variable, user);
        let deadline = Instant::now() + Duration::from_secs(PATIENCE);
        Connection::to(&addresses, operation, deadline)
    }

    /// Connects to the first of the addresses that listens.
    pub(super) fn to(
        addresses: &[Address],
        operation: &str,
        deadline: Instant,
    ) -> Result<Connection, Error> {
        let mut failures = Vec::new();
        for address in addresses {
            match connect(address, deadline) {
                Ok(stream) => {
                    let mut connection = Connection {
                        stream,
                        serial: 0,
                        is_direct: matches!(address, Address::Direct(_)),
                        signals: VecDeque::new(),
                        deadline,
                        operation: operation.to_owned(),
                    };
                    connection.begin()?;
                    return Ok(connection);
                }
                Err(error) => failures.push(format!("{}: {error}", address.describe())),
            }
        }
        if failures.is_empty() {
            failures.push("no address is known".to_owned());
        }
        Err(Error::NoBus(failures.join("; ")))
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.send(authentication::ALL)?;
        loop {
            let line = self.line()?;
            if authentication::is_done(&line)? {
                break;
            }
        }
        if !self.is_direct {
            let mut hello = Message::new(Kind::Call);
            hello.destination = BUS.to_owned();
            hello.path = "/org/freedesktop/DBus".to_owned();
            hello.interface = BUS.to_owned();
            hello.member = "Hello".to_owned();
            self.call(hello)?;
        }
        Ok(())
    }

    /// Asks to be told when jobs end.
    pub(super) fn subscribe(&mut self) -> Result<(), Error> {
        if self.is_direct {
            // systemd tells everybody who is connected to it directly.
            return Ok(());
        }
        let mut add = Message::new(Kind::Call);
        add.destination = BUS.to_owned();
        add.path = "/org/freedesktop/DBus".to_owned();
        add.interface = BUS.to_owned();
        add.member = "AddMatch".to_owned();
        add.body = vec![Value::string(format!(
            "type='signal',interface='{MANAGER}',member='JobRemoved'"
        ))];
        self.call(add)?;
        self.manager("Subscribe", Vec::new()).map(drop)
    }

    /// Calls a method of systemd's manager.
    pub(super) fn manager(&mut self, member: &str, body: Vec<Value>) -> Result<Vec<Value>, Error> {
        let mut call = Message::new(Kind::Call);
        call.destination = SYSTEMD.to_owned();
        call.path = MANAGER_PATH.to_owned();
        call.interface = MANAGER.to_owned();
        call.member = member.to_owned();
        call.body = body;
        self.call(call)
    }

    /// A property of systemd's manager that is a text.
    pub(super) fn manager_property(&mut self, property: &str) -> Result<String, Error> {
        let mut call = Message::new(Kind::Call);
        call.destination = SYSTEMD.to_owned();
        call.path = MANAGER_PATH.to_owned();
        call.interface = "org.freedesktop.DBus.Properties".to_owned();
        call.member = "Get".to_owned();
        call.body = vec![Value::string(MANAGER), Value::string(property)];
        let answer = self.call(call)?;
        answer
            .first()
            .and_then(Value::text)
            .map(str::to_owned)
            .ok_or_else(|| Error::Protocol(format!("{property} is no text")))
    }

    /// Calls a method that starts a job, and waits for the job's end; returns
    /// its result.
    pub(super) fn job(&mut self, member: &str, body: Vec<Value>) -> Result<String, Error> {
        self.subscribe()?;
        let answer = self.manager(member, body)?;
        let job = answer
            .first()
            .and_then(Value::text)
            .ok_or_else(|| Error::Protocol(format!("{member} returned no job")))?
            .to_owned();
        loop {
            let signal = match self.signals.pop_front() {
                Some(signal) => signal,
                None => match self.receive()? {
                    Some(message) if message.kind == Kind::Signal => message,
                    _ => continue,
                },
            };
            if signal.interface != MANAGER || signal.member != "JobRemoved" {
                continue;
            }
            if let [_, path, _, result] = signal.body.as_slice()
                && path.text() == Some(&job)
            {
                return Ok(result.text().unwrap_or_default().to_owned());
            }
        }
    }

    fn call(&mut self, mut message: Message) -> Result<Vec<Value>, Error> {
        self.serial += 1;
        message.serial = self.serial;
        self.send(&message.encode())?;
        loop {
            let Some(answer) = self.receive()? else {
                continue;
            };
            match answer.kind {
                Kind::Return if answer.answers == self.serial => return Ok(answer.body),
                Kind::Error if answer.answers == self.serial => {
                    let text = answer.body.first().and_then(Value::text);
                    return Err(Error::Refused {
                        operation: self.operation.clone(),
                        message: text.unwrap_or(&answer.error).to_owned(),
                        name: answer.error,
                    });
                }
                Kind::Signal if self.signals.len() < MAXIMUM_WAITING => {
                    self.signals.push_back(answer);
                }
                _ => {}
            }
        }
    }

    fn late(&self) -> Error {
        Error::Late {
            operation: self.operation.clone(),
        }
    }

    fn left(&self) -> Result<Duration, Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.late());
        }
        Ok(left)
    }

    fn failed(&self, error: std::io::Error) -> Error {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.late(),
            _ => Error::Protocol(error.to_string()),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let left = self.left()?;
        self.stream
            .set_write_timeout(Some(left))
            .and_then(|()| self.stream.write_all(bytes))
            .map_err(|error| self.failed(error))
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        let mut done = 0;
        while done < bytes.len() {
            let left = self.left()?;
            let result = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(&mut bytes[done..]));
            match result {
                Ok(0) => return Err(Error::Protocol("it was closed".to_owned())),
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    /// A line of the conversation before the first message. Byte by byte: what
    /// follows is a message.
    fn line(&mut self) -> Result<String, Error> {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            self.read(&mut byte)?;
            line.extend_from_slice(&byte);
            if let Some(text) = line.strip_suffix(b"\r\n") {
                return Ok(String::from_utf8_lossy(text).into_owned());
            }
            if line.len() > authentication::MAXIMUM_LINE {
                return Err(Error::Protocol("its answer does not end".to_owned()));
            }
        }
    }

    /// The next message; `None` for one that is to be ignored.
    fn receive(&mut self) -> Result<Option<Message>, Error> {
        let malformed = || Error::Protocol("a message is malformed or too long".to_owned());
        let mut prefix = [0; PREFIX];
        self.read(&mut prefix)?;
        let length = Message::length(&prefix).ok_or_else(malformed)?;
        let mut bytes = vec![0; length];
        bytes[..PREFIX].copy_from_slice(&prefix);
        self.read(&mut bytes[PREFIX..])?;
        Message::decode(&bytes).map_err(|()| malformed())
    }
}

/// Connects without waiting for longer than until the deadline: a socket whose
/// queue is full would block for good.
fn connect(address: &Address, deadline: Instant) -> std::io::Result<UnixStream> {
    let target = match address {
        Address::Bus(path) | Address::Direct(path) => SocketAddrUnix::new(path)?,
        Address::AbstractBus(name) => SocketAddrUnix::new_abstract_name(name)?,
    };
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    loop {
        match rustix::net::connect(&socket, &target) {
            Ok(()) => break,
            Err(Errno::AGAIN) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}
