//! What `--rm` leaves: nothing, however the container ended.

use super::super::engine::Engine;
use super::super::leaks::Held;
use anyhow::Result;

pub(super) fn none(engine: &mut Engine) -> Result<()> {
    // The first of each kind may make what stays.
    let ports = ["-p", "8080:80", "-p", "8080:80/udp"];
    engine.run(&ports, "true")?.expect(0)?;
    let before = Held::count(engine)?;
    let table: &[(&[&str], &str, i32)] = &[
        (&[], "true", 0),
        (&["--network=none"], "true", 0),
        (&["--network=host"], "true", 0),
        (
            &["-p", "8080:80", "-p", "8080:80/udp", "-p", "81"],
            "true",
            0,
        ),
        (&["-t"], "exit 3", 3),
        (
            &["-m", "16m", "--memory-swap=16m"],
            "exec tail /dev/zero",
            137,
        ),
        (&["--pids-limit=10"], "sleep 100 & sleep 100 & exit 0", 0),
        (
            &["--privileged"],
            "mount -t tmpfs x /mnt; mkdir -p /m && mount -t tmpfs x /m",
            0,
        ),
        (&["--privileged"], "mkdir /sys/fs/cgroup/inner", 0),
        (&["--device=/dev/vda"], "true", 0),
        (&["-p", "8080:80", "--entrypoint=/no/such"], "true", 127),
        (&["-p", "8080:80", "-w", "/etc/passwd"], "true", 125),
        (
            &["-m", "32m"],
            "touch /file; chmod 0 /file; ln -s / /link",
            0,
        ),
    ];
    for (flags, script, code) in table {
        engine.run(flags, script)?.expect(*code)?;
    }
    // In the background, and ended from outside.
    let name = ["--rm", "-p", "8080:80"];
    engine.start_container("background", &name, "sleep 100")?;
    engine
        .tare(&["exec", "-d", "background", "sleep", "100"])?
        .expect(0)?;
    engine.tare(&["stop", "-t", "0", "background"])?.expect(0)?;
    before.expect_same(engine)
}
