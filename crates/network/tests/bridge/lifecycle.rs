//! What is there after open, attach, detach, a crash and destroy; seen from outside.

use std::fs;

use tare_network::{Bridge, Config, EndpointRecord, Reconciled, namespace_loopback_only};

use crate::world::{HOST, Outcome, Place, config, eventually, on_host, open, request};

/// Descriptors of this process.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn nothing_is_left_of_many_endpoints_and_of_the_network() {
    on_host(|host, _| {
        let (links, rules, fds) = (host.links(), host.ruleset(), descriptors());
        let bridge = open("tare0");
        let (open_links, open_rules, open_fds) = (host.links(), host.ruleset(), descriptors());
        assert_eq!(open_links.len(), links.len() + 1);
        for round in 0..20 {
            let ports = ["0:80", "8080:81", "127.0.0.1:8081:82/udp"];
            let endpoint = bridge
                .attach(&request(&format!("container{round}"), &ports))
                .unwrap();
            assert_eq!(endpoint.port_holders.len(), 3);
            bridge.detach(&endpoint.record).unwrap();
            bridge.detach(&endpoint.record).unwrap();
        }
        assert_eq!(bridge.endpoints(), 0);
        assert_eq!(host.ruleset(), open_rules);
        assert_eq!(descriptors(), open_fds);
        eventually("the interfaces' end", || host.links() == open_links);
        bridge.destroy().unwrap();
        drop(bridge);
        assert_eq!(host.links(), links);
        assert_eq!(host.ruleset(), rules);
        assert_eq!(descriptors(), fds);
    });
}

/// A container that outlives its detach (its namespace is still held) loses its
/// interface all the same.
#[test]
fn an_interface_goes_although_its_namespace_lives() {
    on_host(|host, _| {
        let bridge = open("tare0");
        let before = host.links();
        let endpoint = bridge.attach(&request("held", &[])).unwrap();
        assert!(host.links().contains(&endpoint.record.host_interface));
        bridge.detach(&endpoint.record).unwrap();
        eventually("the interface's end", || host.links() == before);
        drop(endpoint);
    });
}

#[test]
fn the_container_s_side_is_set_up() {
    on_host(|host, _| {
        let bridge = Bridge::open(Config {
            mtu: Some(1400),
            ..config("tare0")
        })
        .unwrap();
        let mut wanted = request("0123456789abcdef", &[]);
        wanted.address = Some("172.17.5.6".parse().unwrap());
        wanted.mac = Some("92:d0:c6:0a:29:33".parse().unwrap());
        let endpoint = bridge.attach(&wanted).unwrap();
        let inside = Place::of(&endpoint);
        assert_eq!(inside.links().len(), 2);
        let addresses = inside.command("ip -o addr");
        for expected in ["127.0.0.1/8", "::1/128", "172.17.5.6/16 brd 172.17.255.255"] {
            assert!(addresses.contains(expected), "{expected} in {addresses}");
        }
        assert!(!addresses.contains("fe80"), "{addresses}");
        let link = inside.command("ip link show eth0");
        assert!(
            link.contains("mtu 1400") && link.contains("92:d0:c6:0a:29:33"),
            "{link}"
        );
        assert!(link.contains("LOWER_UP"), "{link}");
        let routes = inside.command("ip route");
        assert!(
            routes.contains("default via 172.17.0.1 dev eth0"),
            "{routes}"
        );
        assert!(endpoint.record.host_interface.starts_with("tv0123456"));
        let port = host.command(&format!("ip link show {}", endpoint.record.host_interface));
        assert!(
            port.contains("mtu 1400") && port.contains("master tare0"),
            "{port}"
        );
        let own = host.command("ip -o addr show tare0");
        assert!(own.contains("172.17.0.1/16"), "{own}");
    });
}

/// Below 1280 bytes there is no IPv6, and its settings do not exist.
#[test]
fn a_small_mtu_works() {
    on_host(|host, _| {
        let bridge = Bridge::open(Config {
            mtu: Some(576),
            ..config("tare0")
        })
        .unwrap();
        let endpoint = bridge.attach(&request("small", &[])).unwrap();
        let server = Place::of(&endpoint).listen(80);
        host.talk(&format!("{}:80", endpoint.record.address), &server);
    });
}

#[test]
fn a_container_without_network_has_loopback_only() {
    let inside = Place(namespace_loopback_only().unwrap());
    assert_eq!(inside.links().into_iter().collect::<Vec<_>>(), ["lo"]);
    let server = inside.listen(80);
    inside.talk("127.0.0.1:80", &server);
    assert!(inside.command("ip route").is_empty());
}

