//! The exit codes that scripts rely on.

use serde_json::{Value, json};
use tare_tests::Engine;

#[test]
fn of_run() {
    let engine = Engine::start();
    let table: &[(&[&str], i32, &[&str])] = &[
        (&["run", "--rm", "busybox", "true"], 0, &[]),
        (&["run", "--rm", "busybox", "sh", "-c", "exit 42"], 42, &[]),
        (
            &["run", "--rm", "busybox", "sh", "-c", "exit 255"],
            255,
            &[],
        ),
        // The engine could not: no such image, no such flag's value.
        (
            &["run", "--rm", "UPPER"],
            125,
            &["invalid reference format"],
        ),
        (
            &["run", "--rm", "--no-such-flag", "busybox"],
            125,
            &["no-such-flag"],
        ),
        // The command could not be started, or was not there.
        (
            &["run", "--rm", "busybox", "/etc/passwd"],
            126,
            &["permission denied"],
        ),
        (&["run", "--rm", "busybox", "/etc"], 126, &["/etc"]),
        (
            &["run", "--rm", "busybox", "no-such-program"],
            127,
            &["no-such-program", "not found"],
        ),
        (
            &["run", "--rm", "busybox", "/no/such/program"],
            127,
            &["no such file or directory"],
        ),
    ];
    for (arguments, code, words) in table {
        engine.client(arguments).expect_error(*code, words);
    }
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn of_signals() {
    let engine = Engine::start();
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("INT", 130), ("HUP", 129)] {
        // A child of process 1 is not protected from its own signals.
        let script = format!("sh -c 'kill -{signal} $$'; exit $?");
        let output = engine.client(&["run", "--rm", "busybox", "sh", "-c", &script]);
        assert_eq!(output.code, code, "{signal}: {output:?}");
    }
    // Process 1 ignores its own SIGKILL.
    engine
        .client(&["run", "--rm", "busybox", "sh", "-c", "kill -9 $$"])
        .expect(0);
}

#[test]
fn of_a_start_that_fails() {
    let engine = Engine::start();
    let table = [
        (json!(["/no/such"]), 127, "no such file or directory"),
        (json!(["missing"]), 127, "not found"),
        (json!(["/etc/passwd"]), 126, "permission denied"),
    ];
    for (command, code, words) in table {
        let id = engine.create(json!({"Image": "busybox", "Cmd": command}));
        let message = engine
            .post(&format!("/containers/{id}/start"), Value::Null)
            .expect(400)
            .message();
        assert!(message.contains(words), "{command}: {message}");
        let state = engine.inspect(&id)["State"].clone();
        assert_eq!(state["Status"], "created", "{state}");
        assert_eq!(state["ExitCode"], code, "{state}");
        assert!(
            state["Error"].as_str().expect("text").contains(words),
            "{state}"
        );
        engine.delete(&format!("/containers/{id}")).expect(204);
    }
}

#[test]
fn of_the_init_that_collects_orphans() {
    let engine = Engine::start();
    let script = "(sleep 0.1 & ) ; cat /proc/1/comm; sleep 0.4; ps -o stat | grep -c Z";
    let output = engine.client(&["run", "--rm", "--init", "busybox", "sh", "-c", script]);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_ne!(lines.first(), Some(&"sh"), "{output:?}");
    assert_eq!(lines.get(1), Some(&"0"), "{output:?}");
    engine
        .client(&["run", "--rm", "--init", "busybox", "sh", "-c", "exit 12"])
        .expect(12);
    // With an init, a signal's default action works.
    let output = engine.client(&[
        "run",
        "--rm",
        "--init",
        "busybox",
        "sh",
        "-c",
        "kill -TERM $$",
    ]);
    output.expect(143);
}
