use super::leaks::warm_engine;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tare_tests::{Engine, Leaks, eventually};

/// Kills the engine at a moment of a run, starts it again, and looks whether
/// what is there can be used and removed, and whether nothing else is.
fn killed_after(engine: &mut Engine, round: u64, arguments: &[&str]) {
    let mut all = vec!["run", "--name", "interrupted"];
    all.extend(arguments);
    let mut client = engine
        .client_command(&all)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client");
    // A run takes about 20 ms, its start through the sandbox included.
    std::thread::sleep(Duration::from_micros(700 * round));
    engine.kill();
    client.wait().expect("the client's end");
    engine.start_again();

    let list = engine.get("/containers/json?all=1");
    for container in list.as_array().expect("a list") {
        let id = container["Id"].as_str().expect("an ID");
        let seen = engine.inspect(id);
        assert_eq!(seen["Name"], "/interrupted", "round {round}");
        if seen["State"]["Running"] == true {
            assert_eq!(
                engine.client(&["exec", id, "echo", "alive"]).line(),
                "alive",
                "round {round}"
            );
        }
        let answer = engine.delete(&format!("/containers/{id}?force=1"));
        // One that removes itself may be quicker.
        assert!(
            [204, 404, 409].contains(&answer.status),
            "round {round}: {}",
            answer.text()
        );
    }
    eventually("no container is left", || {
        (engine.get("/containers/json?all=1") == json!([])).then_some(())
    });
    // The name, the port and the address are free.
    engine
        .client(&[
            "run",
            "--rm",
            "--name",
            "interrupted",
            "-p",
            "8080:80",
            "busybox",
            "true",
        ])
        .expect(0);
}

#[test]
fn at_any_moment_of_a_detached_run() {
    let mut engine = warm_engine();
    restart(&mut engine);
    let before = Leaks::count(&engine);
    for round in 0..40 {
        killed_after(
            &mut engine,
            round,
            &["-d", "-p", "8080:80", "busybox", "sleep", "1000"],
        );
    }
    before.assert_same(&engine);
}

#[test]
fn at_any_moment_of_a_run_that_removes_itself() {
    let mut engine = warm_engine();
    restart(&mut engine);
    let before = Leaks::count(&engine);
    for round in 0..40 {
        killed_after(
            &mut engine,
            round,
            &["--rm", "-p", "8080:80", "busybox", "true"],
        );
    }
    before.assert_same(&engine);
}

#[test]
fn at_any_moment_of_a_pull() {
    let mut engine = Engine::start();
    let registry = tare_tests::Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "layers", "layers:latest");
    restart(&mut engine);
    let before = Leaks::count(&engine);
    for round in 0..25 {
        let mut client = engine
            .client_command(&["pull", "-q", &name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the client");
        std::thread::sleep(Duration::from_millis(10 + 4 * round));
        engine.kill();
        client.wait().expect("the client's end");
        engine.start_again();
        // Whatever was there is used or thrown away; the image is whole.
        engine.client(&["pull", "-q", &name]).expect(0);
        assert_eq!(
            engine
                .client(&["run", "--rm", &name, "cat", "/data/removed"])
                .line(),
            "9"
        );
        engine.client(&["rmi", &name]).expect(0);
    }
    // Its end is the end of the connections that were kept for later.
    drop(registry);
    let _again = tare_tests::Registry::start(engine.sandbox());
    before.assert_same(&engine);
}

/// Kills and starts, so that what is only there before a first restart does
/// not count.
fn restart(engine: &mut Engine) {
    engine.kill();
    engine.start_again();
    engine
        .client(&["run", "--rm", "-p", "8080:80", "busybox", "true"])
        .expect(0);
}

#[test]
fn containers_do_not_notice() {
    let mut engine = warm_engine();
    let script = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", script],
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
    }));
    let pid = engine.container_pid(&id);
    let address = engine.inspect(&id)["NetworkSettings"]["IPAddress"].clone();
    for signal in [Signal::KILL, Signal::TERM, Signal::KILL] {
        engine.end(signal);
        std::thread::sleep(Duration::from_millis(200));
        engine.start_again();
        assert_eq!(engine.container_pid(&id), pid);
        assert_eq!(engine.inspect(&id)["NetworkSettings"]["IPAddress"], address);
        assert_eq!(engine.client(&["exec", &id, "echo", "in"]).line(), "in");
        // Another one gets another address, and not this one's port.
        let output = engine.client(&["run", "--rm", "busybox", "hostname", "-i"]);
        assert_ne!(json!(output.line().trim()), address);
        engine
            .client(&["run", "--rm", "-p", "8080:80", "busybox", "true"])
            .expect(125);
    }
    // Not a line was lost meanwhile.
    let text = engine.client(&["logs", &id]).expect(0).stdout;
    let lines: Vec<u32> = text
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert!(lines.len() > 10, "{lines:?}");
    assert!(
        lines
            .iter()
            .copied()
            .eq(1..=lines.len().try_into().expect("a count")),
        "{lines:?}"
    );
    engine
        .post(&format!("/containers/{id}/kill"), Value::Null)
        .expect(204);
    assert_eq!(engine.wait(&id), 137);
}

