use super::stop::demultiplex;
use serde_json::json;
use tare_tests::Engine;

fn logs(engine: &Engine, id: &str, query: &str) -> (String, String) {
    let answer = engine
        .request("GET", &format!("/containers/{id}/logs?{query}"), &[])
        .expect(200);
    demultiplex(&answer.body)
}

#[test]
fn the_parts_that_are_asked_for() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "for i in 1 2 3 4 5; do echo out $i; sleep 0.01; done; echo err >&2; printf unfinished"],
    }));
    engine.wait(&id);
    let all = "out 1\nout 2\nout 3\nout 4\nout 5\nunfinished";
    let table = [
        ("stdout=1", all, ""),
        ("stderr=1", "", "err\n"),
        ("stdout=1&stderr=1", all, "err\n"),
        ("stdout=1&tail=all", all, ""),
        ("stdout=1&tail=0", "", ""),
        ("stdout=1&follow=1", all, ""),
        ("stdout=1&until=1", "", ""),
        ("stdout=1&since=1", all, ""),
    ];
    for (query, stdout, stderr) in table {
        assert_eq!(
            logs(&engine, &id, query),
            (stdout.to_owned(), stderr.to_owned()),
            "{query}"
        );
    }
    let (tail, _) = logs(&engine, &id, "stdout=1&stderr=1&tail=2");
    assert_eq!(tail, "unfinished");
    let message = engine
        .request("GET", &format!("/containers/{id}/logs"), &[])
        .expect(400)
        .message();
    assert!(
        message.contains("you must choose at least one stream"),
        "{message}"
    );
}

#[test]
fn times_and_since() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "echo first; sleep 1.2; echo second"],
    }));
    engine.wait(&id);
    let (text, _) = logs(&engine, &id, "stdout=1&timestamps=1");
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!((lines[0].1, lines[1].1), ("first", "second"));
    for (time, _) in &lines {
        assert_eq!(time.len(), "2026-01-02T03:04:05.123456789Z".len(), "{time}");
        assert!(time.ends_with('Z'), "{time}");
    }
    // A moment between the two lines: the second of the later one's.
    let second = engine
        .sandbox()
        .output("date", &["-u", "-d", lines[1].0, "+%s"]);
    let second = second.trim();
    let (since, _) = logs(&engine, &id, &format!("stdout=1&since={second}.0"));
    assert_eq!(since, "second\n");
    // The client takes a date as well.
    let moment = format!("{}Z", &lines[1].0[..19]);
    let output = engine.client(&["logs", "--since", &moment, &id]).expect(0);
    assert_eq!(output.stdout, "second\n");
    let (until, _) = logs(&engine, &id, &format!("stdout=1&until={second}.0"));
    assert_eq!(until, "first\n");
}

#[test]
fn following_sees_what_comes_and_ends_with_the_container() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done"],
    }));
    let mut following = engine.open(
        "GET",
        &format!("/containers/{id}/logs?stdout=1&follow=1"),
        &[],
        &[],
    );
    let mut bytes = Vec::new();
    let mut chunks = 0;
    while let Some(chunk) = following.chunk().expect("a chunk") {
        bytes.extend(chunk);
        chunks += 1;
    }
    assert_eq!(demultiplex(&bytes).0, "1\n2\n3\n");
    assert!(chunks >= 2, "they came one by one");
    assert_eq!(engine.inspect(&id)["State"]["Running"], false);
}

#[test]
fn of_a_terminal_as_it_was_written() {
    let engine = Engine::start();
    let id =
        engine.start_container(json!({"Image": "busybox", "Cmd": ["echo", "line"], "Tty": true}));
    engine.wait(&id);
    let answer = engine
        .request("GET", &format!("/containers/{id}/logs?stdout=1"), &[])
        .expect(200);
    assert_eq!(answer.text(), "line\r\n");
}

#[test]
fn a_line_longer_than_any_buffer() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end"],
    }));
    engine.wait(&id);
    let (text, _) = logs(&engine, &id, "stdout=1");
    assert!(
        text == format!("{}\nend\n", "x".repeat(100_000)),
        "{} bytes",
        text.len()
    );
    let (tail, _) = logs(&engine, &id, "stdout=1&tail=1");
    assert_eq!(tail, "end\n");
}

#[test]
fn of_a_container_that_never_started() {
    let engine = Engine::start();
    let id = engine.create(json!({"Image": "busybox"}));
    assert_eq!(
        logs(&engine, &id, "stdout=1&stderr=1"),
        (String::new(), String::new())
    );
}

#[test]
fn by_the_client() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "seq 1 10; echo problem >&2"],
    }));
    engine.wait(&id);
    let output = engine.client(&["logs", &id]).expect(0);
    assert_eq!(output.stdout.lines().count(), 10);
    assert_eq!(output.stderr, "problem\n");
    let output = engine.client(&["logs", "--tail", "3", &id[..12]]).expect(0);
    assert_eq!(output.stdout, "9\n10\n");
    let output = engine.client(&["logs", "-f", "-t", &id]).expect(0);
    assert!(
        output.stdout.lines().all(|line| line.contains("Z ")),
        "{}",
        output.stdout
    );
    engine
        .client(&["logs", "nobody"])
        .expect_error(1, &["No such container: nobody"]);
}
