//! What a program sees and may do.

use std::fs;
use std::os::unix::fs::MetadataExt;

use tare_oci::runtime::{NamespaceKind, TimeOffset};
use tare_runtime::Identity;

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    (
        "isolation::every_namespace_is_the_containers_own",
        own_namespaces,
    ),
    ("isolation::given_namespaces_are_joined", given_namespaces),
    (
        "isolation::the_file_systems_of_the_specification_are_there",
        file_systems,
    ),
    (
        "isolation::masked_and_read_only_paths_are_out_of_reach",
        masks,
    ),
    ("isolation::capabilities_are_dockers", capabilities),
    ("isolation::system_calls_are_filtered", system_calls),
    (
        "isolation::nothing_of_the_caller_is_inherited",
        nothing_inherited,
    ),
    (
        "isolation::kernel_parameters_are_set_inside_only",
        kernel_parameters,
    ),
    ("isolation::clocks_have_offsets", clocks),
    (
        "isolation::control_groups_are_seen_from_inside",
        control_groups,
    ),
    ("isolation::mounts_propagate_as_asked", propagation),
];

fn own_namespaces() {
    let sandbox = Sandbox::new();
    let kinds = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];
    let outcome = sandbox.shell(&format!(
        "for kind in {}; do readlink /proc/self/ns/$kind; done; echo $$; hostname",
        kinds.join(" ")
    ));
    let lines: Vec<&str> = outcome.output.lines().collect();
    for (kind, inside) in kinds.iter().zip(&lines) {
        let outside = fs::read_link(format!("/proc/self/ns/{kind}")).expect("a namespace");
        assert!(inside.starts_with(kind), "{inside}");
        assert_ne!(outside.to_string_lossy(), **inside);
    }
    assert_eq!(lines[6..], ["1", "sandbox"]);
}

fn given_namespaces() {
    let sandbox = Sandbox::new();
    let network = tare_sys::namespace::new_network().expect("a namespace");
    let number = rustix::fs::fstat(&network).expect("status").st_ino;
    let (stdio, output) = crate::sandbox::pipes();
    let mut spec = sandbox.spec(&[
        "sh",
        "-c",
        "readlink /proc/self/ns/net; readlink /proc/self/ns/pid",
    ]);
    let linux = spec.linux.as_mut().expect("linux");
    // One by descriptor, one by path: that of another container.
    let other = Sandbox::new();
    let running = other
        .start(&other.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    let path = format!("/proc/{}/ns/pid", running.container.pid);
    let other_pid = fs::metadata(&path).expect("status").ino();
    for namespace in &mut linux.namespaces {
        if namespace.kind == NamespaceKind::Pid {
            namespace.path = Some(path.clone());
        }
    }
    let mut container = tare_runtime::Container::builder(&sandbox.id, &spec)
        .rootfs(sandbox.rootfs())
        .join(vec![(NamespaceKind::Network, network)])
        .stdio(stdio)
        .create()
        .expect("creates");
    container.start().expect("starts");
    let text = std::io::read_to_string(fs::File::from(output)).expect("output");
    crate::sandbox::wait(&container.pidfd);
    container.destroy();
    assert_eq!(text, format!("net:[{number}]\npid:[{other_pid}]\n"));
    // The caller is where it was: its children are not in that namespace.
    let own = fs::read_link("/proc/self/ns/pid_for_children").expect("a namespace");
    assert_eq!(
        own,
        fs::read_link("/proc/self/ns/pid").expect("a namespace")
    );
    running.stop();
}

fn file_systems() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell(
        "ls /dev | grep -v core | tr '\\n' ' '; echo
        stat -c '%F %t:%T %a' /dev/null /dev/tty
        readlink /dev/ptmx; readlink /dev/fd
        echo data > /dev/null && head -c 4 /dev/zero | wc -c
        touch /sys/x 2>/dev/null || echo refused",
    );
    let text = outcome.output;
    for expected in [
        "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero",
        "character special file 1:3 666",
        "character special file 5:0 666",
        "pts/ptmx\n/proc/self/fd",
        "\n4\nrefused",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text:?}");
    }
    let mounts = sandbox.shell("cat /proc/self/mounts").output;
    for expected in [
        "overlay / overlay rw",
        "proc /proc proc rw,nosuid,nodev,noexec",
        "tmpfs /dev tmpfs rw,nosuid",
        "devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666",
        "sysfs /sys sysfs ro,nosuid,nodev,noexec",
        "mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec",
        "shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k",
    ] {
        assert!(mounts.contains(expected), "{expected:?} in {mounts}");
    }
    assert!(!mounts.contains("/old"), "{mounts}");
    assert_eq!(mounts.matches(" / ").count(), 1, "{mounts}");
}

