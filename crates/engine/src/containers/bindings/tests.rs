use super::*;

fn asked(json: &str) -> Result<Vec<PortRequest>> {
    let config = serde_json::from_str(r#"{"ExposedPorts":{"53/udp":{},"80/tcp":{}}}"#).unwrap();
    requests(&config, &serde_json::from_str(json).unwrap())
}

#[test]
fn requests_are_read_as_docker_reads_them() {
    let all = asked(
        r#"{"PublishAllPorts":true,"PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8000-8010"},{"HostPort":""}]}}"#,
    )
    .unwrap();
    let short: Vec<_> = all
        .iter()
        .map(|port| {
            (
                port.host_port,
                port.host_port_end,
                port.container_port,
                port.protocol,
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            (8000, 8010, 80, Protocol::Tcp),
            (0, 0, 80, Protocol::Tcp),
            (0, 0, 53, Protocol::Udp)
        ]
    );
    assert_eq!(all[0].host_ip, Some(IpAddr::from([127, 0, 0, 1])));
}

#[test]
fn malformed_ports_are_named() {
    for (json, named) in [
        (r#"{"PortBindings":{"0/tcp":[{}]}}"#, "0/tcp"),
        (r#"{"PortBindings":{"80/icmp":[{}]}}"#, "80/icmp"),
        (r#"{"PortBindings":{"80":[{"HostPort":"70000"}]}}"#, "70000"),
        (r#"{"PortBindings":{"80":[{"HostPort":"90-80"}]}}"#, "90-80"),
        (
            r#"{"PortBindings":{"80":[{"HostIp":"localhost"}]}}"#,
            "localhost",
        ),
    ] {
        let message = asked(json).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }
}
