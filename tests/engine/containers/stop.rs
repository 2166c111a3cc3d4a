use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tare_tests::{Engine, eventually};

/// Ends with `code` at this signal, and says so.
fn trap(signal: &str, code: u32) -> Value {
    let script = format!(
        "trap 'echo trapped; exit {code}' {signal}; echo ready; while :; do sleep 0.05; done"
    );
    json!({"Image": "busybox", "Cmd": ["sh", "-c", script]})
}

fn start_ready(engine: &Engine, configuration: Value) -> String {
    let id = engine.start_container(configuration);
    eventually("the container is ready", || {
        let answer = engine.request("GET", &format!("/containers/{id}/logs?stdout=1"), &[]);
        answer.text().contains("ready").then_some(())
    });
    id
}

#[test]
fn stop_asks_first() {
    let engine = Engine::start();
    let id = start_ready(&engine, trap("TERM", 7));
    engine
        .post(&format!("/containers/{id}/stop"), Value::Null)
        .expect(204);
    let state = engine.inspect(&id)["State"].clone();
    assert_eq!(state["Status"], "exited");
    assert_eq!(state["ExitCode"], 7);
    assert_eq!(state["Pid"], 0);
    assert!(
        state["FinishedAt"].as_str() > state["StartedAt"].as_str(),
        "{state}"
    );
    // Stopped already.
    engine
        .post(&format!("/containers/{id}/stop"), Value::Null)
        .expect(304);
}

#[test]
fn stop_uses_the_containers_signal() {
    let engine = Engine::start();
    let mut configuration = trap("USR1", 8);
    configuration["StopSignal"] = json!("SIGUSR1");
    let id = start_ready(&engine, configuration);
    engine
        .post(&format!("/containers/{id}/stop"), Value::Null)
        .expect(204);
    assert_eq!(engine.inspect(&id)["State"]["ExitCode"], 8);
}

#[test]
fn stop_kills_what_does_not_listen_after_its_time() {
    let engine = Engine::start();
    let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    let id = start_ready(
        &engine,
        json!({"Image": "busybox", "Cmd": ["sh", "-c", script]}),
    );
    let started = Instant::now();
    engine
        .post(&format!("/containers/{id}/stop?t=1"), Value::Null)
        .expect(204);
    let took = started.elapsed();
    assert_eq!(engine.inspect(&id)["State"]["ExitCode"], 137);
    assert!(took >= Duration::from_millis(900), "killed after {took:?}");
}

#[test]
fn kill_sends_any_signal() {
    let engine = Engine::start();
    let script =
        "trap 'echo usr1' USR1; trap 'exit 9' USR2; echo ready; while :; do sleep 0.05; done";
    let id = start_ready(
        &engine,
        json!({"Image": "busybox", "Cmd": ["sh", "-c", script]}),
    );
    engine
        .post(
            &format!("/containers/{id}/kill?signal=SIGUSR1"),
            Value::Null,
        )
        .expect(204);
    eventually("the signal arrives", || {
        let answer = engine.request("GET", &format!("/containers/{id}/logs?stdout=1"), &[]);
        answer.text().contains("usr1").then_some(())
    });
    assert_eq!(engine.inspect(&id)["State"]["Running"], true);
    // By number.
    engine
        .post(&format!("/containers/{id}/kill?signal=12"), Value::Null)
        .expect(204);
    assert_eq!(engine.wait(&id), 9);
    let message = engine
        .post(&format!("/containers/{id}/kill"), Value::Null)
        .expect(409)
        .message();
    assert!(
        message.contains(&format!("ontainer {id} is not running")),
        "{message}"
    );
}

#[test]
fn kill_without_a_signal_is_the_end() {
    let engine = Engine::start();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "100"]}));
    let answer = engine.post(
        &format!("/containers/{id}/kill?signal=NONSENSE"),
        Value::Null,
    );
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer.message().contains("nvalid signal: NONSENSE"),
        "{}",
        answer.text()
    );
    engine
        .post(&format!("/containers/{id}/kill"), Value::Null)
        .expect(204);
    assert_eq!(engine.wait(&id), 137);
}

#[test]
fn a_stopped_container_starts_again_with_what_it_wrote() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "echo x >> /count; cat /count; wc -l < /count"],
    }));
    assert_eq!(engine.wait(&id), 0);
    let first = engine.inspect(&id)["State"]["StartedAt"].clone();
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    assert_eq!(engine.wait(&id), 0);
    assert_ne!(engine.inspect(&id)["State"]["StartedAt"], first);
    let (stdout, _) = engine
        .open("GET", &format!("/containers/{id}/logs?stdout=1"), &[], &[])
        .finish()
        .map(|answer| demultiplex(&answer.body))
        .expect("logs");
    assert_eq!(stdout, "x\n1\nx\nx\n2\n");
}

#[test]
fn starting_what_runs_changes_nothing() {
    let engine = Engine::start();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "100"]}));
    let pid = engine.container_pid(&id);
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(304);
    assert_eq!(engine.container_pid(&id), pid);
}

/// Standard output and standard error of multiplexed bytes.
pub(super) fn demultiplex(mut bytes: &[u8]) -> (String, String) {
    let mut streams = [String::new(), String::new()];
    while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let text = String::from_utf8_lossy(&rest[..length]);
        streams[usize::from(header[0] - 1)].push_str(&text);
        bytes = &rest[length..];
    }
    streams.into()
}
