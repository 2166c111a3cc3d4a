//! Each kind of file system.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use tare_oci::runtime::{NamespaceKind, Spec};
use tare_runtime::Identity;
use tare_sys::namespace::Kinds;

use super::{mount, options_at, output, output_in, tmpfs, with};
use crate::background::as_lone_root;
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(super) const TESTS: &[Test] = &[
    ("mounts::tmpfs_has_size_mode_and_owner", tmpfs_options),
    ("mounts::tmpcopyup_copies_everything", copy_up),
    ("mounts::proc_takes_its_own_options", proc_options),
    ("mounts::an_overlay_takes_many_layers", overlay),
    ("mounts::control_groups_can_be_writable", writable_groups),
    ("mounts::control_groups_without_a_namespace", host_groups),
    ("mounts::a_user_namespace_gets_substitutes", user_namespace),
];

fn tmpfs_options() {
    let sandbox = Sandbox::new();
    let covered = sandbox.lower("covered");
    fs::create_dir(&covered).expect("directory");
    fs::set_permissions(&covered, fs::Permissions::from_mode(0o2751)).expect("mode");
    let text = output_in(
        &sandbox,
        [
            tmpfs("/given", &["size=8k", "mode=1750", "uid=7", "gid=8"]),
            tmpfs("/covered", &[]),
            tmpfs("/fresh", &[]),
        ],
        "stat -c '%a %u %g' /given /covered /fresh
        dd if=/dev/zero of=/given/f bs=4k count=3 2>/dev/null; stat -c %s /given/f",
    );
    assert_eq!(text, "1750 7 8\n2751 0 0\n1777 0 0\n8192");
}

fn copy_up() {
    let sandbox = Sandbox::new();
    let data = sandbox.lower("data");
    fs::create_dir_all(data.join("deep/er")).expect("directories");
    fs::write(data.join("deep/er/file"), "content").expect("file");
    // More than one step of copying, with a hole.
    let big = fs::File::create(data.join("big")).expect("file");
    big.set_len(20 << 20).expect("length");
    fs::write(data.join("tool"), "x").expect("file");
    symlink("/etc/passwd", data.join("link")).expect("link");
    symlink("nowhere", data.join("dangling")).expect("link");
    let fifo = rustix::fs::FileType::Fifo;
    let device = rustix::fs::FileType::CharacterDevice;
    let mode = rustix::fs::Mode::from_raw_mode(0o640);
    let make = |name: &str, kind, number| {
        rustix::fs::mknodat(rustix::fs::CWD, data.join(name), kind, mode, number).expect("node");
    };
    make("fifo", fifo, 0);
    make("null", device, rustix::fs::makedev(1, 3));
    for (path, user, mode) in [
        ("tool", 1000, 0o4755),
        ("deep", 5, 0o700),
        ("fifo", 6, 0o640),
        ("", 1000, 0o711),
    ] {
        let path = data.join(path);
        std::os::unix::fs::chown(&path, Some(user), Some(user + 1)).expect("owner");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
    }
    // cap_net_raw, as setcap(8) writes it.
    let capability: [u8; 20] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    rustix::fs::setxattr(
        data.join("deep/er/file"),
        "security.capability",
        &capability,
        rustix::fs::XattrFlags::empty(),
    )
    .expect("attribute");
    for path in ["deep/er/file", "deep"] {
        let file = fs::File::open(data.join(path)).expect("opens");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        file.set_modified(time).expect("time");
    }
    let script = "stat -c '%n %F %a %u %g %s' /data /data/tool /data/deep/er/file /data/fifo /data/null | sed s,/data,D,
        stat -c '%n %Y' /data/deep /data/deep/er/file; stat -c '%u %a %t:%T' /data/deep /data/null
        cat /data/deep/er/file; echo; readlink /data/link; readlink /data/dangling; stat -c %s /data/big
        touch /data/more && echo writable; touch /data/new; sleep 100";
    symlink("busybox", sandbox.lower("bin/sed")).expect("link");
    let spec = with(&sandbox, [tmpfs("/data", &["tmpcopyup", "nodev"])], script);
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    let inside = format!("/proc/{}/root/data", running.container.pid);
    while !std::path::Path::new(&format!("{inside}/new")).exists() {
        std::thread::yield_now();
    }
    let mut value = [0_u8; 64];
    let length = rustix::fs::getxattr(
        format!("{inside}/deep/er/file"),
        "security.capability",
        &mut value[..],
    )
    .expect("attribute");
    assert_eq!(value[..length], capability);
    let text = running.stop().output;
    let size = text
        .lines()
        .next()
        .and_then(|line| line.rsplit(' ').next())
        .expect("a size")
        .to_owned();
    assert_eq!(
        text,
        format!(
            "D directory 711 1000 1001 {size}
D/tool regular file 4755 1000 1001 1
D/deep/er/file regular file 644 0 0 7
D/fifo fifo 640 6 7 0
D/null character special file 640 0 0 0
/data/deep 1000000
/data/deep/er/file 1000000
5 700 0:0
0 640 1:3
content
/etc/passwd
nowhere
20971520
writable"
        )
    );
    assert!(!data.join("new").exists(), "written to the image");
}

fn proc_options() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", "cat /proc/self/mountinfo; ls /proc/1 | wc -l"]);
    spec.mounts[0].options.push("hidepid=2".to_owned());
    spec.process.as_mut().expect("a process").user.uid = 1000;
    let text = sandbox.run(&spec).expect("runs").output;
    let (_, file_system) = options_at(&text, "/proc");
    assert!(
        file_system.contains(&"hidepid=invisible".to_owned()),
        "{file_system:?}"
    );
}