fn masks() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell(
        "exec 2>/dev/null
        cat /proc/kcore /proc/keys /proc/timer_list | wc -c
        ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v : | grep -c .
        echo x > /proc/sys/kernel/hostname 2>/dev/null || echo refused
        echo b > /proc/sysrq-trigger 2>/dev/null || echo refused
        umount /proc/kcore 2>/dev/null || echo refused",
    );
    assert_eq!(
        outcome.output.lines().collect::<Vec<_>>(),
        ["0", "0", "refused", "refused", "refused"]
    );
}

fn capabilities() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell("grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status");
    let found: Vec<String> = outcome
        .output
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        found,
        [
            "CapInh: 0000000000000000",
            "CapPrm: 00000000a80425fb",
            "CapEff: 00000000a80425fb",
            "CapBnd: 00000000a80425fb",
            "CapAmb: 0000000000000000",
            "NoNewPrivs: 0",
            "Seccomp: 2",
        ]
    );
    let mut spec = sandbox.spec(&[
        "grep",
        "-E",
        "Cap(Amb|Bnd|Eff)|NoNewPrivs",
        "/proc/self/status",
    ]);
    let process = spec.process.as_mut().expect("a process");
    process.no_new_privileges = true;
    process.user.uid = 1000;
    let capabilities = process.capabilities.as_mut().expect("capabilities");
    capabilities.ambient = vec!["CAP_KILL".to_owned()];
    capabilities.inheritable = vec!["CAP_KILL".to_owned()];
    let outcome = sandbox.run(&spec).expect("runs");
    let words: Vec<&str> = outcome.output.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "CapEff:",
            "0000000000000020",
            "CapBnd:",
            "00000000a80425fb",
            "CapAmb:",
            "0000000000000020",
            "NoNewPrivs:",
            "1"
        ]
    );
}

fn system_calls() {
    let sandbox = Sandbox::new();
    // The same programs without the filter and with the capability: the filter
    // is what stops them.
    let outcome = sandbox.shell("mount -t tmpfs x /tmp; echo $?");
    assert!(outcome.output.ends_with("1"), "{outcome:?}");
    let privileged = |filtered: bool| {
        let mut spec = sandbox.spec(&["sh", "-c", "mount -t tmpfs x /tmp && echo mounted"]);
        let capabilities = vec!["CAP_SYS_ADMIN".to_owned()];
        let process = spec.process.as_mut().expect("a process");
        let sets = process.capabilities.as_mut().expect("capabilities");
        sets.bounding = capabilities.clone();
        sets.effective = capabilities.clone();
        sets.permitted = capabilities;
        if !filtered {
            spec.linux.as_mut().expect("linux").seccomp = None;
        }
        sandbox.run(&spec).expect("runs").output
    };
    assert_eq!(privileged(false), "mounted");
    assert!(privileged(true).contains("permission denied"));
}

fn nothing_inherited() {
    let sandbox = Sandbox::new();
    // Open and not close-on-exec, as a careless caller's might be.
    let directory = rustix::fs::open("/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty())
        .expect("the host's root");
    let outcome = sandbox.shell("ls /proc/self/fd | tr '\\n' ' '; env | sort; pwd; umask");
    drop(directory);
    // 3 is the directory that ls itself reads.
    assert_eq!(
        outcome.output.lines().collect::<Vec<_>>(),
        [
            "0 1 2 3 HOME=/root",
            "PATH=/bin",
            "PWD=/",
            "SHLVL=1",
            "/",
            "0022"
        ]
    );
}

fn kernel_parameters() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&[
        "cat",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/kernel/shmmni",
        "/proc/sys/net/ipv4/conf/lo/forwarding",
    ]);
    let outside = fs::read_to_string("/proc/sys/kernel/shmmni").expect("a parameter");
    spec.linux.as_mut().expect("linux").sysctl = [
        ("net.ipv4.ip_forward", "0"),
        ("kernel.shmmni", "77"),
        ("net/ipv4/conf/lo/forwarding", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    assert_eq!(sandbox.run(&spec).expect("runs").output, "0\n77\n1");
    assert_eq!(
        fs::read_to_string("/proc/sys/kernel/shmmni").expect("a parameter"),
        outside
    );
}

fn clocks() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&["cat", "/proc/uptime"]);
    let linux = spec.linux.as_mut().expect("linux");
    linux.namespaces.push(tare_oci::runtime::Namespace {
        kind: NamespaceKind::Time,
        path: None,
    });
    let offset = TimeOffset {
        secs: 1_000_000,
        nanosecs: 0,
    };
    linux.time_offsets = [("boottime".to_owned(), offset)].into();
    let outcome = sandbox.run(&spec).expect("runs");
    let uptime: f64 = outcome
        .output
        .split(' ')
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .expect("seconds");
    assert!(uptime > 1_000_000.0, "{uptime}");
}

