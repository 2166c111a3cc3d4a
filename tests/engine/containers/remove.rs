use serde_json::{Value, json};
use tare_tests::Engine;

#[test]
fn a_running_container_is_removed_only_by_force() {
    let engine = Engine::start();
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "100"]}));
    let message = engine
        .delete(&format!("/containers/{id}"))
        .expect(409)
        .message();
    // Newer engines name it, older ones give its ID; both name the remedy.
    let words = ["cannot remove", "running", "force remove"];
    let message = message.to_lowercase();
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
    assert_eq!(engine.inspect(&id)["State"]["Running"], true);
    engine
        .delete(&format!("/containers/{id}?force=1"))
        .expect(204);
    engine.delete(&format!("/containers/{id}")).expect(404);
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn a_name_is_free_after_the_removal() {
    let engine = Engine::start();
    let body = json!({"Image": "busybox", "Cmd": ["true"]});
    for _ in 0..3 {
        engine
            .post("/containers/create?name=again", body.clone())
            .expect(201);
        engine
            .post("/containers/again/start", Value::Null)
            .expect(204);
        engine.wait("again");
        engine.delete("/containers/again").expect(204);
    }
}

#[test]
fn the_client_removes_several_and_tells_what_it_could_not() {
    let engine = Engine::start();
    for name in ["one", "two"] {
        engine.client(&["create", "--name", name, "busybox"]);
        if engine
            .request("GET", &format!("/containers/{name}/json"), &[])
            .status
            == 404
        {
            engine
                .post(
                    &format!("/containers/create?name={name}"),
                    json!({"Image": "busybox"}),
                )
                .expect(201);
        }
    }
    let output = engine
        .client(&["rm", "one", "nobody", "two"])
        .expect_error(1, &["No such container: nobody"]);
    assert_eq!(output.stdout, "one\ntwo\n");
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn every_container_of_many_is_removed() {
    let engine = Engine::start();
    let ids: Vec<String> = (0..10)
        .map(|_| engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "100"]})))
        .collect();
    std::thread::scope(|scope| {
        for id in &ids {
            let engine = &engine;
            scope.spawn(move || {
                engine
                    .delete(&format!("/containers/{id}?force=true"))
                    .expect(204)
            });
        }
    });
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}
