//! Networks: the bridge and its addresses, none, host, and the way out.

use serde_json::json;
use std::collections::BTreeSet;
use tare_tests::Engine;

fn sleeper(engine: &Engine) -> String {
    engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}))
}

#[test]
fn the_bridge_gives_each_an_address_of_its_own() {
    let engine = Engine::start();
    let containers: Vec<String> = (0..4).map(|_| sleeper(&engine)).collect();
    let mut addresses = BTreeSet::new();
    for id in &containers {
        let seen = engine.inspect(id);
        let network = &seen["NetworkSettings"]["Networks"]["bridge"];
        let address = network["IPAddress"]
            .as_str()
            .expect("an address")
            .to_owned();
        assert_eq!(seen["NetworkSettings"]["IPAddress"], address.as_str());
        let shown = engine
            .client(&["exec", id, "ip", "-o", "-4", "addr", "show", "eth0"])
            .line();
        let prefix = network["IPPrefixLen"].as_u64().expect("a prefix");
        assert!(
            shown.contains(&format!("inet {address}/{prefix} ")),
            "{shown}"
        );
        let link = engine
            .client(&["exec", id, "cat", "/sys/class/net/eth0/address"])
            .line();
        assert_eq!(network["MacAddress"], link.as_str());
        let route = engine.client(&["exec", id, "ip", "route"]).line();
        assert_eq!(
            route.trim(),
            format!(
                "default via {} dev eth0",
                network["Gateway"].as_str().expect("a gateway")
            )
        );
        addresses.insert(address);
    }
    assert_eq!(addresses.len(), 4, "{addresses:?}");
    // They reach each other and the host's side of the bridge.
    for address in &addresses {
        engine
            .client(&[
                "exec",
                &containers[0],
                "ping",
                "-c",
                "1",
                "-W",
                "2",
                address,
            ])
            .expect(0);
    }
    let gateway =
        engine.inspect(&containers[0])["NetworkSettings"]["Networks"]["bridge"]["Gateway"].clone();
    engine
        .client(&[
            "exec",
            &containers[0],
            "ping",
            "-c",
            "1",
            "-W",
            "2",
            gateway.as_str().expect("text"),
        ])
        .expect(0);

    let network = engine.get("/networks/bridge");
    assert_eq!(network["Driver"], "bridge");
    assert_eq!(network["Scope"], "local");
    let listed = network["Containers"].as_object().expect("containers");
    assert_eq!(
        listed.keys().collect::<BTreeSet<_>>(),
        containers.iter().collect()
    );
    for id in &containers {
        engine
            .delete(&format!("/containers/{id}?force=1"))
            .expect(204);
    }
    assert_eq!(engine.get("/networks/bridge")["Containers"], json!({}));
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn none_has_only_itself() {
    let engine = Engine::start();
    let output = engine
        .client(&[
            "run",
            "--rm",
            "--network",
            "none",
            "busybox",
            "ip",
            "-o",
            "addr",
        ])
        .expect(0)
        .stdout;
    assert!(
        output.lines().all(|line| line.contains(": lo ")) && output.contains("127.0.0.1/8"),
        "{output}"
    );
    assert_eq!(
        engine
            .client(&["run", "--rm", "--network", "none", "busybox", "ip", "route"])
            .expect(0)
            .stdout,
        ""
    );
}

#[test]
fn host_has_what_the_host_has() {
    let engine = Engine::start();
    let inside = engine
        .client(&[
            "run",
            "--rm",
            "--network",
            "host",
            "busybox",
            "ls",
            "/sys/class/net",
        ])
        .expect(0)
        .stdout;
    let mut inside: Vec<&str> = inside
        .lines()
        .filter(|name| *name != "bonding_masters")
        .collect();
    inside.sort_unstable();
    assert_eq!(inside, engine.sandbox().links());
    let name = engine
        .client(&["run", "--rm", "--network", "host", "busybox", "hostname"])
        .line();
    assert_eq!(name, engine.sandbox().output("hostname", &[]).trim());
}

/// A machine beyond the host, which has no route back to the bridge's subnet:
/// only with the host's own address does an answer come.
#[test]
fn the_way_out_is_under_the_hosts_address() {
    let engine = Engine::start();
    let sandbox = engine.sandbox();
    outside_machine(sandbox);
    let mut server = sandbox
        .command("ip")
        .args(["netns", "exec", "beyond", "/usr/bin/python3", "-c", SERVER])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a server");
    let output = engine.client(&[
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "for i in 1 2 3 4 5 6 7 8 9; do nc -w 2 192.0.2.2 7000 && exit; sleep 0.2; done",
    ]);
    let address = output.expect(0).stdout;
    server.wait().expect("the server");
    assert_eq!(address, "192.0.2.1");
}

/// Tells the first who connects under which address.
const SERVER: &str = "
import socket
listener = socket.create_server(('0.0.0.0', 7000))
connection, address = listener.accept()
connection.sendall(address[0].encode())
connection.close()
";

/// Makes the network namespace `beyond` with 192.0.2.2, the host being 192.0.2.1.
pub(crate) fn outside_machine(sandbox: &tare_tests::Sandbox) {
    for line in [
        "netns add beyond",
        "link add outside0 type veth peer name eth0 netns beyond",
        "addr add 192.0.2.1/24 dev outside0",
        "link set outside0 up",
        "-n beyond addr add 192.0.2.2/24 dev eth0",
        "-n beyond link set eth0 up",
        "-n beyond link set lo up",
    ] {
        sandbox.output("ip", &line.split(' ').collect::<Vec<_>>());
    }
}

#[test]
fn the_three_are_listed() {
    let engine = Engine::start();
    let list = engine.get("/networks");
    let mut names: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|network| network["Name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["bridge", "host", "none"]);
    for network in list.as_array().expect("a list") {
        let id = network["Id"].as_str().expect("an ID");
        assert_eq!(id.len(), 64, "{network}");
        for name in [id, &id[..12], network["Name"].as_str().expect("a name")] {
            assert_eq!(engine.get(&format!("/networks/{name}"))["Id"], id);
        }
    }
    assert_eq!(
        engine
            .request("GET", "/networks/nothing", &[])
            .expect(404)
            .message(),
        "network nothing not found"
    );
    let subnet = engine.get("/networks/bridge")["IPAM"]["Config"][0]["Subnet"].clone();
    assert!(
        subnet.as_str().is_some_and(|subnet| subnet.contains('/')),
        "{subnet}"
    );
}
