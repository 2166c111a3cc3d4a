//! Exec: a further process in a running container.

use serde_json::{Value, json};
use tare_tests::{Engine, Terminal, against_docker};

fn sleeper(engine: &Engine) -> String {
    engine.start_container(
        json!({"Image": "busybox", "Cmd": ["sleep", "1000"], "Env": ["FROM=container"]}),
    )
}

fn exec(engine: &Engine, container: &str, body: Value) -> String {
    let answer = engine
        .post(&format!("/containers/{container}/exec"), body)
        .expect(201);
    answer.json()["Id"].as_str().expect("an ID").to_owned()
}

#[test]
fn output_and_exit_code() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let exec = exec(
        &engine,
        &id,
        json!({
            "AttachStdout": true, "AttachStderr": true,
            "Cmd": ["sh", "-c", "echo out; echo err >&2; exit 5"],
        }),
    );
    assert_eq!(exec.len(), 64);
    let seen = engine.get(&format!("/exec/{exec}/json"));
    assert_eq!(seen["Running"], false);
    assert_eq!(seen["ExitCode"], Value::Null);
    assert_eq!(seen["ContainerID"], id);
    let stream = engine.hijack(
        &format!("/exec/{exec}/start"),
        json!({"Detach": false, "Tty": false}),
    );
    assert_eq!(
        stream.demultiplex(),
        ("out\n".to_owned(), "err\n".to_owned())
    );
    let seen = engine.get(&format!("/exec/{exec}/json"));
    assert_eq!(seen["Running"], false);
    assert_eq!(seen["ExitCode"], 5);
    assert_eq!(seen["ProcessConfig"]["entrypoint"], "sh");
    assert_eq!(
        seen["ProcessConfig"]["arguments"],
        json!(["-c", "echo out; echo err >&2; exit 5"])
    );
}

#[test]
fn input_and_its_end() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let exec = exec(
        &engine,
        &id,
        json!({"AttachStdin": true, "AttachStdout": true, "Cmd": ["sh", "-c", "cat; echo end"]}),
    );
    let mut stream = engine.hijack(&format!("/exec/{exec}/start"), json!({}));
    stream.send(b"given\n").expect("input");
    stream.end_input().expect("the end of the input");
    assert_eq!(stream.demultiplex().0, "given\nend\n");
}

#[test]
fn detached() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let exec = exec(
        &engine,
        &id,
        json!({"Cmd": ["sh", "-c", "echo yes > /made"]}),
    );
    engine
        .post(&format!("/exec/{exec}/start"), json!({"Detach": true}))
        .expect(200);
    tare_tests::eventually("it has ended", || {
        let seen = engine.get(&format!("/exec/{exec}/json"));
        (seen["ExitCode"] == 0).then_some(())
    });
    assert_eq!(engine.client(&["exec", &id, "cat", "/made"]).line(), "yes");
}

#[test]
fn its_user_directory_and_environment() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let output = engine.client(&[
        "exec",
        "-u",
        "nobody",
        "-w",
        "/etc",
        "-e",
        "OF=exec",
        &id,
        "sh",
        "-c",
        "id -un; pwd; echo $FROM $OF $HOME",
    ]);
    assert_eq!(
        output.expect(0).stdout,
        "nobody\n/etc\ncontainer exec /home\n"
    );
    let output = engine.client(&["exec", "-u", "12:34", &id, "id"]);
    assert!(
        output.expect(0).stdout.starts_with("uid=12 gid=34"),
        "by numbers"
    );
}

#[test]
fn it_is_in_the_containers_namespaces_and_groups() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let script = "for n in pid mnt net ipc uts; do [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo $n differs; done; diff /proc/1/cgroup /proc/self/cgroup && echo same; diff /proc/1/attr/current /proc/self/attr/current; grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/1/status > /a; grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status > /b; diff /a /b && echo same";
    let output = engine.client(&["exec", &id, "sh", "-c", script]).expect(0);
    assert_eq!(output.stdout, "same\nsame\n");
}

#[test]
fn with_a_terminal() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let mut terminal = Terminal::start(engine.client_command(&["exec", "-it", &id, "sh"]));
    terminal.expect("# ");
    terminal.send("stty size\n");
    terminal.expect("24 80");
    terminal.expect("# ");
    terminal.send("exit 3\n");
    assert_eq!(terminal.finish().1, 3);
}

#[test]
fn what_cannot_run() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let missing = engine.client(&["exec", &id, "/no/such/program"]);
    assert!([126, 127].contains(&missing.code), "{missing:?}");
    // Docker's own text goes into the stream, whichever it is.
    let text = format!("{}{}", missing.stdout, missing.stderr);
    assert!(text.contains("no such file or directory"), "{text}");
    let directory = engine.client(&["exec", &id, "/etc"]);
    assert_eq!(directory.code, 126, "{directory:?}");
    engine
        .client(&["exec", "nobody", "true"])
        .expect_error(1, &["No such container: nobody"]);
    let message = engine
        .post(&format!("/containers/{id}/exec"), json!({"Cmd": []}))
        .expect(400)
        .message();
    assert!(
        message.to_lowercase().contains("no exec command specified"),
        "{message}"
    );
    assert_eq!(engine.post("/exec/nothing/start", json!({})).status, 404);
    engine.client(&["kill", &id]).expect(0);
    engine.wait(&id);
    let answer = engine.post(&format!("/containers/{id}/exec"), json!({"Cmd": ["true"]}));
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(
        answer.message().contains("is not running"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_killed_container_ends_its_execs() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let exec = exec(
        &engine,
        &id,
        json!({"AttachStdout": true, "Cmd": ["sh", "-c", "echo ready; sleep 1000"]}),
    );
    let mut stream = engine.hijack(&format!("/exec/{exec}/start"), json!({}));
    let frame = stream.frame().expect("a frame").expect("not the end");
    assert_eq!(frame.bytes, b"ready\n");
    assert_eq!(engine.get(&format!("/exec/{exec}/json"))["Running"], true);
    engine
        .post(&format!("/containers/{id}/kill"), Value::Null)
        .expect(204);
    assert_eq!(stream.demultiplex().0, "");
    assert_eq!(engine.wait(&id), 137);
}

#[test]
fn many_one_after_another() {
    let engine = Engine::start();
    let id = sleeper(&engine);
    let count = if against_docker() { 5 } else { 50 };
    for number in 0..count {
        let output = engine.client(&["exec", &id, "echo", &number.to_string()]);
        assert_eq!(output.line(), number.to_string());
    }
}
