//! What is refused: with a clear message, and nothing left of it.

use std::net::TcpListener;

use tare_network::{Bridge, Config, EndpointRequest};

use crate::world::{config, eventually, on_host, open, request};

#[test]
fn a_full_subnet_says_so_and_recovers() {
    on_host(|_, _| {
        let subnet = Some("10.0.0.0/29".parse().unwrap());
        let bridge = Bridge::open(Config {
            subnet,
            ..config("tare0")
        })
        .unwrap();
        let held: Vec<_> = (0..5)
            .map(|index| bridge.attach(&request(&format!("c{index}"), &[])).unwrap())
            .collect();
        let error = bridge.attach(&request("late", &["8080:80"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no available IPv4 addresses on this network's address pools: bridge (10.0.0.0/29)"
        );
        bridge.detach(&held[2].record).unwrap();
        let late = bridge.attach(&request("late", &["8080:80"])).unwrap();
        assert_eq!(late.record.address, held[2].record.address);
    });
}

#[test]
fn a_refused_endpoint_leaves_nothing() {
    on_host(|host, _| {
        let bridge = open("tare0");
        let first = bridge.attach(&request("first", &["8080:80"])).unwrap();
        let _foreign = TcpListener::bind("0.0.0.0:9090").unwrap();
        let (links, rules) = (host.links(), host.ruleset());
        let fixed = |address: &str, ports: &[&str]| EndpointRequest {
            address: Some(address.parse().unwrap()),
            ..request("second", ports)
        };
        let cases = [
            (
                request("second", &["7000:1", "8080:80"]),
                "Bind for 0.0.0.0:8080 failed: port is already allocated (by container first)",
            ),
            (
                request("second", &["7000:1", "9090:80"]),
                "listen tcp4 0.0.0.0:9090: bind: address already in use (by ",
            ),
            (
                request("second", &["198.51.100.1:80:80"]),
                "listen tcp4 198.51.100.1:80: bind: cannot assign requested address",
            ),
            (
                request("second", &["7000:1", "7000:2"]),
                "Bind for 0.0.0.0:7000 failed: port is already allocated (by container itself)",
            ),
            (request("second", &["7000:0"]), "invalid port specification"),
            (
                fixed("172.17.0.1", &[]),
                "Address already in use: 172.17.0.1 belongs to the gateway",
            ),
            (
                fixed("172.17.0.2", &["7000:1"]),
                "Address already in use: 172.17.0.2 belongs to first",
            ),
            (
                fixed("10.1.1.1", &["7000:1"]),
                "invalid address 10.1.1.1: It does not belong to any of this network's subnets",
            ),
        ];
        for (request, expected) in cases {
            let error = bridge.attach(&request).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert_eq!(
                (host.links(), host.ruleset()),
                (links.clone(), rules.clone()),
                "{error}"
            );
            assert_eq!(bridge.endpoints(), 1);
        }
        assert!(TcpListener::bind("0.0.0.0:7000").is_ok());
        drop(first);
    });
}

/// The kernel refuses in the middle: a veth in a bridge that somebody deleted,
/// rules in a table that somebody deleted.
#[test]
fn what_was_made_before_the_kernel_refuses_is_undone() {
    on_host(|host, _| {
        let bridge = open("tare0");
        let links = host.links();
        host.command("nft delete table inet tare-tare0");
        let error = bridge
            .attach(&request("web", &["8080:80"]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("map published-any"), "{error}");
        eventually("the interface's end", || host.links() == links);
        assert_eq!(bridge.endpoints(), 0);
        assert!(TcpListener::bind("0.0.0.0:8080").is_ok());

        host.command("ip link delete tare0");
        let links = host.links();
        let error = bridge.attach(&request("web", &[])).unwrap_err().to_string();
        assert!(error.contains("create veth tvweb"), "{error}");
        assert_eq!(host.links(), links);
        assert_eq!(bridge.endpoints(), 0);
    });
}

#[test]
fn a_bridge_that_is_not_ours_is_left_alone() {
    on_host(|host, _| {
        host.command("ip link add taken type bridge");
        host.command("ip link add card type veth peer name card2");
        let rules = host.ruleset();
        let links = host.links();
        let subnet = |text: &str| Config {
            subnet: Some(text.parse().unwrap()),
            ..config("tare0")
        };
        let cases = [
            (
                config("taken"),
                "interface taken exists and was not made by this engine (a bridge of somebody else)",
            ),
            (
                config("card"),
                "interface card exists and was not made by this engine (its type is veth)",
            ),
            (config("a-name-too-long-0"), "invalid bridge name"),
            (config("../lo"), "invalid bridge name"),
            (config(""), "invalid bridge name"),
            (
                subnet("192.0.2.0/28"),
                "subnet 192.0.2.0/28 overlaps 192.0.2.0/24, which the host uses",
            ),
            (subnet("10.0.0.0/31"), "subnet 10.0.0.0/31 is too small"),
            (subnet("10.0.0.255/24"), "subnet 10.0.0.255/24 is too small"),
        ];
        for (config, expected) in cases {
            let error = Bridge::open(config).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert_eq!(
                (host.links(), host.ruleset()),
                (links.clone(), rules.clone()),
                "{error}"
            );
        }
    });
}

#[test]
fn two_engines_never_share_a_bridge() {
    on_host(|_, _| {
        let owner = |owner: &str| Config {
            owner: owner.to_owned(),
            ..config("tare0")
        };
        let first = Bridge::open(owner("one")).unwrap();
        let error = Bridge::open(owner("two")).unwrap_err().to_string();
        assert!(
            error.starts_with("bridge tare0 is in use by another engine"),
            "{error}"
        );
        // It was killed and its container lives on.
        let endpoint = first.attach(&request("c", &[])).unwrap();
        drop(first);
        let error = Bridge::open(owner("two")).unwrap_err().to_string();
        assert!(
            error.contains("containers of the engine one are on it"),
            "{error}"
        );
        // Its owner takes it down; then the bridge is anybody's.
        let first = Bridge::open(owner("one")).unwrap();
        first.reconcile(&[]).unwrap();
        drop((first, endpoint));
        eventually("taking over the bridge", || {
            Bridge::open(owner("two")).is_ok()
        });
    });
}
