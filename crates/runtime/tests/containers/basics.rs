//! Programs run, end, and leave nothing behind.

use std::fs;

use tare_oci::runtime::Mount;
use tare_runtime::{Identity, Rootfs};

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("basics::exit_codes_are_the_programs_own", exit_codes),
    ("basics::signals_end_programs", signals),
    ("basics::a_stopped_container_leaves_nothing", nothing_left),
    ("basics::a_plain_directory_serves_as_root", plain_directory),
    (
        "basics::writes_go_to_the_upper_directory_only",
        upper_directory,
    ),
    ("basics::many_long_layers_are_put_together", many_layers),
    ("basics::mounts_of_every_kind_are_made", mounts),
    (
        "basics::a_read_only_root_still_has_its_working_directory",
        read_only_root,
    ),
];

fn exit_codes() {
    let sandbox = Sandbox::new();
    for (script, code, output) in [
        ("true", 0, ""),
        ("exit 7", 7, ""),
        ("echo hello; exit 3", 3, "hello"),
        // The first process cannot kill itself: it has no handler.
        ("kill -9 $$; echo alive", 0, "alive"),
        // SIGPIPE, which the caller ignores, has its default action inside.
        ("sh -c 'kill -13 $$'; echo $?", 0, "141"),
    ] {
        let outcome = sandbox.shell(script);
        assert_eq!(
            (outcome.code, outcome.output.as_str()),
            (code, output),
            "{script}"
        );
    }
}

fn signals() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&[
        "sh",
        "-c",
        "trap 'exit 42' TERM; echo up; while :; do sleep 0.02; done",
    ]);
    let running = sandbox.start(&spec, Identity::Configured).expect("starts");
    // The trap is set before "up" appears, but reading would wait for the end.
    std::thread::sleep(std::time::Duration::from_millis(150));
    running.container.signal(15).expect("signals");
    assert_eq!(running.finish().code, 42);

    let running = sandbox
        .start(&sandbox.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    assert!(running.container.signal(999).is_err());
    assert_eq!(running.stop().code, 137);
}

fn nothing_left() {
    let before = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let sandbox = Sandbox::new();
    let running = sandbox
        .start(&sandbox.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    assert!(sandbox.has_cgroups());
    let during = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    assert_eq!(before, during, "the host sees mounts of the container");
    assert_eq!(running.stop().code, 137);
    assert!(!sandbox.has_cgroups());
    let pids = fs::read_to_string("/proc/self/task/self/children").unwrap_or_default();
    assert_eq!(pids, "");
}

fn plain_directory() {
    let sandbox = Sandbox::new();
    let (stdio, _output) = crate::sandbox::pipes();
    let spec = sandbox.spec(&["touch", "/made"]);
    let mut container = tare_runtime::Container::builder(&sandbox.id, &spec)
        .rootfs(Rootfs::Path(sandbox.directory.join("lower")))
        .stdio(stdio)
        .create()
        .expect("creates");
    assert!(
        !sandbox.lower("made").exists(),
        "the program waits for the start"
    );
    container.start().expect("starts");
    assert_eq!(crate::sandbox::wait(&container.pidfd), 0);
    container.destroy();
    assert!(sandbox.lower("made").exists());
}

fn upper_directory() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.shell("echo x > /tmp/new; mkdir /dir").code, 0);
    assert!(!sandbox.lower("tmp/new").exists());
    let upper = fs::read_dir(&sandbox.directory)
        .expect("directory")
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("upper"))
        .expect("an upper directory")
        .path();
    assert_eq!(
        fs::read_to_string(upper.join("tmp/new")).expect("written"),
        "x\n"
    );
}

