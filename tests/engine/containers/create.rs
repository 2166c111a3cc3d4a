use serde_json::{Value, json};
use tare_tests::Engine;

#[test]
fn answers_an_id_and_inspect_shows_what_was_asked() {
    let engine = Engine::start();
    let answer = engine
        .post(
            "/containers/create?name=first",
            json!({
                "Image": "busybox",
                "Cmd": ["sleep", "100"],
                "Env": ["A=1"],
                "Labels": {"purpose": "tests"},
                "Hostname": "named",
                "HostConfig": {"Memory": 33_554_432, "PidsLimit": 20},
            }),
        )
        .expect(201)
        .json();
    let id = answer["Id"].as_str().expect("an ID");
    assert_eq!(id.len(), 64, "{id}");
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(answer["Warnings"], json!([]));

    let seen = engine.inspect("first");
    assert_eq!(seen["Id"], id);
    assert_eq!(seen["Name"], "/first");
    assert_eq!(seen["Path"], "sleep");
    assert_eq!(seen["Args"], json!(["100"]));
    assert_eq!(seen["State"]["Status"], "created");
    assert_eq!(seen["State"]["Running"], false);
    assert_eq!(seen["State"]["Pid"], 0);
    assert_eq!(seen["Config"]["Image"], "busybox");
    assert_eq!(seen["Config"]["Cmd"], json!(["sleep", "100"]));
    assert_eq!(seen["Config"]["Hostname"], "named");
    assert_eq!(seen["Config"]["Labels"], json!({"purpose": "tests"}));
    let environment = seen["Config"]["Env"].as_array().expect("Env");
    assert_eq!(environment[0], "A=1");
    assert!(environment[1].as_str().expect("text").starts_with("PATH="));
    assert_eq!(seen["HostConfig"]["Memory"], 33_554_432);
    assert_eq!(seen["HostConfig"]["PidsLimit"], 20);
    assert_eq!(seen["RestartCount"], 0);
    assert!(
        seen["Image"]
            .as_str()
            .expect("an image")
            .starts_with("sha256:")
    );
    assert!(seen["Created"].as_str().expect("a time").starts_with("20"));
    // By name, by whole ID and by the start of it.
    assert_eq!(engine.inspect(id)["Id"], id);
    assert_eq!(engine.inspect(&id[..12])["Id"], id);
}

#[test]
fn a_name_is_taken_once_and_has_to_be_a_name() {
    let engine = Engine::start();
    let body = json!({"Image": "busybox"});
    let first = engine
        .post("/containers/create?name=one", body.clone())
        .expect(201)
        .json();
    let message = engine
        .post("/containers/create?name=one", body.clone())
        .expect(409)
        .message();
    assert!(
        message.contains("The container name \"/one\" is already in use by container"),
        "{message}"
    );
    assert!(
        message.contains(first["Id"].as_str().expect("an ID")),
        "{message}"
    );
    let message = engine
        .post("/containers/create?name=b%20d", body.clone())
        .expect(400)
        .message();
    assert!(
        message.contains("Invalid container name (b d)"),
        "{message}"
    );
    // Without a name one is made up, and it is a different one each time.
    let names: Vec<Value> = (0..2)
        .map(|_| engine.inspect(&engine.create(body.clone()))["Name"].clone())
        .collect();
    assert_ne!(names[0], names[1]);
    assert!(
        names[0].as_str().is_some_and(|name| name.len() > 4),
        "{names:?}"
    );
}

#[test]
fn what_cannot_be_made_is_refused_with_a_reason() {
    let engine = Engine::start();
    let table = [
        (
            json!({"Image": "nothing-of-the-kind"}),
            404,
            "No such image: nothing-of-the-kind:latest",
        ),
        (json!({"Image": "UPPER"}), 400, "invalid reference format"),
        (
            json!({"Image": "busybox", "HostConfig": {"Memory": 1000}}),
            400,
            "inimum memory limit",
        ),
        (
            json!({"Image": "busybox", "HostConfig": {"NetworkMode": "container:nobody"}}),
            404,
            "No such container: nobody",
        ),
    ];
    for (body, status, words) in table {
        // Docker looks at the network only when it starts.
        if status == 404 && body["HostConfig"].is_object() {
            continue;
        }
        let answer = engine.post("/containers/create", body.clone());
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        let message = answer.message();
        assert!(message.contains(words), "{body}: {message}");
    }
    let broken = engine.request("POST", "/containers/create", b"{\"Image\": \"busy");
    assert!(
        broken.status == 400 || broken.status == 500,
        "{}",
        broken.text()
    );
    assert!(!broken.message().is_empty());
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn nothing_to_run_is_an_error() {
    let engine = Engine::start();
    let answer = engine.post(
        "/containers/create",
        json!({"Image": "busybox", "Entrypoint": [""], "Cmd": []}),
    );
    // An empty entrypoint takes the image's command away as well.
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer
            .message()
            .to_lowercase()
            .contains("no command specified"),
        "{}",
        answer.message()
    );
}

#[test]
fn what_is_not_there_is_not_found() {
    let engine = Engine::start();
    let table = [
        ("GET", "/containers/nobody/json"),
        ("POST", "/containers/nobody/start"),
        ("POST", "/containers/nobody/stop"),
        ("POST", "/containers/nobody/kill"),
        ("POST", "/containers/nobody/wait"),
        ("POST", "/containers/nobody/resize?h=1&w=1"),
        ("GET", "/containers/nobody/logs?stdout=1"),
        ("DELETE", "/containers/nobody"),
    ];
    for (method, path) in table {
        let answer = engine.request(method, path, &[]);
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
        let message = answer.message();
        assert!(
            message.ends_with("No such container: nobody"),
            "{method} {path}: {message}"
        );
    }
}
