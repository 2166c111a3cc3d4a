//! Published ports, reached over real connections.

use crate::networks::outside_machine;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tare_tests::{Engine, Sandbox, eventually};

/// Serves its own host name on port 80.
fn web(engine: &Engine, name: &str, bindings: Value) -> String {
    engine.start_container(json!({
        "Image": "busybox",
        "Hostname": name,
        "Cmd": ["sh", "-c", "mkdir /www && hostname > /www/index.html && exec httpd -f -p 80 -h /www"],
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {"PortBindings": {"80/tcp": bindings}},
    }))
}

/// A script that fetches the page from port 8080 of an address.
fn get(address: &str) -> String {
    format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 5 {address} 8080")
}

fn fetch(sandbox: &Sandbox, address: &str) -> Option<String> {
    let address: SocketAddr = address.parse().expect("an address");
    let mut stream = sandbox.connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.split("\r\n\r\n")
        .nth(1)
        .map(|body| body.trim().to_owned())
}

#[track_caller]
fn expect(sandbox: &Sandbox, address: &str, name: &str) {
    let body = eventually(&format!("{address} answers"), || {
        fetch(sandbox, address).filter(|body| !body.is_empty())
    });
    assert_eq!(body, name, "{address}");
}

#[test]
fn reached_from_everywhere() {
    let engine = Engine::start();
    let sandbox = engine.sandbox();
    outside_machine(sandbox);
    let id = web(&engine, "one", json!([{"HostPort": "8080"}]));
    let own = engine.inspect(&id)["NetworkSettings"]["IPAddress"]
        .as_str()
        .expect("an address")
        .to_owned();
    expect(sandbox, &format!("{own}:80"), "one");
    expect(sandbox, "192.0.2.1:8080", "one");
    expect(sandbox, "127.0.0.1:8080", "one");
    // From beyond the host.
    let page = sandbox.output(
        "ip",
        &["netns", "exec", "beyond", "sh", "-c", &get("192.0.2.1")],
    );
    assert!(page.ends_with("\r\n\r\none\n"), "{page}");
    // From another container, and from itself, by the host's address.
    let gateway = engine.inspect(&id)["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
        .as_str()
        .expect("text")
        .to_owned();
    let script = get(&gateway);
    let page = engine
        .client(&["run", "--rm", "busybox", "sh", "-c", &script])
        .expect(0)
        .stdout;
    assert!(page.ends_with("\r\n\r\none\n"), "{page}");
    let page = engine
        .client(&["exec", &id, "sh", "-c", &script])
        .expect(0)
        .stdout;
    assert!(page.ends_with("\r\n\r\none\n"), "{page}");

    let ports = engine.inspect(&id)["NetworkSettings"]["Ports"]["80/tcp"].clone();
    assert!(
        ports
            .as_array()
            .expect("a list")
            .contains(&json!({"HostIp": "0.0.0.0", "HostPort": "8080"})),
        "{ports}"
    );
    // Gone with the container.
    engine
        .post(&format!("/containers/{id}/kill"), Value::Null)
        .expect(204);
    engine.wait(&id);
    eventually("the port is closed", || {
        fetch(sandbox, "192.0.2.1:8080").is_none().then_some(())
    });
    // And back with it.
    engine.client(&["rm", &id]).expect(0);
    web(&engine, "two", json!([{"HostPort": "8080"}]));
    expect(sandbox, "192.0.2.1:8080", "two");
}

#[test]
fn one_address_only() {
    let engine = Engine::start();
    let sandbox = engine.sandbox();
    outside_machine(sandbox);
    web(
        &engine,
        "local",
        json!([{"HostIp": "127.0.0.1", "HostPort": "8080"}]),
    );
    expect(sandbox, "127.0.0.1:8080", "local");
    assert_eq!(fetch(sandbox, "192.0.2.1:8080"), None);
    web(
        &engine,
        "outer",
        json!([{"HostIp": "192.0.2.1", "HostPort": "8080"}]),
    );
    expect(sandbox, "192.0.2.1:8080", "outer");
    expect(sandbox, "127.0.0.1:8080", "local");
}

#[test]
fn a_port_is_chosen_when_none_is_named() {
    let engine = Engine::start();
    let sandbox = engine.sandbox();
    let ids: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| web(&engine, name, json!([{"HostPort": ""}])))
        .collect();
    let mut ports = std::collections::BTreeSet::new();
    for (id, name) in ids.iter().zip(["a", "b", "c"]) {
        let port = engine.inspect(id)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"]
            .as_str()
            .expect("a port")
            .to_owned();
        expect(sandbox, &format!("127.0.0.1:{port}"), name);
        ports.insert(port);
        let asked =
            engine.inspect(id)["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"].clone();
        assert_eq!(asked, "");
    }
    assert_eq!(ports.len(), 3, "{ports:?}");
}

