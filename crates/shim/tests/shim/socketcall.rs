//! CVE-2026-31431: AF_ALG through i386's `socketcall`, and everything else
//! through it, which must go on working.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tare_oci::runtime::{IdMapping, Namespace, NamespaceKind};
use tare_runtime::defaults::{self, IndirectSockets};
use tare_shim::client::Connection;
use tare_shim::protocol::Target;

use super::fixture::{Client, Fixture, cgroups, eventually, shims, wait_for_exit};
use super::i386::{Argument, Program, results};

// Calls of i386.
const SOCKET: u32 = 359;
const FCNTL: u32 = 221;
const FSTAT64: u32 = 197;
const OPEN: u32 = 5;
const PRCTL: u32 = 172;
const SECCOMP: u32 = 354;
const WRITE: u32 = 4;
const CLOSE: u32 = 6;
const MKNOD: u32 = 14;
// Calls of socketcall.
const SYS_SOCKET: u32 = 1;
const SYS_BIND: u32 = 2;
const SYS_CONNECT: u32 = 3;
const SYS_LISTEN: u32 = 4;
const SYS_SEND: u32 = 9;
const SYS_RECV: u32 = 10;

const AF_UNIX: u32 = 1;
const AF_INET: u32 = 2;
const AF_PACKET: u32 = 17;
const AF_ALG: u32 = 38;
const AF_VSOCK: u32 = 40;
const STREAM: u32 = 1;
const DATAGRAM: u32 = 2;
const RAW: u32 = 3;
const SEQPACKET: u32 = 5;

const EPERM: i32 = -1;
const EFAULT: i32 = -14;
const EBUSY: i32 = -16;
const EINVAL: i32 = -22;
const ENOSYS: i32 = -38;
const EAFNOSUPPORT: i32 = -97;

/// A container under the default filter, with a 32-bit program.
fn container(program: Program, capabilities: &[&str]) -> Fixture {
    let mut fixture = Fixture::of(&["/program"]);
    let path = fixture.directory.join("rootfs/program");
    std::fs::write(&path, program.finish()).expect("program");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let linux = fixture.spec.linux.as_mut().expect("linux");
    linux.seccomp = Some(defaults::seccomp(capabilities));
    linux.namespaces.push(Namespace {
        kind: NamespaceKind::Network,
        path: None,
    });
    let capabilities: Vec<String> = capabilities.iter().map(|&name| name.to_owned()).collect();
    let sets = fixture.process().capabilities.as_mut().expect("sets");
    sets.bounding.clone_from(&capabilities);
    sets.effective.clone_from(&capabilities);
    sets.permitted = capabilities;
    fixture
}

fn output(client: &mut Client) -> Vec<i32> {
    let mut bytes = Vec::new();
    let raw = client.raw();
    let mut rest = raw.as_slice();
    while let Some((header, frames)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let (frame, next) = frames.split_at(length as usize);
        bytes.extend(frame);
        rest = next;
    }
    results(&bytes)
}

/// What the program's calls have returned.
fn run(mut fixture: Fixture) -> Vec<i32> {
    let mut client = fixture.attach(false);
    let exit = fixture.run();
    assert_eq!(exit.code, 0, "{exit:?}");
    output(&mut client)
}

/// Calls for every family that is out of bounds, in every way.
fn forbidden() -> Program {
    let mut program = Program::new();
    for (family, kind) in [(AF_ALG, SEQPACKET), (AF_VSOCK, STREAM)] {
        program.socketcall(SYS_SOCKET, None, &[family, kind, 0]);
        program.call(SOCKET, &[family.into(), kind.into(), 0.into()]);
    }
    program
}

