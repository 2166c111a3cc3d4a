//! What our compiler makes of configurations, and what runc makes of them.

use std::path::PathBuf;
use std::process::Command;

use tare_oci::runtime::{
    Seccomp, SeccompAction, SeccompArchitecture, SeccompArgument, SeccompOperator, SeccompSyscall,
};
use tare_runtime::defaults::{self, IndirectSockets};
use tare_runtime::seccomp::compile;
use tare_sys::seccomp::{Instruction, installed_filter};

use super::capability_sets;
use super::compare::{differences, numbers_of};

/// Calls that the libseccomp of Debian 12 to 13 has not heard of, or not on
/// all architectures.
const NEWER_THAN_LIBSECCOMP: [&str; 13] = [
    "cachestat",
    "getxattrat",
    "listmount",
    "listxattrat",
    "lsm_get_self_attr",
    "lsm_list_modules",
    "lsm_set_self_attr",
    "map_shadow_stack",
    "mseal",
    "removexattrat",
    "setxattrat",
    "statmount",
    "uretprobe",
];

/// A bundle and runc's state, with whatever container is in it.
struct Runc {
    directory: PathBuf,
    id: String,
}

impl Runc {
    fn new(name: &str, seccomp: &Seccomp) -> Runc {
        let id = format!("tare-seccomp-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(&id);
        let bin = directory.join("rootfs/bin");
        std::fs::create_dir_all(&bin).expect("directory");
        std::fs::copy("/bin/busybox", bin.join("sleep")).expect("busybox-static is needed");
        let configuration = serde_json::json!({
            "ociVersion": "1.0.2",
            "process": {
                "cwd": "/",
                "args": ["/bin/sleep", "100"],
                "noNewPrivileges": true,
                "user": {"uid": 0, "gid": 0},
            },
            "root": {"path": "rootfs"},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "linux": {
                "namespaces": [{"type": "mount"}, {"type": "pid"}],
                "cgroupsPath": format!("/{id}"),
                "seccomp": seccomp,
            },
        });
        std::fs::write(directory.join("config.json"), configuration.to_string())
            .expect("config.json");
        Runc { directory, id }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("runc");
        command.arg("--root").arg(self.directory.join("state"));
        command
    }

    /// The filter that the container's program has got.
    fn filter(&self) -> Vec<Instruction> {
        let pid_file = self.directory.join("pid");
        let output = self
            .command()
            .args(["run", "--detach", "--bundle"])
            .arg(&self.directory)
            .arg("--pid-file")
            .arg(&pid_file)
            .arg(&self.id)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::fs::File::create(self.directory.join("errors")).expect("file"))
            .status()
            .expect("runc is needed");
        let errors = std::fs::read_to_string(self.directory.join("errors")).expect("errors");
        assert!(output.success(), "{errors}");
        let pid = std::fs::read_to_string(pid_file).expect("pid");
        read_filter(pid.trim().parse().expect("number"))
    }
}

impl Drop for Runc {
    fn drop(&mut self) {
        let _ = self
            .command()
            .args(["delete", "--force", &self.id])
            .status();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The filter in force on a process.
pub(crate) fn read_filter(pid: i32) -> Vec<Instruction> {
    let process = rustix::process::Pid::from_raw(pid).expect("number");
    let pidfd = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty())
        .expect("the process lives");
    installed_filter(pid, std::os::fd::AsFd::as_fd(&pidfd)).expect("the filter")
}

fn agree(name: &str, seccomp: &Seccomp) {
    let theirs = Runc::new(name, seccomp).filter();
    let ours = compile(seccomp).expect("compiles").program;
    let found = differences(&ours, &theirs);
    assert!(found.is_empty(), "{name}: {found:x?}");
}

#[test]
fn the_default_profile_is_compiled_as_runc_does() {
    for (place, capabilities) in capability_sets().iter().enumerate() {
        let mut profile = defaults::seccomp_with(capabilities, IndirectSockets::Allowed);
        for rule in &mut profile.syscalls {
            rule.names
                .retain(|name| !NEWER_THAN_LIBSECCOMP.contains(&name.as_str()));
        }
        profile.syscalls.retain(|rule| !rule.names.is_empty());
        agree(&format!("default-{place}"), &profile);
    }
}

#[test]
fn a_filter_that_asks_differs_where_it_asks_and_nowhere_else() {
    let capabilities = defaults::CAPABILITIES;
    let [asks, allows] = [IndirectSockets::Supervised, IndirectSockets::Allowed].map(|choice| {
        let profile = defaults::seccomp_with(&capabilities, choice);
        compile(&profile).expect("compiles").program
    });
    let found = differences(&asks, &allows);
    let [found] = found.as_slice() else {
        panic!("{found:x?}");
    };
    let socketcall: Vec<_> = numbers_of(&["socketcall"]).into_iter().collect();
    assert_eq!(socketcall, [found.call]);
    assert_eq!(
        (found.first, found.ours, found.theirs),
        (1, 0x7fc0_0000, 0x7fff_0000)
    );
}

#[test]
fn actions_operators_and_multiplexed_calls_are_compiled_as_runc_does() {
    use SeccompAction::{Allow, Errno, KillProcess, KillThread, Log, Trace, Trap};
    use SeccompOperator::{
        Equal, GreaterOrEqual, GreaterThan, LessOrEqual, LessThan, MaskedEqual, NotEqual,
    };
    let rule = |name: &str, action, errno_ret, args: Vec<SeccompArgument>| SeccompSyscall {
        names: vec![name.to_owned()],
        action,
        errno_ret,
        args,
    };
    let when = |op, value, value_two| {
        vec![SeccompArgument {
            index: 0,
            value,
            value_two,
            op,
        }]
    };
    let profile = Seccomp {
        default_action: Allow,
        default_errno_ret: None,
        architectures: vec![SeccompArchitecture::X86],
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls: vec![
            rule("acct", KillThread, None, vec![]),
            rule("swapon", KillProcess, None, vec![]),
            rule("swapoff", Trap, None, vec![]),
            rule("reboot", Errno, None, vec![]),
            rule("quotactl", Errno, Some(0), vec![]),
            rule("mount", Errno, Some(99), vec![]),
            rule("umount2", Trace, None, vec![]),
            rule("pivot_root", Trace, Some(77), vec![]),
            rule("chroot", Log, None, vec![]),
            rule("setns", Errno, Some(5), when(Equal, 38, 0)),
            rule("syslog", Errno, Some(5), when(NotEqual, 38, 0)),
            rule("vhangup", Errno, Some(5), when(LessThan, 0x1_0000_0000, 0)),
            rule("keyctl", Errno, Some(5), when(LessOrEqual, 38, 0)),
            rule("add_key", Errno, Some(5), when(GreaterThan, 38, 0)),
            rule(
                "request_key",
                Errno,
                Some(5),
                when(GreaterOrEqual, u64::MAX, 0),
            ),
            rule("unshare", Errno, Some(5), when(MaskedEqual, 0x7e02_0000, 0)),
            rule(
                "iopl",
                Errno,
                Some(5),
                when(MaskedEqual, u64::MAX, 0xffff_ffff),
            ),
            rule("getsockopt", Errno, Some(6), vec![]),
            rule("sendmmsg", Errno, Some(6), when(Equal, 7, 0)),
            rule("shmat", Errno, Some(6), vec![]),
            rule("msgctl", Errno, Some(6), when(LessThan, 9, 0)),
        ],
    };
    agree("words", &profile);
}
