//! config-linux.md, "Default Filesystems" and "Default Devices";
//! runtime-linux.md, "Dev symbolic links".

use crate::bundle::Bundle;
use crate::mountinfo;

tests!(default_files:
    file_systems_are_mounted,
    devices_are_supplied,
    devices_work,
    anybody_may_use_the_devices,
    ptmx_is_the_one_of_the_containers_terminals,
    links_to_the_descriptors_are_there,
    the_console_is_not_there_without_a_terminal,
);

/// Default file systems: /proc, /sys, /dev/pts and /dev/shm.
fn file_systems_are_mounted() {
    let text = Bundle::new("cat /proc/self/mountinfo").output();
    for (path, kind) in [
        ("/proc", "proc"),
        ("/sys", "sysfs"),
        ("/dev/pts", "devpts"),
        ("/dev/shm", "tmpfs"),
    ] {
        assert_eq!(mountinfo::at(&text, path).kind, kind, "{path}");
    }
}

/// Default devices: the runtime MUST supply them.
fn devices_are_supplied() {
    let script = "cd /dev; stat -c %n:%F:%t:%T null zero full random urandom tty";
    let kind = "character special file";
    let expected: Vec<String> = [
        ("null", "1:3"),
        ("zero", "1:5"),
        ("full", "1:7"),
        ("random", "1:8"),
        ("urandom", "1:9"),
        ("tty", "5:0"),
    ]
    .map(|(name, number)| format!("{name}:{kind}:{number}"))
    .to_vec();
    assert_eq!(Bundle::new(script).output(), expected.join("\n"));
}

/// Default devices: they can be used, whatever else is forbidden.
fn devices_work() {
    let script = "echo lost > /dev/null && head -c 3 /dev/zero | wc -c
        head -c 3 /dev/random | wc -c; head -c 3 /dev/urandom | wc -c
        echo x 2>/dev/null > /dev/full || echo full
        : < /dev/ptmx && echo ptmx";
    assert_eq!(Bundle::new(script).output(), "3\n3\n3\nfull\nptmx");
}

/// Default devices: by anybody.
fn anybody_may_use_the_devices() {
    let mut bundle =
        Bundle::new("cd /dev; stat -c %a null zero full random urandom tty; echo x > /dev/null");
    bundle.set(
        "/process/user",
        serde_json::json!({"uid": 1000, "gid": 1000}),
    );
    assert_eq!(bundle.output(), ["666"; 6].join("\n"));
}

/// Default devices: `/dev/ptmx` is a link to, or the bound, `/dev/pts/ptmx`.
fn ptmx_is_the_one_of_the_containers_terminals() {
    let text = Bundle::new("stat -L -c %i:%d /dev/ptmx /dev/pts/ptmx").output();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1]);
}

/// Dev symbolic links: they MUST be set up once /proc is mounted.
fn links_to_the_descriptors_are_there() {
    let script = "for name in fd stdin stdout stderr; do readlink /dev/$name; done";
    assert_eq!(
        Bundle::new(script).output(),
        "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2"
    );
}

/// Default devices: `/dev/console` is set up if `terminal` is set.
fn the_console_is_not_there_without_a_terminal() {
    let bundle = Bundle::new("test -e /dev/console || echo none");
    assert_eq!(bundle.output(), "none");
}