#[test]
fn cve_2026_31431_af_alg_is_out_of_reach_through_socketcall() {
    let fixture = container(forbidden(), &defaults::CAPABILITIES);
    assert_eq!(run(fixture), [EPERM; 4]);
    // A filter that cannot look behind the pointer lets them through; whether
    // the kernel has them is another question.
    let mut fixture = container(forbidden(), &defaults::CAPABILITIES);
    let blind = defaults::seccomp_with(&defaults::CAPABILITIES, IndirectSockets::Allowed);
    fixture.spec.linux.as_mut().expect("linux").seccomp = Some(blind);
    let found = run(fixture);
    assert_ne!(found[0], EPERM);
    assert_ne!(found[2], EPERM);
    assert_eq!((found[1], found[3]), (EPERM, EPERM));
}

#[test]
fn cve_2026_31431_an_exec_has_the_same_rules() {
    let mut fixture = container(forbidden(), &defaults::CAPABILITIES);
    fixture.process().args = vec!["sleep".to_owned(), "1000".to_owned()];
    let connection = fixture.start();
    assert_eq!(exec(&mut fixture, &connection, "one"), [EPERM; 4]);
    assert_eq!(exec(&mut fixture, &connection, "two"), [EPERM; 4]);
    connection.signal(Target::Init, 9).expect("signal");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

fn exec(fixture: &mut Fixture, connection: &Connection, id: &str) -> Vec<i32> {
    let (mut client, attachment) = Client::new(false);
    let mut process = fixture.process().clone();
    process.args = vec!["/program".to_owned()];
    let request = tare_shim::client::ExecRequest {
        exec_id: id.to_owned(),
        process,
        terminal: false,
        size: None,
        open_stdin: false,
        attachments: vec![attachment],
    };
    connection.exec(request).expect("exec");
    wait_for_exit(connection, &Target::Exec(id.to_owned()));
    output(&mut client)
}

#[test]
fn cve_2026_31431_other_sockets_are_made_and_used_that_way() {
    // Taken on the host, free in the container.
    let taken = TcpListener::bind("0.0.0.0:0").expect("listener");
    let port = taken.local_addr().expect("address").port();
    let mut program = Program::new();
    let mut address = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    address[2..4].copy_from_slice(&port.to_be_bytes());
    let address = program.data(&address);
    let tcp = program.socketcall(SYS_SOCKET, None, &[AF_INET, STREAM, 0]);
    let bound = program.socketcall(SYS_BIND, Some(tcp), &[address, 16]);
    let listening = program.socketcall(SYS_LISTEN, Some(tcp), &[1]);

    let name = program.data(b"\x01\0\0itself");
    let message = program.data(b"word");
    let buffer = program.data(b"____");
    let unix = program.socketcall(SYS_SOCKET, None, &[AF_UNIX, DATAGRAM, 0]);
    let named = program.socketcall(SYS_BIND, Some(unix), &[name, 9]);
    let connected = program.socketcall(SYS_CONNECT, Some(unix), &[name, 9]);
    let sent = program.socketcall(SYS_SEND, Some(unix), &[message, 4, 0]);
    let received = program.socketcall(SYS_RECV, Some(unix), &[buffer, 4, 0]);
    let word = program.load(buffer);

    let found = run(container(program, &defaults::CAPABILITIES));
    assert!(found[tcp] >= 3 && found[unix] >= 3, "{found:?}");
    assert_eq!((found[bound], found[listening]), (0, 0), "{found:?}");
    assert_eq!((found[named], found[connected]), (0, 0), "{found:?}");
    assert_eq!((found[sent], found[received]), (4, 4), "{found:?}");
    assert_eq!(found[word].to_le_bytes(), *b"word");
}

#[test]
fn flags_and_errors_are_those_of_the_call() {
    const CLOEXEC: u32 = 0o2_000_000;
    const NONBLOCK: u32 = 0o4000;
    const F_GETFD: u32 = 1;
    const F_GETFL: u32 = 3;
    let mut program = Program::new();
    let plain = program.socketcall(SYS_SOCKET, None, &[AF_UNIX, STREAM, 0]);
    let flagged = program.socketcall(SYS_SOCKET, None, &[AF_UNIX, STREAM | CLOEXEC | NONBLOCK, 0]);
    let flags: Vec<usize> = [plain, flagged]
        .into_iter()
        .flat_map(|place| [(place, F_GETFD), (place, F_GETFL)])
        .map(|(place, command)| program.call(FCNTL, &[Argument::Result(place), command.into()]))
        .collect();
    let errors = [
        program.socketcall(SYS_SOCKET, None, &[AF_UNIX, 0x100, 0]),
        program.socketcall(SYS_SOCKET, None, &[9999, STREAM, 0]),
        program.socketcall(SYS_SOCKET, None, &[u32::MAX, STREAM, 0]),
        program.call(102, &[SYS_SOCKET.into(), 0.into()]),
        program.call(102, &[SYS_SOCKET.into(), 0xffff_fff8.into()]),
        program.call(102, &[99.into(), 0.into()]),
    ];
    let found = run(container(program, &defaults::CAPABILITIES));
    let flags: Vec<i32> = flags.into_iter().map(|place| found[place]).collect();
    assert_eq!(flags, [0, 2, 1, 2 | 0o4000]);
    assert_eq!(
        errors.map(|place| found[place]),
        [EINVAL, EAFNOSUPPORT, EAFNOSUPPORT, EFAULT, EFAULT, EINVAL]
    );
}

#[test]
fn a_container_gets_no_socket_that_it_has_no_privilege_for() {
    let mut program = Program::new();
    program.socketcall(SYS_SOCKET, None, &[AF_INET, RAW, 1]);
    program.socketcall(SYS_SOCKET, None, &[AF_PACKET, RAW, 0]);
    let own = program.socketcall(SYS_SOCKET, None, &[AF_INET, DATAGRAM, 0]);
    let status = program.data(&[0; 96]);
    program.call(FSTAT64, &[Argument::Result(own), status.into()]);
    program.load(status + 24);
    program.load(status + 28);
    let code = program.finish();
    let again = |uid: u32, capabilities: &[&str]| {
        let mut fixture = container(Program::new(), capabilities);
        std::fs::write(fixture.directory.join("rootfs/program"), &code).expect("program");
        let user = &mut fixture.process().user;
        user.uid = uid;
        user.gid = uid * 2;
        user.additional_gids = vec![7, 8];
        run(fixture)
    };
    let found = again(0, &["CAP_NET_RAW"]);
    assert!(found[0] >= 0 && found[1] >= 0, "{found:?}");
    assert_eq!(found[3..], [0, 0, 0]);
    let found = again(0, &["CAP_CHOWN"]);
    assert_eq!((found[0], found[1]), (EPERM, EPERM), "{found:?}");
    assert!(found[2] >= 3, "{found:?}");
    // Exec takes the capabilities of anybody but root.
    let found = again(1000, &["CAP_NET_RAW"]);
    assert_eq!((found[0], found[1]), (EPERM, EPERM), "{found:?}");
    assert!(found[2] >= 3, "{found:?}");
    assert_eq!(found[3..], [0, 1000, 2000]);
}

#[test]
fn cve_2026_31431_in_a_user_namespace_too() {
    let mut program = forbidden();
    program.socketcall(SYS_SOCKET, None, &[AF_INET, RAW, 1]);
    let own = program.socketcall(SYS_SOCKET, None, &[AF_INET, DATAGRAM, 0]);
    let status = program.data(&[0; 96]);
    program.call(FSTAT64, &[Argument::Result(own), status.into()]);
    program.load(status + 24);
    let code = program.finish();
    let run_as = |uid: u32, capabilities: &[&str]| {
        let mut fixture = container(Program::new(), capabilities);
        std::fs::write(fixture.directory.join("rootfs/program"), &code).expect("program");
        let user = &mut fixture.process().user;
        user.uid = uid;
        user.additional_gids = vec![7];
        let linux = fixture.spec.linux.as_mut().expect("linux");
        linux.namespaces.push(Namespace {
            kind: NamespaceKind::User,
            path: None,
        });
        let mapping = vec![IdMapping {
            container_id: 0,
            host_id: 100_000,
            size: 65_536,
        }];
        linux.uid_mappings.clone_from(&mapping);
        linux.gid_mappings = mapping;
        run(fixture)
    };
    // The privilege is one over the container's own network.
    let found = run_as(0, &["CAP_NET_RAW"]);
    assert_eq!(found[..4], [EPERM; 4]);
    assert!(found[4] >= 3 && found[5] >= 3, "{found:?}");
    assert_eq!(found[7], 0);
    let found = run_as(1000, &["CAP_NET_RAW"]);
    assert_eq!(found[..5], [EPERM; 5]);
    assert!(found[5] >= 3, "{found:?}");
    assert_eq!(found[7], 1000);
}

#[test]
fn many_sockets_are_made_one_after_another() {
    let mut program = Program::new();
    let mut places = Vec::new();
    for _ in 0..40 {
        let place = program.socketcall(SYS_SOCKET, None, &[AF_INET, STREAM, 0]);
        program.call(CLOSE, &[Argument::Result(place)]);
        places.push(place);
    }
    let found = run(container(program, &defaults::CAPABILITIES));
    for place in places {
        assert_eq!((found[place], found[place + 1]), (3, 0), "{found:?}");
    }
}

/// The kernel ends what nobody can answer.
#[test]
fn without_the_shim_the_call_fails() {
    const WRITE_CREATE: u32 = 0o101;
    let mut program = Program::new();
    let gate = program.data(b"/tmp/gate\0");
    let said = program.data(b"/tmp/said\0");
    program.call(MKNOD, &[gate.into(), 0o10_666.into(), 0.into()]);
    program.call(OPEN, &[gate.into(), 0.into()]);
    let made = program.socketcall(SYS_SOCKET, None, &[AF_INET, STREAM, 0]);
    let result = program.words(&[0]);
    let file = program.call(OPEN, &[said.into(), WRITE_CREATE.into(), 0o600.into()]);
    program.copy(made, result);
    program.call(WRITE, &[Argument::Result(file), result.into(), 4.into()]);
    let mut fixture = container(program, &defaults::CAPABILITIES);
    let (connection, started) = fixture.try_start().expect("start");
    // Only by the container's own path is it the container's own file.
    let gate = PathBuf::from(format!("/proc/{}/root/tmp/gate", started.pid));
    for pid in shims(&fixture.shim_directory()) {
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill");
    }
    eventually("the shim's end", || {
        shims(&fixture.shim_directory()).is_empty()
    });
    let said = fixture.directory.join("upper/tmp/said");
    eventually("the gate", || gate.exists());
    drop(std::fs::OpenOptions::new().write(true).open(gate));
    eventually("the result", || {
        std::fs::metadata(&said).is_ok_and(|file| file.len() == 4)
    });
    assert_eq!(results(&std::fs::read(said).expect("result")), [ENOSYS]);
    drop(connection);
    eventually("the control groups' end", || {
        let groups = cgroups(&fixture.id);
        groups
            .iter()
            .all(|group| std::fs::remove_dir(group).is_ok())
    });
}

/// What supervision costs: the kernel allows one listener for each process.
#[test]
fn a_filter_with_a_listener_of_its_own_needs_the_other_choice() {
    let program = || {
        let mut program = Program::new();
        // PR_SET_NO_NEW_PRIVS; then one instruction, which allows.
        program.call(PRCTL, &[38, 1, 0, 0, 0].map(Argument::Value));
        let instruction = program.words(&[0x06, 0x7fff_0000]);
        let filter = program.words(&[1, instruction]);
        program.call(SECCOMP, &[1, 8, filter].map(Argument::Value));
        program.call(SECCOMP, &[1, 0, filter].map(Argument::Value));
        program
    };
    let found = run(container(program(), &defaults::CAPABILITIES));
    assert_eq!(found, [0, EBUSY, 0]);
    let mut fixture = container(program(), &defaults::CAPABILITIES);
    let blind = defaults::seccomp_with(&defaults::CAPABILITIES, IndirectSockets::Allowed);
    fixture.spec.linux.as_mut().expect("linux").seccomp = Some(blind);
    let found = run(fixture);
    assert!(found[1] >= 0, "{found:?}");
}
