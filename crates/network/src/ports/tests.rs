use std::net::{TcpListener, UdpSocket};

use tare_sys::namespace::{Kinds, run_in_new};

use super::*;

const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

fn request(port: u16, end: u16, protocol: Protocol, host_ip: Option<IpAddr>) -> PortRequest {
    PortRequest {
        host_ip,
        host_port: port,
        host_port_end: end,
        container_port: 80,
        protocol,
    }
}

fn tcp(port: u16) -> PortRequest {
    request(port, 0, Protocol::Tcp, None)
}

/// Runs in a network namespace of its own with loopback up, so that no port of
/// the machine matters.
fn isolated(test: impl FnOnce() + Send) {
    run_in_new(Kinds::NETWORK, || {
        crate::namespace::loopback_up().unwrap();
        test();
    })
    .unwrap();
}

#[test]
fn a_range_is_read() {
    for (text, expected) in [
        ("32768\t60999\n", Some(32768..=60999)),
        ("1 1", Some(1..=1)),
        ("60999 32768", None),
        ("0 10", None),
        ("32768", None),
        ("a b", None),
    ] {
        assert_eq!(parse_range(text), expected, "{text:?}");
    }
}

#[test]
fn conflicts_are_found_and_named() {
    isolated(|| {
        let mut book = Book::new(ANY);
        let held = book
            .reserve(&"0123456789abcdef".into(), &[tcp(8080)])
            .unwrap();
        let loopback = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let elsewhere = Some(IpAddr::V4(Ipv4Addr::new(10, 9, 8, 7)));
        let foreign = TcpListener::bind("127.0.0.1:9000").unwrap();
        let foreign_udp = UdpSocket::bind("0.0.0.0:53").unwrap();
        let cases = [
            (
                tcp(8080),
                "Bind for 0.0.0.0:8080 failed: port is already allocated (by container 0123456789ab)",
            ),
            (
                request(8080, 0, Protocol::Tcp, loopback),
                "Bind for 127.0.0.1:8080 failed: port is already",
            ),
            (
                tcp(9000),
                "listen tcp4 0.0.0.0:9000: bind: address already in use (by ",
            ),
            (
                request(53, 0, Protocol::Udp, None),
                "listen udp4 0.0.0.0:53: bind: address already in use (by ",
            ),
            (
                request(1, 0, Protocol::Tcp, elsewhere),
                "listen tcp4 10.9.8.7:1: bind: cannot assign requested address",
            ),
            (
                request(9000, 9000, Protocol::Tcp, None),
                "listen tcp4 0.0.0.0:9000",
            ),
            (
                request(81, 80, Protocol::Tcp, None),
                "invalid port specification",
            ),
            (
                request(80, 0, Protocol::Tcp, Some("::1".parse().unwrap())),
                "cannot publish on [::1]",
            ),
        ];
        for (request, expected) in cases {
            let error = book
                .reserve(&"other".into(), &[tcp(7000), request])
                .unwrap_err()
                .with_process();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        // Nothing of the refused ones stays, in the book or bound.
        drop((foreign, foreign_udp));
        let again = book
            .reserve(
                &"other".into(),
                &[tcp(7000), request(8080, 0, Protocol::Udp, None)],
            )
            .unwrap();
        book.release(&"other".into(), &again.bindings);
        book.release(&"0123456789abcdef".into(), &held.bindings);
        drop((held, again));
        assert!(book.owners.is_empty());
        assert!(book.reserve(&"third".into(), &[tcp(8080)]).is_ok());
    });
}

#[test]
fn a_holder_keeps_everybody_else_out() {
    isolated(|| {
        let mut book = Book::new(ANY);
        let held = book
            .reserve(
                &"one".into(),
                &[tcp(8080), request(8080, 0, Protocol::Udp, None)],
            )
            .unwrap();
        assert_eq!(held.holders.len(), 2);
        assert!(TcpListener::bind("127.0.0.1:8080").is_err());
        assert!(UdpSocket::bind("127.0.0.1:8080").is_err());
        // Another engine on the same host has another book.
        let error = Book::new(ANY)
            .reserve(&"two".into(), &[tcp(8080)])
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Bind {
                    errno: Errno::ADDRINUSE,
                    ..
                }
            ),
            "{error}"
        );
    });
}

#[test]
fn connections_that_are_closing_do_not_hold_a_port() {
    isolated(|| {
        let server = TcpListener::bind("127.0.0.1:8080").unwrap();
        let client = std::net::TcpStream::connect("127.0.0.1:8080").unwrap();
        // The side that closes first keeps the port in TIME_WAIT.
        drop(server.accept().unwrap());
        drop((client, server));
        let table = std::fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
        assert!(
            table.contains("0100007F:1F90"),
            "no closing connection to test with: {table}"
        );

        let mut book = Book::new(ANY);
        let held = book.reserve(&"one".into(), &[tcp(8080)]).unwrap();
        assert!(TcpListener::bind("0.0.0.0:8080").is_err());
        let error = Book::new(ANY)
            .reserve(&"two".into(), &[tcp(8080)])
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Bind {
                    errno: Errno::ADDRINUSE,
                    ..
                }
            ),
            "{error}"
        );
        // It holds without listening.
        let refused = std::net::TcpStream::connect("127.0.0.1:8080").unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        drop(held);
        assert!(TcpListener::bind("0.0.0.0:8080").is_ok());
    });
}

#[test]
fn ports_are_chosen_in_turn_and_ranges_to_their_end() {
    isolated(|| {
        std::fs::write(LOCAL_PORT_RANGE, "40000 40003").unwrap();
        let mut book = Book::new(ANY);
        let _foreign = TcpListener::bind("127.0.0.1:40001").unwrap();
        let mut ports = Vec::new();
        let mut held = Vec::new();
        for owner in ["a", "b", "c"] {
            let reserved = book.reserve(&owner.into(), &[tcp(0)]).unwrap();
            ports.push(reserved.bindings[0].host_port);
            held.push(reserved);
        }
        assert_eq!(ports, [40000, 40002, 40003]);
        let error = book.reserve(&"d".into(), &[tcp(0)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Bind for 0.0.0.0:40000-40003 failed: all ports are allocated"
        );

        let range = request(40000, 40003, Protocol::Tcp, None);
        assert!(
            book.reserve(&"d".into(), std::slice::from_ref(&range))
                .is_err()
        );
        let freed = held.remove(1);
        book.release(&"b".into(), &freed.bindings);
        drop(freed);
        assert_eq!(
            book.reserve(&"d".into(), &[range]).unwrap().bindings[0].host_port,
            40002
        );
    });
}
