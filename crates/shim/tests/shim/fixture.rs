//! A container for a test: a root file system of busybox, a configuration, a
//! directory of its own, and a look at what is left behind.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tare_oci::runtime::{Process, Spec};
use tare_shim::client::{Attachment, Connection, Error, Incoming, StartRequest};
use tare_shim::log::{LogConfig, Next, ReadOptions, Reader};
use tare_shim::protocol::{Event, Exit, Rootfs, Started, Target, TerminalSize};

mod client;
mod image;
mod left;

pub(crate) use client::{Client, demultiplex};
pub(crate) use left::{cgroups, shims};

/// Nothing here takes longer unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A container that is described but not started.
pub(crate) struct Fixture {
    pub(crate) id: String,
    pub(crate) directory: PathBuf,
    pub(crate) spec: Spec,
    pub(crate) request: Options,
}

/// What differs between tests beside the configuration.
pub(crate) struct Options {
    pub(crate) terminal: bool,
    pub(crate) open_stdin: bool,
    pub(crate) stdin_once: bool,
    pub(crate) size: Option<TerminalSize>,
    pub(crate) log: LogConfig,
    pub(crate) init: bool,
    pub(crate) held: Vec<OwnedFd>,
    pub(crate) attachments: Vec<Attachment>,
}

impl Fixture {
    /// A container that runs a shell script.
    pub(crate) fn new(script: &str) -> Fixture {
        Fixture::of(&["sh", "-c", script])
    }

    /// A container that runs a program.
    pub(crate) fn of(arguments: &[&str]) -> Fixture {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("shim-test-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(format!("tare-{id}"));
        Fixture::in_directory(id, directory, arguments)
    }

    fn in_directory(id: String, directory: PathBuf, arguments: &[&str]) -> Fixture {
        for name in ["rootfs", "upper", "work"] {
            fs::create_dir_all(directory.join(name)).expect("directory");
        }
        image::make_rootfs(&directory.join("rootfs"));
        Fixture {
            spec: image::spec(&id, arguments),
            request: Options {
                terminal: false,
                open_stdin: false,
                stdin_once: false,
                log: LogConfig::local(directory.join("log")),
                init: false,
                size: None,
                held: Vec::new(),
                attachments: Vec::new(),
            },
            id,
            directory,
        }
    }

    /// A container in the directory of another fixture, under its name.
    pub(crate) fn adopt(directory: PathBuf, script: &str) -> Fixture {
        let name = directory.file_name().and_then(|name| name.to_str());
        let id = name.expect("a name").trim_start_matches("tare-").to_owned();
        Fixture::in_directory(id, directory, &["sh", "-c", script])
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        self.spec.process.as_mut().expect("process")
    }

    pub(crate) fn shim_directory(&self) -> PathBuf {
        self.directory.join("shim")
    }

    /// Attaches a client before the start.
    pub(crate) fn attach(&mut self, stdin: bool) -> Client {
        let (client, attachment) = Client::new(stdin);
        self.request.attachments.push(attachment);
        client
    }

    pub(crate) fn try_start(&mut self) -> Result<(Connection, Started), Error> {
        let request = StartRequest {
            id: self.id.clone(),
            spec: self.spec.clone(),
            rootfs: Rootfs::Overlay {
                lower: vec![self.directory.join("rootfs")],
                upper: self.directory.join("upper"),
                work: self.directory.join("work"),
                volatile: false,
            },
            namespaces: Vec::new(),
            held: std::mem::take(&mut self.request.held),
            terminal: self.request.terminal,
            size: self.request.size,
            open_stdin: self.request.open_stdin,
            stdin_once: self.request.stdin_once,
            log: self.request.log.clone(),
            init: self
                .request
                .init
                .then(|| PathBuf::from(env!("CARGO_BIN_EXE_tare-shim"))),
            attachments: std::mem::take(&mut self.request.attachments),
        };
        tare_shim::client::spawn(&executable(), &self.shim_directory(), request)
    }

    pub(crate) fn start(&mut self) -> Connection {
        self.try_start().expect("start").0
    }

    /// Starts, waits for the end, releases, and checks that nothing is left.
    pub(crate) fn run(&mut self) -> Exit {
        let connection = self.start();
        let exit = wait_for_exit(&connection, &Target::Init);
        self.release(&connection);
        exit
    }

    /// Releases the shim and checks that nothing is left.
    pub(crate) fn release(&self, connection: &Connection) {
        connection.release().expect("release");
        self.assert_nothing_left();
    }

    pub(crate) fn assert_nothing_left(&self) {
        assert!(
            !self.shim_directory().exists(),
            "the shim's directory is left"
        );
        let left = cgroups(&self.id);
        assert!(left.is_empty(), "control groups are left: {left:?}");
        let deadline = Instant::now() + Duration::from_secs(2);
        while !shims(&self.shim_directory()).is_empty() {
            assert!(Instant::now() < deadline, "a shim is left");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The log's lines.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        let options = ReadOptions::default();
        let mut reader = Reader::open(self.request.log.clone(), options).expect("open the log");
        let mut lines = Vec::new();
        loop {
            match reader.next().expect("read the log") {
                Next::Record(record) => {
                    lines.push(String::from_utf8_lossy(record.bytes).into_owned());
                }
                Next::Wait | Next::End => return lines,
            }
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Of a test that failed.
        for pid in shims(&self.shim_directory()) {
            if let Ok(connection) = tare_shim::client::connect(&self.shim_directory()) {
                let _ = connection.signal_all(9);
            }
            std::thread::sleep(Duration::from_millis(50));
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Waits for the exit of one process; exits of others are passed over.
pub(crate) fn wait_for_exit(connection: &Connection, wanted: &Target) -> Exit {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match connection.wait(PATIENCE).expect("wait") {
            Incoming::Event(Event::Exited { target, exit }) if target == *wanted => return exit,
            Incoming::Event(_) | Incoming::Nothing => {}
            Incoming::Closed => panic!("the shim is gone"),
        }
    }
    panic!("{wanted:?} did not end");
}

/// Waits until something is true.
pub(crate) fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The shim as an executable of its own.
pub(crate) fn executable() -> PathBuf {
    env!("CARGO_BIN_EXE_tare-shim").into()
}
