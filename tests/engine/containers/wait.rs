use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tare_tests::Engine;

fn sleeper(engine: &Engine, seconds: &str) -> String {
    engine.create(
        json!({"Image": "busybox", "Cmd": ["sh", "-c", format!("sleep {seconds}; exit 6")]}),
    )
}

#[test]
fn the_head_of_the_answer_comes_before_the_end() {
    let engine = Engine::start();
    let id = sleeper(&engine, "1");
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    let started = Instant::now();
    let connection = engine.open("POST", &format!("/containers/{id}/wait"), &[], &[]);
    assert_eq!(connection.status, 200);
    let head = started.elapsed();
    let answer = connection.finish().expect("the answer").json();
    let whole = started.elapsed();
    assert_eq!(answer["StatusCode"], 6);
    assert!(
        whole > head + Duration::from_millis(200),
        "{head:?}, {whole:?}"
    );
}

#[test]
fn next_exit_waits_for_a_start_first() {
    let engine = Engine::start();
    let id = sleeper(&engine, "0");
    let waiting = engine.open(
        "POST",
        &format!("/containers/{id}/wait?condition=next-exit"),
        &[],
        &[],
    );
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    assert_eq!(
        waiting.finish().expect("the answer").json()["StatusCode"],
        6
    );
    // Not running now: the default condition is met.
    assert_eq!(engine.wait(&id), 6);
}

#[test]
fn removed_waits_for_the_removal() {
    let engine = Engine::start();
    let id = engine.create(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "exit 2"],
        "HostConfig": {"AutoRemove": true},
    }));
    let waiting = engine.open(
        "POST",
        &format!("/containers/{id}/wait?condition=removed"),
        &[],
        &[],
    );
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    assert_eq!(
        waiting.finish().expect("the answer").json()["StatusCode"],
        2
    );
    let answer = engine.request("GET", &format!("/containers/{id}/json"), &[]);
    assert_eq!(answer.status, 404, "{}", answer.text());
}

#[test]
fn several_wait_for_one() {
    let engine = Engine::start();
    let id = sleeper(&engine, "0.3");
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    let waiting: Vec<_> = (0..10)
        .map(|_| engine.open("POST", &format!("/containers/{id}/wait"), &[], &[]))
        .collect();
    for connection in waiting {
        assert_eq!(
            connection.finish().expect("the answer").json()["StatusCode"],
            6
        );
    }
}