fn control_groups() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell(
        "cat /proc/self/cgroup | grep -v ':/$' | wc -l
        ls -d /sys/fs/cgroup/* | wc -l
        grep -c ' /sys/fs/cgroup[^ ]* ro' /proc/self/mountinfo
        mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused",
    );
    let lines: Vec<&str> = outcome.output.lines().collect();
    assert_eq!(lines[0], "0", "the groups are the root of what is seen");
    assert_ne!(lines[1], "0");
    assert_eq!(lines[3], "refused");
}

fn propagation() {
    use tare_oci::runtime::{Mount, RootfsPropagation};
    // Nothing of this test may reach the host: it has a mount namespace of its
    // own, whose mounts are shared among themselves as a host's are.
    let proof = tare_sys::SingleThreaded::verify().expect("one thread");
    tare_sys::namespace::leave(proof, tare_sys::namespace::Kinds::MOUNT).expect("a namespace");
    let change = |path: &std::path::Path, flags| {
        rustix::mount::mount_change(path, flags).expect("changes");
    };
    use rustix::mount::MountPropagationFlags as Flags;
    change(std::path::Path::new("/"), Flags::PRIVATE | Flags::REC);
    let sandbox = Sandbox::new();
    let tmpfs = |path: &std::path::Path| {
        fs::create_dir_all(path).expect("directory");
        rustix::mount::mount(
            "tmpfs",
            path,
            "tmpfs",
            rustix::mount::MountFlags::empty(),
            None,
        )
        .expect("mounts");
    };
    let shared = sandbox.directory.join("shared");
    tmpfs(&shared);
    change(&shared, Flags::SHARED);
    fs::create_dir_all(shared.join("later")).expect("directory");
    for (option, rootfs, arrives) in [
        ("rprivate", None, false),
        ("rslave", Some(RootfsPropagation::Slave), true),
        ("rshared", Some(RootfsPropagation::Shared), true),
    ] {
        let script = "while ! test -e /tmp/go; do sleep 0.01; done; test -e /shared/later/new && echo arrived";
        let mut spec = sandbox.spec(&["sh", "-c", script]);
        spec.mounts.push(Mount {
            destination: "/shared".to_owned(),
            kind: Some("bind".to_owned()),
            source: Some(shared.display().to_string()),
            options: vec!["rbind".to_owned(), option.to_owned()],
            ..Mount::default()
        });
        spec.linux.as_mut().expect("linux").rootfs_propagation = rootfs;
        let before = fs::read_to_string("/proc/self/mounts").expect("mounts");
        let running = sandbox.start(&spec, Identity::Configured).expect("starts");
        let during = fs::read_to_string("/proc/self/mounts").expect("mounts");
        assert_eq!(
            before, during,
            "{option}: the container's mounts show outside"
        );
        tmpfs(&shared.join("later"));
        fs::write(shared.join("later/new"), "").expect("file");
        fs::write(format!("/proc/{}/root/tmp/go", running.container.pid), "").expect("file");
        let outcome = running.finish();
        assert_eq!(
            outcome.output == "arrived",
            arrives,
            "{option}: {outcome:?}"
        );
        rustix::mount::unmount(shared.join("later"), rustix::mount::UnmountFlags::empty())
            .expect("unmounts");
    }
    rustix::mount::unmount(&shared, rustix::mount::UnmountFlags::empty()).expect("unmounts");
}
