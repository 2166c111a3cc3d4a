use tare_tests::{Sandbox, eventually, executable};

/// A machine where nobody has started an engine yet.
fn machine() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.output("mount", &["-t", "tmpfs", "tmpfs", "/var/lib"]);
    sandbox
}

fn tare(sandbox: &Sandbox, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = sandbox
        .command(executable())
        .args(arguments)
        .env_remove("DOCKER_HOST")
        .env_remove("TARE_HOST")
        .env("HOME", "/run")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the client");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn the_first_command_of_all() {
    let sandbox = machine();
    let (code, stdout, stderr) = tare(&sandbox, &["run", "--rm", "hello"]);
    assert_eq!(code, Some(0), "{stderr}");
    // It says nothing about having started an engine.
    assert_eq!(stderr, "");
    for word in [
        "client",
        "engine",
        "image",
        "layer",
        "namespace",
        "control group",
        "network",
    ] {
        assert!(stdout.to_lowercase().contains(word), "{word}: {stdout}");
    }
    assert!(
        stdout.matches("tare ").count() >= 3,
        "three commands to try: {stdout}"
    );
    let engines = || {
        sandbox
            .processes()
            .into_iter()
            .filter(|(_, line)| line.contains("daemon"))
            .count()
    };
    assert_eq!(engines(), 1, "{:?}", sandbox.processes());
    // The next one finds it.
    let (code, stdout, stderr) = tare(&sandbox, &["ps", "-a"]);
    assert_eq!(
        (code, stdout.lines().count(), stderr.as_str()),
        (Some(0), 1, ""),
        "{stdout}"
    );
    assert_eq!(engines(), 1);
}

#[test]
fn many_at_once_start_one() {
    let sandbox = machine();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                let (code, _, stderr) = tare(sandbox, &["run", "--rm", "hello"]);
                assert_eq!(code, Some(0), "{stderr}");
            });
        }
    });
    eventually("one engine runs", || {
        let engines = sandbox
            .processes()
            .into_iter()
            .filter(|(_, line)| line.contains("daemon"))
            .count();
        (engines == 1).then_some(())
    });
}

#[test]
fn an_engine_that_cannot_start_is_told() {
    let sandbox = Sandbox::new();
    // Its data root cannot be made.
    sandbox.output("mount", &["-t", "tmpfs", "-o", "ro", "tmpfs", "/var/lib"]);
    let (code, _, stderr) = tare(&sandbox, &["ps"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("/var/lib/tare"), "{stderr}");
    assert!(stderr.contains("ead-only file system"), "{stderr}");
    assert!(stderr.lines().count() <= 4, "{stderr}");
}

#[test]
fn another_host_is_never_started() {
    let sandbox = machine();
    let (code, _, stderr) = tare(&sandbox, &["-H", "unix:///run/elsewhere.sock", "ps"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("/run/elsewhere.sock"), "{stderr}");
    assert!(sandbox.processes().is_empty(), "{:?}", sandbox.processes());
}

#[test]
fn an_engine_with_nothing_to_do_ends() {
    let sandbox = machine();
    let (code, _, stderr) = tare(&sandbox, &["run", "--rm", "hello"]);
    assert_eq!(code, Some(0), "{stderr}");
    let engine = sandbox.processes();
    let (pid, line) = engine.first().expect("an engine");
    assert!(line.contains("--idle-timeout"), "{line}");
    sandbox.output("kill", &["-TERM", &pid.to_string()]);
    eventually("it has ended", || {
        sandbox.processes().is_empty().then_some(())
    });

    let mut daemon = sandbox
        .command(executable())
        .args(["daemon", "--idle-timeout", "1"])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the engine");
    // A running container keeps it.
    let socket = sandbox.root().join("run/tare/tare.sock");
    eventually("it listens", || socket.exists().then_some(()));
    let archive = tare_tests::image_archive("busybox");
    let (code, _, stderr) = tare(&sandbox, &["load", "-i", &archive.to_string_lossy()]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, id, stderr) = tare(&sandbox, &["run", "-d", "busybox", "sleep", "1000"]);
    assert_eq!(code, Some(0), "{stderr}");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(daemon.try_wait().expect("the engine").is_none());
    let (code, _, stderr) = tare(&sandbox, &["rm", "-f", id.trim()]);
    assert_eq!(code, Some(0), "{stderr}");
    let status = eventually("it ends", || daemon.try_wait().expect("the engine"));
    assert!(status.success(), "{status}");
    assert!(!socket.exists(), "its socket is gone");
    assert!(sandbox.processes().is_empty(), "{:?}", sandbox.processes());
}

#[test]
fn the_example_configuration_is_valid() {
    let sandbox = machine();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/daemon.json");
    let (code, _, stderr) = tare(
        &sandbox,
        &["daemon", "--validate", "--config-file", example],
    );
    assert_eq!(code, Some(0), "{stderr}");
    let broken = sandbox.directory().join("broken.json");
    std::fs::write(&broken, "{\"no-such-key\": 1}").expect("a file");
    let broken = broken.to_string_lossy();
    let (code, _, stderr) = tare(
        &sandbox,
        &["daemon", "--validate", "--config-file", &broken],
    );
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("no-such-key") && stderr.contains("broken.json"),
        "{stderr}"
    );
}
