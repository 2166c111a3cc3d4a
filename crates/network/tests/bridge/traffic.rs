//! Who reaches whom, by real connections.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use crate::world::{HOST, OUTSIDE, Outcome, Place, on_host, open, request};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Every way to a published port, with bridged packets passing the firewall and
/// without (the kernel's default differs by whether br_netfilter is there).
#[test]
fn a_published_port_is_reached_from_everywhere() {
    for bridged_packets_filtered in ["0", "1"] {
        on_host(|host, outside| {
            host.set("bridge/bridge-nf-call-iptables", bridged_packets_filtered);
            let bridge = open("tare0");
            let other_bridge = open("tare1");
            let web = bridge
                .attach(&request("web", &["8080:80", "5300:53/udp"]))
                .unwrap();
            let neighbour = bridge.attach(&request("neighbour", &[])).unwrap();
            let stranger = other_bridge.attach(&request("stranger", &[])).unwrap();
            let inside = Place::of(&web);
            let (tcp, udp) = (inside.listen(80), inside.udp(53));
            let gateway = bridge.gateway().to_string();
            let (neighbour, stranger) = (Place::of(&neighbour), Place::of(&stranger));

            // From where, to which address of the host, and whom the server sees.
            let ways: [(&str, &Place, &str, Option<IpAddr>); 9] = [
                ("outside", outside, HOST, Some(ip(OUTSIDE))),
                ("host by loopback", host, "127.0.0.1", Some(ip(&gateway))),
                (
                    "host by another loopback",
                    host,
                    "127.1.2.3",
                    Some(ip(&gateway)),
                ),
                ("host by its uplink", host, HOST, None),
                ("host by the bridge", host, &gateway, None),
                ("itself by the uplink", &inside, HOST, None),
                ("itself by the bridge", &inside, &gateway, None),
                ("a neighbour", &neighbour, HOST, None),
                ("another bridge", &stranger, HOST, Some(ip(&gateway))),
            ];
            for (name, place, address, expected) in ways {
                let seen = place.talk(&format!("{address}:8080"), &tcp);
                let seen_by_udp = place.exchange(&format!("{address}:5300"), &udp);
                if let Some(expected) = expected {
                    assert_eq!((seen, seen_by_udp), (expected, expected), "{name}");
                }
            }
        });
    }
}

#[test]
fn containers_reach_each_other_and_the_outside() {
    on_host(|_, outside| {
        let bridge = open("tare0");
        let one = bridge.attach(&request("one", &[])).unwrap();
        let two = bridge.attach(&request("two", &[])).unwrap();
        let server = Place::of(&two).listen(80);
        let seen = Place::of(&one).talk(&format!("{}:80", two.record.address), &server);
        assert_eq!(seen, IpAddr::V4(one.record.address));

        let server = outside.listen(80);
        assert_eq!(
            Place::of(&one).talk(&format!("{OUTSIDE}:80"), &server),
            ip(HOST)
        );
        let server = outside.udp(53);
        assert_eq!(
            Place::of(&one).exchange(&format!("{OUTSIDE}:53"), &server),
            ip(HOST)
        );
    });
}

#[test]
fn nothing_but_published_ports_comes_in() {
    on_host(|host, outside| {
        let (bridge, other_bridge) = (open("tare0"), open("tare1"));
        let web = bridge.attach(&request("web", &["8080:80"])).unwrap();
        let stranger = other_bridge.attach(&request("stranger", &[])).unwrap();
        let inside = Place::of(&web);
        let (published, hidden) = (inside.listen(80), inside.listen(81));
        let address = web.record.address;
        // The neighbour knows the way to the containers.
        outside.command(&format!("ip route add {} via {HOST}", bridge.subnet()));
        for port in [80, 81] {
            let to = format!("{address}:{port}");
            assert_eq!(outside.knock(&to), Outcome::Silent, "outside to {to}");
            assert_eq!(
                Place::of(&stranger).knock(&to),
                Outcome::Silent,
                "other bridge to {to}"
            );
        }
        // The host itself does reach them.
        host.talk(&format!("{address}:81"), &hidden);
        outside.talk(&format!("{HOST}:8080"), &published);
    });
}

#[test]
fn a_port_of_one_address_is_open_there_only() {
    on_host(|host, outside| {
        let bridge = open("tare0");
        let ports = [
            &format!("{HOST}:8080:80"),
            "127.0.0.1:8081:81",
            "127.0.0.1:8080:82",
        ];
        let web = bridge.attach(&request("web", &ports)).unwrap();
        let inside = Place::of(&web);
        let servers = [inside.listen(80), inside.listen(81), inside.listen(82)];
        outside.talk(&format!("{HOST}:8080"), &servers[0]);
        host.talk(&format!("{HOST}:8080"), &servers[0]);
        host.talk("127.0.0.1:8081", &servers[1]);
        host.talk("127.0.0.1:8080", &servers[2]);
        assert_eq!(host.knock(&format!("{HOST}:8081")), Outcome::Refused);
        assert_eq!(outside.knock(&format!("{HOST}:8081")), Outcome::Refused);
    });
}