fn overlay() {
    let sandbox = Sandbox::new();
    let mut layers = Vec::new();
    // Far longer than the newer interface takes.
    for index in 0..20 {
        let layer = sandbox.directory.join(format!("layer{index}"));
        fs::create_dir_all(&layer).expect("directory");
        fs::write(layer.join(format!("file{index}")), "").expect("file");
        layers.push(layer.display().to_string());
    }
    let upper = sandbox.directory.join("up");
    let work = sandbox.directory.join("wk");
    fs::create_dir_all(&upper).expect("directory");
    fs::create_dir_all(&work).expect("directory");
    let options = [
        format!("lowerdir={}", layers.join(":")),
        format!("upperdir={}", upper.display()),
        format!("workdir={}", work.display()),
    ];
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    options.extend(["nosuid", "nodev"]);
    let text = output_in(
        &sandbox,
        [mount("overlay", "overlay", "/o", &options)],
        "ls /o | wc -l; touch /o/new; grep ' /o ' /proc/self/mountinfo",
    );
    assert!(text.starts_with("20\n"), "{text}");
    let (mount_options, _) = options_at(&text[3..], "/o");
    assert_eq!(mount_options, ["rw", "nosuid", "nodev", "relatime"]);
    assert!(upper.join("new").exists());
}

fn groups(options: &[&str], namespace: bool, script: &str) -> String {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    if !namespace {
        spec.linux
            .as_mut()
            .expect("linux")
            .namespaces
            .retain(|namespace| namespace.kind != NamespaceKind::Cgroup);
    }
    let mount = spec
        .mounts
        .iter_mut()
        .find(|mount| mount.kind.as_deref() == Some("cgroup"))
        .expect("control groups");
    mount.options = options.iter().map(|&option| option.to_owned()).collect();
    sandbox.run(&spec).expect("runs").output
}

/// A directory of one hierarchy, wherever that is.
const ONE: &str = "d=/sys/fs/cgroup; test -d $d/pids && d=$d/pids";

fn writable_groups() {
    let script = format!("{ONE}; mkdir $d/made && echo made; rmdir $d/made 2>/dev/null; true");
    let script = script.replace("rmdir", "busybox rmdir");
    assert_eq!(groups(&["rw", "nosuid"], true, &script), "made");
    let refused = groups(&["ro", "nosuid"], true, &script);
    assert!(!refused.contains("made\n"), "{refused}");
    assert!(refused.contains("Read-only"), "{refused}");
}

fn host_groups() {
    let script = format!("{ONE}; test -e $d/cgroup.procs && echo there; mkdir $d/made");
    let text = groups(&["ro", "nosuid"], false, &script);
    assert!(text.starts_with("there\n"), "{text}");
    assert!(text.contains("Read-only"), "{text}");
}

/// Takes away what only the host's root can set.
pub(super) fn without_limits(spec: &mut Spec) {
    let linux = spec.linux.as_mut().expect("linux");
    linux.resources = None;
    linux.seccomp = None;
    let process = spec.process.as_mut().expect("a process");
    process.oom_score_adj = None;
}

fn user_namespace() {
    as_lone_root(Kinds::MOUNT, || {
        let sandbox = Sandbox::new();
        let mut spec = with(
            &sandbox,
            [],
            "cat /proc/self/mountinfo; stat -c '%n %t:%T' /dev/null /dev/tty /dev/extra
            echo x > /dev/null && echo written; ls -d /sys/kernel; touch /sys/fs/cgroup/x",
        );
        without_limits(&mut spec);
        let linux = spec.linux.as_mut().expect("linux");
        // The host's network: a mount that shows it is refused.
        linux
            .namespaces
            .retain(|namespace| namespace.kind != NamespaceKind::Network);
        linux.devices = vec![tare_oci::runtime::Device {
            path: "/dev/zero".to_owned(),
            kind: tare_oci::runtime::DeviceType::Character,
            major: 1,
            minor: 5,
            file_mode: None,
            uid: None,
            gid: None,
        }];
        spec.process.as_mut().expect("a process").args[2] =
            spec.process.as_ref().expect("a process").args[2].replace("/dev/extra", "/dev/zero");
        let text = sandbox
            .start_unprivileged(&spec)
            .expect("starts")
            .finish()
            .output;
        for expected in [
            "/dev/null 1:3",
            "/dev/tty 5:0",
            "/dev/zero 1:5",
            "written",
            "/sys/kernel",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
        let (sys, _) = options_at(&text, "/sys");
        assert_eq!(sys[0], "ro");
        // All that is below it, too (CVE-2023-25809).
        for line in text
            .lines()
            .filter(|line| line.contains(" /sys/") && line.contains(" - "))
        {
            assert!(
                line.split(' ').nth(5).is_some_and(|o| o.starts_with("ro")),
                "{line}"
            );
        }
        let (_, pts) = options_at(&text, "/dev/pts");
        assert!(!pts.iter().any(|option| option == "gid=5"), "{pts:?}");
        assert!(text.contains("Read-only"), "{text}");
    });
    // And with a group that exists.
    let text = output([], "cat /proc/self/mountinfo");
    let (_, pts) = options_at(&text, "/dev/pts");
    assert!(pts.iter().any(|option| option == "gid=5"), "{pts:?}");
}
