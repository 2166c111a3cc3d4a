//! A container for a test: a root file system of busybox, a configuration, a
//! directory of its own, and a look at what is left behind.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tare_oci::runtime::{
    Capabilities, Linux, Mount, Namespace, NamespaceKind, Process, Resources, Root, Spec,
};
use tare_shim::client::{self, Attachment, Connection, Error, Incoming, StartRequest};
use tare_shim::log::{LogConfig, Next, ReadOptions, Reader};
use tare_shim::protocol::{Event, Exit, Rootfs, Started, Target, TerminalSize};

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
        make_rootfs(&directory.join("rootfs"));
        Fixture {
            spec: spec(&id, arguments),
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
            init: self.request.init,
            attachments: std::mem::take(&mut self.request.attachments),
        };
        client::spawn(&executable(), &self.shim_directory(), request)
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
            if let Ok(connection) = client::connect(&self.shim_directory()) {
                let _ = connection.signal_all(9);
            }
            std::thread::sleep(Duration::from_millis(50));
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The other end of an attachment.
pub(crate) struct Client {
    pub(crate) stream: UnixStream,
}

impl Client {
    pub(crate) fn new(stdin: bool) -> (Client, Attachment) {
        let (ours, theirs) = UnixStream::pair().expect("socket pair");
        ours.set_read_timeout(Some(PATIENCE)).expect("timeout");
        ours.set_write_timeout(Some(PATIENCE)).expect("timeout");
        let attachment = Attachment {
            stream: theirs.into(),
            stdin,
            stdout: true,
            stderr: true,
        };
        (Client { stream: ours }, attachment)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("write");
    }

    /// Says that no more input comes.
    pub(crate) fn end_input(&self) {
        self.stream.shutdown(Shutdown::Write).expect("shutdown");
    }

    /// Everything until the end of the stream, as it came.
    pub(crate) fn raw(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).expect("read");
        bytes
    }

    /// Everything until the end of the stream: standard output and error.
    pub(crate) fn output(&mut self) -> (String, String) {
        demultiplex(&self.raw())
    }

    /// Reads until the text has come.
    pub(crate) fn raw_until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(text) {
            let length = self.stream.read(&mut buffer).expect("read");
            assert!(
                length > 0,
                "the stream ended: {}",
                String::from_utf8_lossy(&seen)
            );
            seen.extend_from_slice(&buffer[..length]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }
}

/// Takes Docker's frames apart.
pub(crate) fn demultiplex(mut bytes: &[u8]) -> (String, String) {
    let mut streams = [Vec::new(), Vec::new()];
    while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        assert!(
            matches!(header[0], 1 | 2) && header[1..4] == [0; 3],
            "{header:?}"
        );
        assert!(rest.len() >= length, "a frame is cut off");
        streams[usize::from(header[0]) - 1].extend_from_slice(&rest[..length]);
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "a header is cut off");
    streams
        .map(|stream| String::from_utf8(stream).expect("UTF-8"))
        .into()
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

/// The shims whose argument is this directory, zombies left out.
pub(crate) fn shims(directory: &Path) -> Vec<rustix::process::Pid> {
    let wanted = directory.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        if words.any(|word| word == wanted) {
            found.extend(rustix::process::Pid::from_raw(pid));
        }
    }
    found
}

/// Control groups with this name, wherever they are mounted.
pub(crate) fn cgroups(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut look = vec![(PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((directory, depth)) = look.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name() == name {
                    found.push(entry.path());
                }
                if depth < 3 {
                    look.push((entry.path(), depth + 1));
                }
            }
        }
    }
    found
}

/// The shim as an executable of its own.
pub(crate) fn executable() -> PathBuf {
    env!("CARGO_BIN_EXE_tare-shim").into()
}

fn make_rootfs(root: &Path) {
    for name in ["bin", "proc", "sys", "dev", "tmp", "etc"] {
        fs::create_dir_all(root.join(name)).expect("directory");
    }
    let busybox = root.join("bin/busybox");
    if !busybox.exists() {
        fs::copy("/bin/busybox", &busybox).expect("busybox (Debian's busybox-static) is needed");
    }
    for name in [
        "sh", "cat", "echo", "sleep", "seq", "true", "false", "dd", "kill", "stty", "head", "wc",
        "tail",
    ] {
        let link = root.join("bin").join(name);
        if !link.exists() && fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink("busybox", link).expect("link");
        }
    }
}

fn spec(id: &str, arguments: &[&str]) -> Spec {
    let capabilities: Vec<String> = ["CAP_KILL", "CAP_CHOWN", "CAP_DAC_OVERRIDE"]
        .map(str::to_owned)
        .into();
    Spec {
        version: tare_oci::runtime::VERSION.to_owned(),
        process: Some(Process {
            args: arguments.iter().map(|word| (*word).to_owned()).collect(),
            env: vec!["PATH=/bin".to_owned()],
            cwd: "/".to_owned(),
            capabilities: Some(Capabilities {
                bounding: capabilities.clone(),
                effective: capabilities.clone(),
                permitted: capabilities,
                ..Capabilities::default()
            }),
            ..Process::default()
        }),
        root: Some(Root {
            path: "rootfs".to_owned(),
            readonly: false,
        }),
        hostname: Some("shim-test".to_owned()),
        mounts: vec![
            mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount(
                "/dev",
                "tmpfs",
                "tmpfs",
                &["nosuid", "strictatime", "mode=755", "size=65536k"],
            ),
            mount(
                "/dev/pts",
                "devpts",
                "devpts",
                &[
                    "nosuid",
                    "noexec",
                    "newinstance",
                    "ptmxmode=0666",
                    "mode=0620",
                    "gid=5",
                ],
            ),
        ],
        linux: Some(Linux {
            namespaces: [
                NamespaceKind::Pid,
                NamespaceKind::Mount,
                NamespaceKind::Ipc,
                NamespaceKind::Uts,
                NamespaceKind::Cgroup,
            ]
            .map(|kind| Namespace { kind, path: None })
            .into(),
            cgroups_path: Some(format!("/{id}")),
            resources: Some(Resources::default()),
            ..Linux::default()
        }),
        ..Spec::default()
    }
}

fn mount(destination: &str, kind: &str, source: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        ..Mount::default()
    }
}
