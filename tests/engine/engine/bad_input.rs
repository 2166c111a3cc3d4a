use super::leaks::warm_engine;
use std::process::Stdio;
use tare_tests::{Engine, Leaks, Options, Output, Sandbox, against_docker, executable};

/// The error is one line that says all of this, and nothing is left behind.
#[track_caller]
pub(super) fn clean_failure(
    engine: &Engine,
    arguments: &[&str],
    code: i32,
    words: &[&str],
) -> Output {
    let before = Leaks::count(engine);
    let output = engine.client(arguments).expect_error(code, words);
    before.assert_same(engine);
    output
}

#[test]
fn no_such_image() {
    let engine = warm_engine();
    // Nothing listens there; the name says where.
    clean_failure(
        &engine,
        &["run", "--rm", "127.0.0.1:9/nobody/nothing"],
        125,
        &["127.0.0.1:9", "refused"],
    );
    clean_failure(
        &engine,
        &["rmi", "nothing"],
        1,
        &["No such image: nothing:latest"],
    );
}

#[test]
fn commands_that_cannot_start() {
    let engine = warm_engine();
    let run = |command: &'static str| vec!["run", "--rm", "-p", "8080:80", "busybox", command];
    clean_failure(
        &engine,
        &run("no-such-command"),
        127,
        &["no-such-command", "not found"],
    );
    clean_failure(
        &engine,
        &run("/etc/passwd"),
        126,
        &["/etc/passwd", "permission denied"],
    );
    clean_failure(&engine, &run("/etc"), 126, &["/etc"]);
}

#[test]
fn a_port_in_use() {
    let engine = warm_engine();
    let _listener = engine
        .sandbox()
        .listen("0.0.0.0:7070".parse().expect("an address"))
        .expect("a listener");
    clean_failure(
        &engine,
        &["run", "--rm", "-p", "7070:80", "busybox", "true"],
        125,
        &["7070", "address already in use"],
    );
    for flag in ["99999:80", "80:x", "nonsense", "8080:80/icmp"] {
        clean_failure(
            &engine,
            &["run", "--rm", "-p", flag, "busybox", "true"],
            125,
            &[],
        );
    }
}

#[test]
fn no_address_left() {
    let options = Options {
        flags: vec!["--bip".to_owned(), "10.77.0.1/29".to_owned()],
        ..Options::default()
    };
    let engine = Engine::start_in(Sandbox::new(), options);
    let ids: Vec<String> = (0..5)
        .map(|_| {
            engine
                .client(&["run", "-d", "busybox", "sleep", "1000"])
                .line()
        })
        .collect();
    clean_failure(
        &engine,
        &["run", "--rm", "busybox", "true"],
        125,
        &["no available IPv4 addresses on this network's address pools: bridge"],
    );
    // One that is given back is given out again.
    engine.client(&["rm", "-f", &ids[2]]).expect(0);
    engine.client(&["run", "--rm", "busybox", "true"]).expect(0);
}

#[test]
fn a_full_disk_while_unpacking() {
    let sandbox = Sandbox::new();
    let data = sandbox.directory().join("engine/data");
    std::fs::create_dir_all(&data).expect("a directory");
    sandbox.output(
        "mount",
        &[
            "-t",
            "tmpfs",
            "-o",
            "size=24m",
            "tmpfs",
            &data.to_string_lossy(),
        ],
    );
    let engine = Engine::start_in(sandbox, Options::default());
    engine.client(&["run", "--rm", "busybox", "true"]).expect(0);
    let archive = tare_tests::image_archive("debian");
    clean_failure(
        &engine,
        &["load", "-i", &archive.to_string_lossy()],
        1,
        &["o space left on device"],
    );
    // It goes on with what it has.
    engine.client(&["run", "--rm", "busybox", "true"]).expect(0);
}

#[test]
fn another_architecture() {
    let engine = warm_engine();
    engine.load("foreign");
    let before = Leaks::count(&engine);
    let output = engine.client(&["run", "--rm", "foreign"]);
    assert!(
        (125..=126).contains(&output.code) || output.code == 1,
        "{output:?}"
    );
    assert!(output.stderr.contains("exec format error"), "{output:?}");
    before.assert_same(&engine);
}

/// Our executable where everybody may execute it.
fn executable_for_all(sandbox: &Sandbox) -> String {
    let copy = sandbox.directory().join("tare");
    std::fs::copy(executable(), &copy).expect("a copy");
    copy.to_string_lossy().into_owned()
}

#[test]
fn not_root() {
    if against_docker() {
        return;
    }
    let engine = warm_engine();
    let sandbox = engine.sandbox();
    let program = executable_for_all(sandbox);
    let as_nobody = |arguments: &[&str]| {
        let output = sandbox
            .command("setpriv")
            .args([
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                &program,
            ])
            .args(arguments)
            .env("HOME", "/nonexistent")
            .env_remove("DOCKER_HOST")
            .stdin(Stdio::null())
            .output()
            .expect("execution");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("panicked"), "{text}");
        (output.status.code(), text)
    };
    let before = Leaks::count(&engine);
    let (code, text) = as_nobody(&["daemon", "--data-root", "/tmp/not-made"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("root"), "{text}");
    // The engine's socket is not for everybody.
    let socket = format!("unix://{}", engine.socket().display());
    let (code, text) = as_nobody(&["-H", &socket, "ps"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("permission denied") && text.contains(&socket),
        "{text}"
    );
    // Nor does anybody else start one.
    let (code, text) = as_nobody(&["ps"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("/run/tare/tare.sock"), "{text}");
    before.assert_same(&engine);
}

#[test]
fn a_data_root_that_is_no_directory() {
    let engine = warm_engine();
    let file = engine.sandbox().directory().join("a-file");
    std::fs::write(&file, "x").expect("a file");
    let output = engine
        .sandbox()
        .command(executable())
        .args([
            "daemon",
            "--data-root",
            &file.to_string_lossy(),
            "--host",
            "unix:///run/other.sock",
        ])
        .output()
        .expect("execution");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("a-file"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}
