use std::sync::Arc;
use tare_tests::{Engine, Leaks, Options, Sandbox};

#[test]
fn a_second_engine_on_the_same_data_root_is_refused() {
    let engine = super::leaks::warm_engine();
    let before = Leaks::count(&engine);
    let data = engine.data_root();
    let output = engine
        .sandbox()
        .command(tare_tests::executable())
        .args([
            "daemon",
            "--host",
            "unix:///run/second.sock",
            "--bridge",
            "second0",
        ])
        .args(["--exec-root", "/run/second", "--pidfile", "/run/second.pid"])
        .arg("--data-root")
        .arg(&data)
        .output()
        .expect("execution");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(&*data.to_string_lossy()), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    before.assert_same(&engine);
    engine.client(&["run", "--rm", "busybox", "true"]).expect(0);
    // Nor on the same socket.
    let output = engine
        .daemon_command(&["--data-root".to_owned(), "/run/other-data".to_owned()])
        .output()
        .expect("execution");
    assert_ne!(output.status.code(), Some(0));
    engine.client(&["ps"]).expect(0);
}

fn engine(sandbox: &Arc<Sandbox>, name: &str) -> Engine {
    let options = Options {
        name: name.to_owned(),
        flags: vec!["--bridge".to_owned(), format!("{name}0")],
        ..Options::default()
    };
    Engine::start_in(Arc::clone(sandbox), options)
}

#[test]
fn several_live_on_one_host() {
    let sandbox = Arc::new(Sandbox::new());
    let engines: Vec<Engine> = ["red", "green", "blue"]
        .iter()
        .map(|name| engine(&sandbox, name))
        .collect();
    for (number, engine) in engines.iter().enumerate() {
        let port = format!("{}:80", 8080 + number);
        engine
            .client(&[
                "run", "-d", "--name", "web", "-p", &port, "busybox", "sleep", "1000",
            ])
            .expect(0);
    }
    let mut subnets = std::collections::BTreeSet::new();
    for engine in &engines {
        let list = engine.get("/containers/json");
        assert_eq!(list.as_array().expect("a list").len(), 1);
        let gateway =
            engine.inspect("web")["NetworkSettings"]["Networks"]["bridge"]["Gateway"].clone();
        subnets.insert(gateway.to_string());
        engine
            .client(&[
                "exec",
                "web",
                "ping",
                "-c",
                "1",
                "-W",
                "2",
                gateway.as_str().expect("text"),
            ])
            .expect(0);
    }
    assert_eq!(subnets.len(), 3, "{subnets:?}");
    let tables = sandbox
        .rules()
        .iter()
        .filter(|line| line.starts_with("table "))
        .count();
    assert!(tables >= 3, "{:?}", sandbox.rules());
    // The end of one is no matter of the others.
    let mut engines = engines;
    let mut last = engines.pop().expect("an engine");
    last.kill();
    for engine in &engines {
        engine.client(&["run", "--rm", "busybox", "true"]).expect(0);
        engine.client(&["rm", "-f", "web"]).expect(0);
    }
    last.start_again();
    last.client(&["exec", "web", "true"]).expect(0);
}

#[test]
fn rules_and_links_of_others_are_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.output("nft", &["add table ip foreign"]);
    sandbox.output(
        "nft",
        &["add chain ip foreign input { type filter hook input priority 0; }"],
    );
    sandbox.output("nft", &["add rule ip foreign input tcp dport 1 drop"]);
    sandbox.output(
        "ip",
        &[
            "link", "add", "veth0", "type", "veth", "peer", "name", "veth1",
        ],
    );
    let foreign = sandbox.output("nft", &["list", "table", "ip", "foreign"]);
    let mut engine = Engine::start_in(sandbox, Options::default());
    engine
        .client(&["run", "-d", "-p", "8080:80", "busybox", "sleep", "1000"])
        .expect(0);
    engine.kill();
    engine.start_again();
    engine.client(&["run", "--rm", "busybox", "true"]).expect(0);
    let sandbox = engine.sandbox();
    assert_eq!(
        sandbox.output("nft", &["list", "table", "ip", "foreign"]),
        foreign
    );
    let links = sandbox.links();
    assert!(
        links.contains(&"veth0".to_owned()) && links.contains(&"veth1".to_owned()),
        "{links:?}"
    );
}
