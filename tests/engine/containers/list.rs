use serde_json::{Value, json};
use tare_tests::Engine;

fn names(list: &Value) -> Vec<String> {
    let mut names: Vec<String> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|container| {
            container["Names"][0]
                .as_str()
                .expect("a name")
                .trim_start_matches('/')
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

fn encoded(filters: &Value) -> String {
    filters
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect()
}

#[test]
fn filters_choose() {
    let engine = Engine::start();
    let make = |name: &str, body: Value| {
        engine
            .post(&format!("/containers/create?name={name}"), body)
            .expect(201);
    };
    make("made", json!({"Image": "busybox", "Labels": {"kind": "a"}}));
    make(
        "runs",
        json!({"Image": "busybox", "Cmd": ["sleep", "100"], "Labels": {"kind": "b", "x": "y"}}),
    );
    make(
        "ended",
        json!({"Image": "busybox", "Cmd": ["sh", "-c", "exit 3"]}),
    );
    for name in ["runs", "ended"] {
        engine
            .post(&format!("/containers/{name}/start"), Value::Null)
            .expect(204);
    }
    engine.wait("ended");

    assert_eq!(names(&engine.get("/containers/json")), ["runs"]);
    assert_eq!(
        names(&engine.get("/containers/json?all=1")),
        ["ended", "made", "runs"]
    );
    let id = engine.inspect("made")["Id"]
        .as_str()
        .expect("an ID")
        .to_owned();
    let table = [
        (json!({"status": ["exited"]}), vec!["ended"]),
        (
            json!({"status": ["exited", "created"]}),
            vec!["ended", "made"],
        ),
        (json!({"name": ["run"]}), vec!["runs"]),
        (json!({"label": ["kind"]}), vec!["made", "runs"]),
        (json!({"label": ["kind=a"]}), vec!["made"]),
        (json!({"label": ["kind", "x=y"]}), vec!["runs"]),
        (json!({"id": [id[..12]]}), vec!["made"]),
        (json!({"exited": ["3"]}), vec!["ended"]),
        (
            json!({"ancestor": ["busybox"]}),
            vec!["ended", "made", "runs"],
        ),
        // The other encoding that clients use.
        (json!({"status": {"running": true}}), vec!["runs"]),
        (json!({"before": ["runs"]}), vec!["made"]),
        (json!({"since": ["made"]}), vec!["ended", "runs"]),
    ];
    for (filters, expected) in table {
        let list = engine.get(&format!(
            "/containers/json?all=1&filters={}",
            encoded(&filters)
        ));
        assert_eq!(names(&list), expected, "{filters}");
    }
    let answer = engine.request(
        "GET",
        &format!(
            "/containers/json?filters={}",
            encoded(&json!({"nonsense": ["1"]}))
        ),
        &[],
    );
    assert_eq!(answer.status, 400, "{}", answer.text());
    // Newest first, and no more than asked for.
    let list = engine.get("/containers/json?limit=2");
    let order: Vec<&Value> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|container| &container["Names"][0])
        .collect();
    assert_eq!(order, ["/ended", "/runs"]);
}

#[test]
fn each_line_tells_what_there_is() {
    let engine = Engine::start();
    let id = engine.start_container(json!({
        "Image": "busybox",
        "Cmd": ["sleep", "100"],
        "Labels": {"a": "b"},
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}},
    }));
    let list = engine.get("/containers/json");
    let container = &list[0];
    assert_eq!(container["Id"], id);
    assert_eq!(container["Image"], "busybox");
    assert!(
        container["ImageID"]
            .as_str()
            .expect("an ID")
            .starts_with("sha256:")
    );
    assert_eq!(container["Command"], "sleep 100");
    assert_eq!(container["State"], "running");
    assert!(
        container["Status"]
            .as_str()
            .expect("a status")
            .starts_with("Up "),
        "{container}"
    );
    assert_eq!(container["Labels"], json!({"a": "b"}));
    assert_eq!(
        container["Ports"],
        json!([{"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}])
    );
    assert!(container["Created"].as_i64().expect("a time") > 1_600_000_000);
    let network = &container["NetworkSettings"]["Networks"]["bridge"];
    assert!(
        network["IPAddress"]
            .as_str()
            .expect("an address")
            .contains('.'),
        "{network}"
    );
}