/// The neighbour, and a container, send packets for 127.0.0.1 to the host.
#[test]
fn loopback_stays_closed_to_forged_packets() {
    on_host(|host, outside| {
        let bridge = open("tare0");
        let web = bridge
            .attach(&request("web", &["127.0.0.1:8081:81"]))
            .unwrap();
        let attacker = bridge.attach(&request("attacker", &[])).unwrap();
        let published = Place::of(&web).listen(81);
        let _private = host.run(|| std::net::TcpListener::bind("127.0.0.1:9999").unwrap());
        let gateway = bridge.gateway().to_string();
        let container = Place::of(&attacker);
        for (place, interface, by) in [(outside, "wire", HOST), (&container, "eth0", &gateway)] {
            place.command("ip addr del 127.0.0.1/8 dev lo");
            place.command(&format!("ip route add 127.0.0.1/32 via {by}"));
            place.set(&format!("ipv4/conf/{interface}/route_localnet"), "1");
            for port in [8081, 9999] {
                let to = format!("127.0.0.1:{port}");
                assert_eq!(place.knock(&to), Outcome::Silent, "{interface} to {to}");
            }
        }
        host.talk("127.0.0.1:8081", &published);
    });
}

#[test]
fn a_detached_port_is_closed_and_free_at_once() {
    on_host(|host, outside| {
        let bridge = open("tare0");
        let first = bridge.attach(&request("first", &["8080:80"])).unwrap();
        outside.talk(&format!("{HOST}:8080"), &Place::of(&first).listen(80));
        bridge.detach(&first.record).unwrap();
        assert_eq!(outside.knock(&format!("{HOST}:8080")), Outcome::Refused);
        assert_eq!(host.knock("127.0.0.1:8080"), Outcome::Refused);
        drop(first);

        let second = bridge.attach(&request("second", &["8080:80"])).unwrap();
        outside.talk(&format!("{HOST}:8080"), &Place::of(&second).listen(80));
    });
}

/// The kernel would keep a flow on its old way as long as the client does not
/// pause.
#[test]
fn a_udp_flow_finds_a_port_that_was_published_later() {
    on_host(|_, outside| {
        let bridge = open("tare0");
        let client = outside.udp(40000);
        client.connect(format!("{HOST}:5300")).unwrap();
        // Nobody is there yet; the kernel tracks the flow all the same.
        let _ = client.send(b"early");
        let mut last = None;
        for name in ["first", "second"] {
            let endpoint = bridge.attach(&request(name, &["5300:53/udp"])).unwrap();
            let server = Place::of(&endpoint).udp(53);
            assert!(arrives(&client, &server), "the flow does not reach {name}");
            if let Some(old) = last.replace(endpoint) {
                drop(old);
            }
            bridge.detach(&last.as_ref().unwrap().record).unwrap();
            last = None;
        }
    });
}

/// Sends without a pause until something arrives.
fn arrives(client: &UdpSocket, server: &UdpSocket) -> bool {
    server
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    (0..100).any(|_| {
        // An error reports an earlier datagram that nobody took.
        let _ = client.send(b"again");
        server.recv(&mut [0; 8]).is_ok()
    })
}

/// The host's own firewall has the last word, and docs/networking.md says how a
/// published port is opened in it.
#[test]
fn the_host_s_firewall_decides_and_can_be_opened() {
    let firewalls = [
        (
            vec!["iptables -P FORWARD DROP"],
            vec![
                "iptables -I FORWARD -o tare0 -m conntrack --ctstate DNAT,ESTABLISHED,RELATED -j ACCEPT",
                "iptables -I FORWARD -i tare0 -j ACCEPT",
            ],
        ),
        (
            vec![
                "nft add table inet filter",
                "nft add chain inet filter forward { type filter hook forward priority 0 ; policy drop ; }",
            ],
            vec![
                "nft add rule inet filter forward oifname tare0 ct state established,related accept",
                "nft add rule inet filter forward oifname tare0 ct status dnat accept",
                "nft add rule inet filter forward iifname tare0 accept",
            ],
        ),
    ];
    for (close, open_again) in firewalls {
        on_host(|host, outside| {
            let bridge = open("tare0");
            let web = bridge.attach(&request("web", &["8080:80"])).unwrap();
            let (inside, outer) = (Place::of(&web).listen(80), outside.listen(80));
            close.iter().for_each(|line| drop(host.command(line)));
            assert_eq!(outside.knock(&format!("{HOST}:8080")), Outcome::Silent);
            assert_eq!(
                Place::of(&web).knock(&format!("{OUTSIDE}:80")),
                Outcome::Silent
            );
            open_again.iter().for_each(|line| drop(host.command(line)));
            outside.talk(&format!("{HOST}:8080"), &inside);
            Place::of(&web).talk(&format!("{OUTSIDE}:80"), &outer);
        });
    }
}