#[test]
fn a_port_in_use_is_an_error_that_names_it() {
    let engine = Engine::start();
    let sandbox = engine.sandbox();
    let id = web(&engine, "first", json!([{"HostPort": "8080"}]));
    let output = engine.client(&[
        "run", "--name", "second", "-p", "8080:80", "busybox", "true",
    ]);
    assert_eq!(output.code, 125, "{output:?}");
    assert!(
        output.stderr.contains("port is already allocated") && output.stderr.contains("8080"),
        "{output:?}"
    );
    let state = engine.inspect("second")["State"].clone();
    assert_eq!(
        (&state["Status"], &state["ExitCode"]),
        (&json!("created"), &json!(128)),
        "{state}"
    );
    // Held by something that is no container.
    let listener = sandbox
        .listen("0.0.0.0:9090".parse().expect("an address"))
        .expect("a listener");
    let output = engine.client(&["run", "--rm", "-p", "9090:80", "busybox", "true"]);
    assert_eq!(output.code, 125, "{output:?}");
    assert!(
        output.stderr.contains("address already in use") && output.stderr.contains("9090"),
        "{output:?}"
    );
    drop(listener);
    engine
        .client(&["run", "--rm", "-p", "9090:80", "busybox", "true"])
        .expect(0);
    // The first is as it was.
    expect(sandbox, "127.0.0.1:8080", "first");
    engine
        .delete(&format!("/containers/{id}?force=1"))
        .expect(204);
    engine
        .post("/containers/second/start", Value::Null)
        .expect(204);
}

#[test]
fn a_published_port_is_visibly_taken() {
    let engine = Engine::start();
    web(&engine, "holder", json!([{"HostPort": "8080"}]));
    let result = engine
        .sandbox()
        .listen("0.0.0.0:8080".parse().expect("an address"));
    assert_eq!(
        result.map(|_| ()).map_err(|error| error.kind()),
        Err(std::io::ErrorKind::AddrInUse)
    );
}

/// Sends every datagram back.
const ECHO: &str = "my $s = IO::Socket::INET->new(LocalPort => 53, Proto => 'udp'); \
    my $m; while ($s->recv($m, 64)) { $s->send($m) }";

#[test]
fn datagrams() {
    let engine = Engine::start_with_images(&["debian"]);
    let sandbox = engine.sandbox();
    outside_machine(sandbox);
    engine.start_container(json!({
        "Image": "debian:bookworm-slim",
        "Cmd": ["perl", "-MIO::Socket::INET", "-e", ECHO],
        "HostConfig": {"PortBindings": {"53/udp": [{"HostPort": "5353"}]}},
        "ExposedPorts": {"53/udp": {}},
    }));
    let socket = sandbox.datagram_socket().expect("a socket");
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a timeout");
    eventually("an answer comes", || {
        socket.send_to(b"question", "192.0.2.1:5353").ok()?;
        let mut buffer = [0; 64];
        let count = socket.recv(&mut buffer).ok()?;
        (&buffer[..count] == b"question").then_some(())
    });
}

#[test]
fn the_client_shows_them() {
    let engine = Engine::start();
    engine
        .client(&[
            "run",
            "-d",
            "-p",
            "127.0.0.1:8080:80",
            "-p",
            "9000-9001:9000-9001/udp",
            "busybox",
            "sleep",
            "100",
        ])
        .expect(0);
    let line = engine.client(&["ps"]).expect(0).stdout;
    assert!(line.contains("127.0.0.1:8080->80/tcp"), "{line}");
    assert!(line.contains("9000-9001->9000-9001/udp"), "{line}");
}
