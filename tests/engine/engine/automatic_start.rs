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
