use serde_json::{Value, json};
use tare_tests::{Engine, Frame, StreamKind};

#[test]
fn both_streams_come_apart() {
    let engine = Engine::start();
    let id = engine.create(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "echo out; sleep 0.1; echo err >&2"],
        "AttachStdout": true, "AttachStderr": true,
    }));
    let mut attached = engine.hijack(
        &format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1"),
        Value::Null,
    );
    assert_eq!(attached.headers["upgrade"], "tcp");
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    let frame = attached.frame().expect("a frame").expect("not the end");
    assert_eq!(
        frame,
        Frame {
            kind: StreamKind::Stdout,
            bytes: b"out\n".to_vec()
        }
    );
    let frame = attached.frame().expect("a frame").expect("not the end");
    assert_eq!(
        frame,
        Frame {
            kind: StreamKind::Stderr,
            bytes: b"err\n".to_vec()
        }
    );
    assert_eq!(attached.frame().expect("the end"), None);
}

#[test]
fn one_stream_alone() {
    let engine = Engine::start();
    let id =
        engine.create(json!({"Image": "busybox", "Cmd": ["sh", "-c", "echo out; echo err >&2"]}));
    let attached = engine.hijack(
        &format!("/containers/{id}/attach?stream=1&stderr=1"),
        Value::Null,
    );
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    assert_eq!(attached.demultiplex(), (String::new(), "err\n".to_owned()));
}

/// The end of the input reaches the process while its output still flows.
#[test]
fn half_a_close() {
    let engine = Engine::start();
    let id = engine.create(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "cat; sleep 0.2; echo after"],
        "AttachStdin": true, "AttachStdout": true, "OpenStdin": true, "StdinOnce": true,
    }));
    let mut attached = engine.hijack(
        &format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1"),
        Value::Null,
    );
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    attached.send(b"before\n").expect("input");
    attached.end_input().expect("the end of the input");
    assert_eq!(
        attached.demultiplex(),
        ("before\nafter\n".to_owned(), String::new())
    );
    assert_eq!(engine.wait(&id), 0);
}

/// Without StdinOnce the input stays open for the next one who attaches.
#[test]
fn input_outlives_who_sent_it() {
    let engine = Engine::start();
    let id = engine.create(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "read a; read b; echo $a-$b"],
        "OpenStdin": true,
    }));
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1");
    let mut first = engine.hijack(&path, Value::Null);
    first.send(b"1\n").expect("input");
    // What was sent has to arrive before the connection goes away.
    std::thread::sleep(std::time::Duration::from_millis(200));
    drop(first);
    let mut second = engine.hijack(&path, Value::Null);
    second.send(b"2\n").expect("input");
    let (stdout, _) = second.demultiplex();
    assert_eq!(stdout, "1-2\n");
}

#[test]
fn what_was_logged_comes_first() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "echo early; read line; echo $line"],
        "OpenStdin": true, "StdinOnce": true,
    }));
    tare_tests::eventually("it has printed", || {
        let answer = engine.request("GET", &format!("/containers/{id}/logs?stdout=1"), &[]);
        answer.text().contains("early").then_some(())
    });
    let mut attached = engine.hijack(
        &format!("/containers/{id}/attach?logs=1&stream=1&stdin=1&stdout=1"),
        Value::Null,
    );
    attached.send(b"late\n").expect("input");
    assert_eq!(attached.demultiplex().0, "early\nlate\n");
}

#[test]
fn without_an_upgrade_the_stream_follows_the_head() {
    let engine = Engine::start();
    let id = engine.create(json!({"Image": "busybox", "Cmd": ["echo", "plain"]}));
    let attached = engine.open(
        "POST",
        &format!("/containers/{id}/attach?stream=1&stdout=1"),
        &[],
        &[],
    );
    assert_eq!(attached.status, 200);
    assert_eq!(
        attached.headers["content-type"],
        "application/vnd.docker.raw-stream"
    );
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    assert_eq!(attached.demultiplex().0, "plain\n");
}

#[test]
fn who_does_not_read_does_not_stop_the_others() {
    let engine = Engine::start();
    let id = engine
        .create(json!({"Image": "busybox", "Cmd": ["sh", "-c", "seq 1 200000; echo done >&2"]}));
    let path = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1");
    let reader = engine.hijack(&path, Value::Null);
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    let (stdout, stderr) = reader.demultiplex();
    assert_eq!(stdout.lines().count(), 200_000);
    assert_eq!(stderr, "done\n");
}
