//! The scene: a host, the outside, containers, and sockets in each of them.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::time::Duration;

use tare_network::{
    Bridge, Config, Endpoint, EndpointRequest, PortRequest, Protocol, namespace_loopback_only,
};
use tare_sys::namespace::{Kinds, current, run_in, run_in_new};

/// The host's address on its uplink.
pub(crate) const HOST: &str = "192.0.2.2";
/// The neighbour on the other side of the uplink.
pub(crate) const OUTSIDE: &str = "192.0.2.1";
/// Long enough for a busy machine; only broken things wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection that must not come about is waited for.
const DENIAL: Duration = Duration::from_millis(700);

/// A network namespace to act in.
pub(crate) struct Place(pub(crate) OwnedFd);

/// What a connection attempt came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Connected,
    Refused,
    Silent,
}

impl Place {
    /// The calling thread's namespace.
    pub(crate) fn here() -> Self {
        Self(current(Kinds::NETWORK).unwrap())
    }

    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        Self(endpoint.namespace.try_clone().unwrap())
    }

    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        run_in(&[(self.fd(), Kinds::NETWORK)], work).unwrap()
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Runs a program of the scene's, which must succeed.
    pub(crate) fn command(&self, line: &str) -> String {
        self.run(|| {
            let mut words = line.split_whitespace();
            let output = Command::new(words.next().unwrap())
                .args(words)
                .output()
                .unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{line}: {error}");
            String::from_utf8(output.stdout).unwrap()
        })
    }

    pub(crate) fn set(&self, setting: &str, value: &str) {
        self.run(|| std::fs::write(format!("/proc/sys/net/{setting}"), value).unwrap());
    }

    pub(crate) fn listen(&self, port: u16) -> TcpListener {
        self.run(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap())
    }

    pub(crate) fn udp(&self, port: u16) -> UdpSocket {
        let socket = self.run(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    /// Connects, and says something both ways; the address the server saw.
    pub(crate) fn talk(&self, to: &str, server: &TcpListener) -> IpAddr {
        let address: SocketAddr = to.parse().unwrap();
        let mut client = self
            .run(|| TcpStream::connect_timeout(&address, PATIENCE))
            .unwrap_or_else(|error| panic!("connect to {to}: {error}"));
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut accepted, peer) = server.accept().unwrap();
        accepted.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut heard = [0; 4];
        client.write_all(b"ping").unwrap();
        accepted.read_exact(&mut heard).unwrap();
        accepted.write_all(b"pong").unwrap();
        client.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"pong");
        assert_eq!(client.peer_addr().unwrap(), address);
        peer.ip()
    }

    /// Sends a datagram, which is answered; the address the server saw.
    pub(crate) fn exchange(&self, to: &str, server: &UdpSocket) -> IpAddr {
        let client = self.udp(0);
        client.send_to(b"ping", to).unwrap();
        let mut heard = [0; 4];
        let (_, peer) = server
            .recv_from(&mut heard)
            .unwrap_or_else(|error| panic!("{to}: {error}"));
        server.send_to(b"pong", peer).unwrap();
        let (_, from) = client
            .recv_from(&mut heard)
            .unwrap_or_else(|error| panic!("{to}: {error}"));
        assert_eq!((from.to_string().as_str(), &heard), (to, b"pong"));
        peer.ip()
    }

    /// Tries to connect to what should not let it.
    pub(crate) fn knock(&self, to: &str) -> Outcome {
        let address: SocketAddr = to.parse().unwrap();
        match self.run(|| TcpStream::connect_timeout(&address, DENIAL)) {
            Ok(_) => Outcome::Connected,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Outcome::Refused,
            Err(_) => Outcome::Silent,
        }
    }

    /// Names of the interfaces.
    pub(crate) fn links(&self) -> BTreeSet<String> {
        let listed = self.command("ip -o link");
        let names = listed.lines().filter_map(|line| line.split(": ").nth(1));
        names
            .map(|name| name.split('@').next().unwrap().to_owned())
            .collect()
    }

    /// The whole ruleset, as nft's JSON.
    pub(crate) fn ruleset(&self) -> String {
        self.command("nft -j list ruleset")
    }
}

/// Runs a test on a host of its own, in the host's namespace.
pub(crate) fn on_host(test: impl FnOnce(&Place, &Place) + Send) {
    run_in_new(Kinds::NETWORK, || {
        let host = Place::here();
        let outside = Place(namespace_loopback_only().unwrap());
        let target = format!("/proc/{}/fd/{}", std::process::id(), outside.0.as_raw_fd());
        host.command("ip link set lo up");
        host.command(&format!(
            "ip link add uplink type veth peer name wire netns {target}"
        ));
        host.command(&format!("ip addr add {HOST}/24 dev uplink"));
        host.command("ip link set uplink up");
        outside.command(&format!("ip addr add {OUTSIDE}/24 dev wire"));
        outside.command("ip link set wire up");
        host.command(&format!("ip route add default via {OUTSIDE}"));
        test(&host, &outside);
    })
    .unwrap();
}

/// Opens a bridge with everything else as it is by default.
pub(crate) fn open(bridge: &str) -> Bridge {
    Bridge::open(config(bridge)).unwrap()
}

pub(crate) fn config(bridge: &str) -> Config {
    Config {
        bridge: bridge.to_owned(),
        owner: "test".to_owned(),
        ..Config::default()
    }
}

/// A request of a container with ports written `host:container/protocol`.
pub(crate) fn request(container_id: &str, ports: &[&str]) -> EndpointRequest {
    EndpointRequest {
        container_id: container_id.to_owned(),
        ports: ports.iter().map(|text| port(text)).collect(),
        ..EndpointRequest::default()
    }
}

/// Reads `[address:]host:container[/protocol]`.
pub(crate) fn port(text: &str) -> PortRequest {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let mut parts = ports.rsplit(':');
    let container_port = parts.next().unwrap().parse().unwrap();
    let host_port = parts.next().unwrap().parse().unwrap();
    PortRequest {
        host_ip: parts.next().map(|address| address.parse().unwrap()),
        host_port,
        host_port_end: 0,
        container_port,
        protocol: protocol.parse::<Protocol>().unwrap(),
    }
}

/// Waits until something holds; panics when it does not in time.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(
            std::time::Instant::now() < deadline,
            "{what} did not come about"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
