//! Pulls from Debian's docker-registry.

use serde_json::json;
use tare_tests::{Engine, Options, Registry, Sandbox, Terminal};

fn empty_engine(sandbox: Sandbox) -> Engine {
    let options = Options {
        images: Vec::new(),
        ..Options::default()
    };
    Engine::start_in(sandbox, options)
}

#[test]
fn by_tag_then_run() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "busybox", "some/busybox:1.35");
    let output = engine.client(&["pull", &name]).expect(0);
    let last: Vec<&str> = output.stdout.lines().collect();
    assert!(
        last.contains(&format!("Status: Downloaded newer image for {name}").as_str()),
        "{}",
        output.stdout
    );
    assert!(
        last.iter().any(|line| line.starts_with("Digest: sha256:")),
        "{}",
        output.stdout
    );
    assert!(
        last.iter().any(|line| line.ends_with(": Pull complete")),
        "{}",
        output.stdout
    );
    assert_eq!(last.last(), Some(&name.as_str()));
    assert_eq!(
        engine
            .client(&["run", "--rm", &name, "echo", "pulled"])
            .line(),
        "pulled"
    );
    let seen = engine.get(&format!("/images/{name}/json"));
    assert_eq!(seen["RepoTags"], json!([name]));
    let digest = seen["RepoDigests"][0]
        .as_str()
        .expect("a digest")
        .to_owned();
    assert!(
        digest.starts_with(&format!("{}/some/busybox@sha256:", registry.host())),
        "{digest}"
    );
    // A second pull finds everything there.
    let output = engine.client(&["pull", &name]).expect(0);
    assert!(
        output
            .stdout
            .contains(&format!("Status: Image is up to date for {name}")),
        "{}",
        output.stdout
    );
    // By digest.
    engine.client(&["rmi", &name]).expect(0);
    engine.client(&["pull", &digest]).expect(0);
    assert_eq!(
        engine
            .client(&["run", "--rm", &digest, "echo", "same"])
            .line(),
        "same"
    );
}

#[test]
fn a_missing_image_is_pulled_by_run() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "layers", "layers:latest");
    let output = engine
        .client(&["run", "--rm", &name, "cat", "/data/removed"])
        .expect(0);
    assert_eq!(output.stdout, "9\n");
    assert!(
        output
            .stderr
            .contains(&format!("Unable to find image '{name}' locally")),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("Status: Downloaded newer image"),
        "{}",
        output.stderr
    );
}

#[test]
fn the_messages_of_the_api() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    registry.fill(engine.sandbox(), "layers", "layers:latest");
    let path = format!(
        "/images/create?fromImage={}/layers&tag=latest",
        registry.host()
    );
    let answer = engine.request("POST", &path, &[]).expect(200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let messages = answer.messages();
    assert_eq!(
        messages[0],
        json!({"status": "Pulling from layers", "id": "latest"})
    );
    let complete = messages
        .iter()
        .filter(|message| message["status"] == "Pull complete")
        .count();
    // Thirteen layers, of which the empty one may be known already.
    assert!(complete >= 12, "{messages:#?}");
    let downloads: Vec<_> = messages
        .iter()
        .filter(|message| message["status"] == "Downloading")
        .collect();
    for message in &downloads {
        let detail = &message["progressDetail"];
        assert!(
            detail["current"].as_u64() <= detail["total"].as_u64(),
            "{message}"
        );
    }
}

#[test]
fn ours_is_picked_out_of_several_platforms() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "platforms", "platforms:latest");
    engine.client(&["pull", &name]).expect(0);
    assert_eq!(
        engine.get(&format!("/images/{name}/json"))["Architecture"],
        "amd64"
    );
    assert_eq!(
        engine.client(&["run", "--rm", &name]).line(),
        "hello from amd64"
    );
    // Another one is there for who asks.
    engine
        .client(&["pull", "--platform", "linux/arm64", &name])
        .expect(0);
    assert_eq!(
        engine.get(&format!("/images/{name}/json"))["Architecture"],
        "arm64"
    );
    let output = engine.client(&["pull", "--platform", "linux/s390x", &name]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output
            .stderr
            .contains("no matching manifest for linux/s390x in the manifest list entries"),
        "{output:?}"
    );
}

#[test]
fn what_is_not_there() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    registry.fill(engine.sandbox(), "hello", "there:latest");
    let host = registry.host();
    let output = engine.client(&["pull", &format!("{host}/there:other")]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stderr.contains(&format!(
            "manifest for {host}/there:other not found: manifest unknown"
        )),
        "{output:?}"
    );
    // Nobody listens.
    let output = engine.client(&["pull", "127.0.0.1:9/nothing"]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stderr.contains("connection refused") && output.stderr.contains("127.0.0.1:9"),
        "{output:?}"
    );
    engine
        .client(&["run", "--rm", &format!("{host}/nobody")])
        .expect(125);
    assert_eq!(engine.get("/images/json"), json!([]));
}

#[test]
fn with_a_password() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start_with_password(engine.sandbox(), "somebody", "something");
    let name = registry.fill(engine.sandbox(), "hello", "hello:latest");
    let output = engine.client(&["pull", &name]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stderr.contains("no basic auth credentials")
            || output.stderr.contains("unauthorized"),
        "{output:?}"
    );
    // {"username": "somebody", "password": "something"} as a header, as clients send it.
    let path = format!(
        "/images/create?fromImage={}/hello&tag=latest",
        registry.host()
    );
    let header = "eyJ1c2VybmFtZSI6ICJzb21lYm9keSIsICJwYXNzd29yZCI6ICJzb21ldGhpbmcifQ==";
    let answer = engine
        .request_with("POST", &path, &[("X-Registry-Auth", header)], &[])
        .expect(200);
    assert!(!answer.text().contains("errorDetail"), "{}", answer.text());
    assert_eq!(
        engine.client(&["run", "--rm", &name]).line(),
        "hello from amd64"
    );
}

#[test]
fn the_terminal_shows_progress() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "layers", "layers:latest");
    let (seen, code) = Terminal::start(engine.client_command(&["pull", &name])).finish();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Pull complete"), "{seen}");
    // Lines are drawn over each other.
    assert!(seen.contains('\x1b'), "{seen}");
    let (seen, code) = Terminal::start(engine.client_command(&["pull", "-q", &name])).finish();
    assert_eq!((seen.as_str(), code), (format!("{name}\r\n").as_str(), 0));
}

#[test]
fn several_at_once() {
    let engine = empty_engine(Sandbox::new());
    let registry = Registry::start(engine.sandbox());
    let names: Vec<String> = [
        "busybox",
        "layers",
        "user-by-name",
        "user-by-number",
        "layers",
    ]
    .iter()
    .map(|image| registry.fill(engine.sandbox(), image, &format!("{image}:latest")))
    .collect();
    let engine = &engine;
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(move || engine.client(&["pull", name]).expect(0));
        }
    });
    for name in &names {
        assert_eq!(
            engine
                .client(&["run", "--rm", "--entrypoint", "echo", name, "ok"])
                .line(),
            "ok"
        );
    }
}