#[test]
fn an_end_that_nobody_saw_is_recorded() {
    let mut engine = warm_engine();
    let before = Leaks::count(&engine);
    let kept = engine.start_container(
        json!({"Image": "busybox", "Cmd": ["sh", "-c", "sleep 0.5; echo last words; exit 7"]}),
    );
    let removed = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sleep", "0.5"],
        "HostConfig": {"AutoRemove": true},
    }));
    engine.kill();
    std::thread::sleep(Duration::from_millis(1000));
    engine.start_again();
    let state = engine.inspect(&kept)["State"].clone();
    assert_eq!(
        (&state["Status"], &state["ExitCode"]),
        (&json!("exited"), &json!(7)),
        "{state}"
    );
    assert_eq!(engine.client(&["logs", &kept]).line(), "last words");
    eventually("the other one is removed", || {
        let answer = engine.request("GET", &format!("/containers/{removed}/json"), &[]);
        (answer.status == 404).then_some(())
    });
    engine.delete(&format!("/containers/{kept}")).expect(204);
    before.assert_same(&engine);
}

#[test]
fn attached_clients_can_attach_again() {
    let mut engine = warm_engine();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "while read line; do echo got $line; done"],
        "OpenStdin": true,
    }));
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1");
    let mut first = engine.hijack(&path, Value::Null);
    first.send(b"one\n").expect("input");
    assert_eq!(
        first.frame().expect("a frame").expect("no end").bytes,
        b"got one\n"
    );
    engine.kill();
    engine.start_again();
    let mut second = engine.hijack(&path, Value::Null);
    second.send(b"two\n").expect("input");
    assert_eq!(
        second.frame().expect("a frame").expect("no end").bytes,
        b"got two\n"
    );
}

#[test]
fn a_killed_shim_takes_only_its_container_along() {
    let engine = warm_engine();
    let before = Leaks::count(&engine);
    let other = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}));
    let processes: Vec<u32> = engine
        .sandbox()
        .processes()
        .into_iter()
        .map(|(pid, _)| pid)
        .collect();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "2000"]}));
    let shim = engine
        .sandbox()
        .processes()
        .into_iter()
        .find(|(pid, line)| !processes.contains(pid) && line.contains("shim"))
        .expect("a shim");
    engine
        .sandbox()
        .output("kill", &["-KILL", &shim.0.to_string()]);
    eventually("the engine has noticed", || {
        (engine.inspect(&id)["State"]["Running"] == false).then_some(())
    });
    assert!(
        !engine
            .sandbox()
            .processes()
            .iter()
            .any(|(_, line)| line == "sleep 2000"),
        "its process ends"
    );
    assert_eq!(
        engine.client(&["exec", &other, "echo", "alive"]).line(),
        "alive"
    );
    for id in [id, other] {
        engine
            .delete(&format!("/containers/{id}?force=1"))
            .expect(204);
    }
    before.assert_same(&engine);
}

#[test]
fn start_after_a_kill_is_quick_with_many_containers() {
    let mut engine = warm_engine();
    for _ in 0..30 {
        engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}));
    }
    engine.kill();
    engine.start_again();
    assert_eq!(
        engine
            .get("/containers/json")
            .as_array()
            .expect("a list")
            .len(),
        30
    );
    // After it was asked to end, nothing of the engine itself is there.
    engine.end(Signal::TERM);
    assert!(!engine.socket().exists(), "the socket is removed");
    assert!(
        !engine
            .sandbox()
            .processes()
            .iter()
            .any(|(_, line)| line.contains(" daemon "))
    );
    engine.start_again();
    assert_eq!(
        engine
            .get("/containers/json")
            .as_array()
            .expect("a list")
            .len(),
        30
    );
}