fn many_layers() {
    let sandbox = Sandbox::new();
    let mut lower = Vec::new();
    for number in 0..60 {
        // Longer than the kernel takes in one piece, and with characters that
        // it would interpret.
        let directory = sandbox.directory.join(format!(
            "{}/{}:,\\{number}",
            "long".repeat(40),
            "name".repeat(40)
        ));
        fs::create_dir_all(&directory).expect("layer");
        fs::write(directory.join("top"), number.to_string()).expect("file");
        fs::write(directory.join(format!("own{number}")), "").expect("file");
        lower.push(directory);
    }
    lower.push(sandbox.directory.join("lower"));
    let Rootfs::Overlay {
        upper,
        work,
        volatile,
        ..
    } = sandbox.rootfs()
    else {
        panic!("an overlay");
    };
    let (stdio, output) = crate::sandbox::pipes();
    let spec = sandbox.spec(&["sh", "-c", "cat /top; ls -d /own* | wc -l"]);
    let mut container = tare_runtime::Container::builder(&sandbox.id, &spec)
        .rootfs(Rootfs::Overlay {
            lower,
            upper,
            work,
            volatile,
        })
        .stdio(stdio)
        .create()
        .expect("creates");
    container.start().expect("starts");
    let text = std::io::read_to_string(fs::File::from(output)).expect("output");
    assert_eq!(crate::sandbox::wait(&container.pidfd), 0);
    container.destroy();
    // The topmost layer comes first.
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["060"]);
}

fn mounts() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.directory.join("volume/inner")).expect("volume");
    fs::write(sandbox.directory.join("volume/file"), "content").expect("file");
    fs::write(sandbox.directory.join("single"), "one file").expect("file");
    fs::create_dir_all(sandbox.lower("filled/inner")).expect("directory");
    fs::write(sandbox.lower("filled/inner/file"), "copied").expect("file");
    let source = |name: &str| Some(sandbox.directory.join(name).display().to_string());
    let mount = |destination: &str, kind: &str, source: Option<String>, options: &[&str]| Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source,
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    };
    let script = "
        exec 2>/dev/null
        cat /deep/er/volume/file /etc/single /filled/inner/file; echo
        echo changed > /deep/er/volume/file
        echo x > /readonly/file 2>/dev/null || echo refused
        stat -f -c %T /scratch; stat -c %a /scratch
        grep -c ' /scratch .*nosuid,nodev,noexec' /proc/self/mountinfo
        stat -c %a /home/alice
    ";
    let mut spec = sandbox.spec(&["sh", "-c", script]);
    spec.mounts.extend([
        mount(
            "/deep/er/volume",
            "bind",
            source("volume"),
            &["rbind", "rprivate"],
        ),
        mount("/readonly", "bind", source("volume"), &["rbind", "ro"]),
        mount("/etc/single", "bind", source("single"), &["bind", "rw"]),
        mount(
            "/scratch",
            "tmpfs",
            Some("tmpfs".to_owned()),
            &["nosuid", "nodev", "noexec", "size=1m", "mode=1750"],
        ),
        mount("/filled", "tmpfs", None, &["tmpcopyup"]),
        mount("/home/alice", "tmpfs", None, &[]),
    ]);
    fs::set_permissions(
        sandbox.lower("home/alice"),
        std::os::unix::fs::PermissionsExt::from_mode(0o701),
    )
    .expect("mode");
    let outcome = sandbox.run(&spec).expect("runs");
    assert_eq!(
        outcome.output.lines().collect::<Vec<_>>(),
        [
            "contentone filecopied",
            "refused",
            "tmpfs",
            "1750",
            "1",
            "701"
        ]
    );
    let changed = fs::read_to_string(sandbox.directory.join("volume/file")).expect("file");
    assert_eq!(changed, "changed\n");
    assert_eq!(
        fs::read_to_string(sandbox.lower("filled/inner/file")).expect("file"),
        "copied"
    );
}

fn read_only_root() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec(&[
        "sh",
        "-c",
        "pwd; touch /x 2>/dev/null || echo refused; touch /dev/shm/x",
    ]);
    spec.root.get_or_insert_default().readonly = true;
    if let Some(process) = &mut spec.process {
        process.cwd = "/no/such/directory".to_owned();
    }
    let outcome = sandbox.run(&spec).expect("runs");
    assert_eq!(
        (outcome.code, outcome.output.as_str()),
        (0, "/no/such/directory\nrefused")
    );
}