/// The engine is killed and started again; records are all that it keeps.
#[test]
fn containers_live_through_a_restart_of_the_engine() {
    on_host(|host, outside| {
        let bridge = open("tare0");
        let kept = bridge
            .attach(&request("kept", &["8080:80", "127.0.0.1:8081:80"]))
            .unwrap();
        let lost = bridge.attach(&request("lost", &["9090:80"])).unwrap();
        let server = Place::of(&kept).listen(80);
        let records = [stored(&kept.record)];
        drop(bridge);
        outside.talk(&format!("{HOST}:8080"), &server);

        let bridge = open("tare0");
        outside.talk(&format!("{HOST}:8080"), &server);
        let done = bridge.reconcile(&records).unwrap();
        let expected = Reconciled {
            removed: vec![lost.record.host_interface.clone()],
            disconnected: vec![],
        };
        assert_eq!(done, expected);
        outside.talk(&format!("{HOST}:8080"), &server);
        host.talk("127.0.0.1:8081", &server);
        assert!(!host.ruleset().contains("9090"));
        eventually("the leftover's end", || {
            !host.links().contains(&lost.record.host_interface)
        });
        assert!(host.links().contains(&kept.record.host_interface));

        // The books know the survivor again.
        let error = bridge
            .attach(&request("new", &["8080:80"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "Bind for 0.0.0.0:8080 failed: port is already allocated (by container kept"
            ),
            "{error}"
        );
        let mut same = request("new", &[]);
        same.address = Some(kept.record.address);
        assert!(bridge.attach(&same).is_err());
        assert_ne!(
            bridge.attach(&request("new", &[])).unwrap().record.address,
            kept.record.address
        );
        // Once more changes nothing, and the survivor can be taken down.
        assert_eq!(
            bridge.reconcile(&records).unwrap().disconnected,
            Vec::<String>::new()
        );
        bridge.detach(&records[0]).unwrap();
        assert_eq!(outside.knock(&format!("{HOST}:8080")), Outcome::Refused);
    });
}

/// Through the form that the engine stores.
fn stored(record: &EndpointRecord) -> EndpointRecord {
    serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap()
}

#[test]
fn a_container_whose_interface_is_gone_is_named() {
    on_host(|host, _| {
        let bridge = open("tare0");
        let endpoint = bridge.attach(&request("unplugged", &["8080:80"])).unwrap();
        host.command(&format!(
            "ip link delete {}",
            endpoint.record.host_interface
        ));
        let done = bridge
            .reconcile(std::slice::from_ref(&endpoint.record))
            .unwrap();
        assert_eq!(done.disconnected, ["unplugged"]);
        // Records that contradict the subnet or each other: told, and the rest done.
        let mut moved = endpoint.record.clone();
        moved.address = "10.0.0.9".parse().unwrap();
        moved.host_interface = "tvmoved".to_owned();
        let mut twin = endpoint.record.clone();
        twin.address = "172.17.0.99".parse().unwrap();
        twin.host_interface = "tvtwin".to_owned();
        let errors = bridge
            .reconcile(&[moved, endpoint.record.clone(), twin])
            .unwrap_err();
        assert_eq!(errors.0.len(), 2, "{errors}");
        let rules = host.ruleset();
        assert!(
            rules.contains("8080") && rules.contains("172.17.0.2"),
            "{rules}"
        );
    });
}

/// Someone flushed the rules: a reconciliation brings them back, and a detach in
/// between does not mind.
#[test]
fn flushed_rules_are_made_again() {
    on_host(|host, outside| {
        let bridge = open("tare0");
        let web = bridge.attach(&request("web", &["8080:80"])).unwrap();
        let gone = bridge
            .attach(&request("gone", &["8081:80", "8082:80"]))
            .unwrap();
        let server = Place::of(&web).listen(80);
        host.command("nft flush ruleset");
        assert_eq!(outside.knock(&format!("{HOST}:8080")), Outcome::Refused);
        bridge.detach(&gone.record).unwrap();
        bridge.reconcile(std::slice::from_ref(&web.record)).unwrap();
        outside.talk(&format!("{HOST}:8080"), &server);
    });
}

#[test]
fn engines_side_by_side_share_nothing() {
    on_host(|host, _| {
        host.command("nft add table inet precious");
        host.command("ip link add docker0 type bridge");
        host.command("ip addr add 172.17.0.1/16 dev docker0");
        host.command("ip route add 172.18.4.0/24 dev uplink");
        let before = host.ruleset();
        let one = Bridge::open(Config {
            owner: "one".to_owned(),
            ..config("tare1")
        })
        .unwrap();
        let two = Bridge::open(Config {
            owner: "two".to_owned(),
            ..config("tare2")
        })
        .unwrap();
        assert_eq!(one.subnet().to_string(), "172.19.0.0/16");
        assert_eq!(two.subnet().to_string(), "172.20.0.0/16");
        let endpoint = two.attach(&request("web", &["8080:80"])).unwrap();
        one.reconcile(&[]).unwrap();
        one.destroy().unwrap();
        let links = host.links();
        assert!(links.contains("tare2") && links.contains(&endpoint.record.host_interface));
        assert!(!links.contains("tare1") && host.ruleset().contains("8080"));
        two.destroy().unwrap();
        assert_eq!(host.ruleset(), before);
    });
}

#[test]
fn the_subnet_is_kept_or_changed_as_configured() {
    on_host(|host, _| {
        let with = |subnet: Option<&str>| Config {
            subnet: subnet.map(|text| text.parse().unwrap()),
            ..config("tare0")
        };
        let cases = [
            (Some("10.20.0.0/24"), "10.20.0.1", "10.20.0.2"),
            (None, "10.20.0.1", "10.20.0.2"),
            (Some("10.30.0.9/24"), "10.30.0.9", "10.30.0.1"),
        ];
        for (subnet, gateway, first) in cases {
            let bridge = Bridge::open(with(subnet)).unwrap();
            bridge.reconcile(&[]).unwrap();
            assert_eq!(bridge.gateway().to_string(), gateway);
            let endpoint = bridge.attach(&request("c", &[])).unwrap();
            assert_eq!(endpoint.record.address.to_string(), first);
            bridge.detach(&endpoint.record).unwrap();
        }
        let addresses = host.command("ip -o -4 addr show tare0");
        assert_eq!(addresses.lines().count(), 1, "{addresses}");
    });
}
