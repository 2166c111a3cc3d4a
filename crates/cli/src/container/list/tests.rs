use super::*;

fn port(ip: &str, private: i64, public: i64, kind: &str) -> Port {
    Port {
        ip: ip.to_owned(),
        private_port: private,
        public_port: public,
        kind: kind.to_owned(),
    }
}

#[test]
fn ports_are_drawn_together_as_docker_does() {
    let cases: &[(&[Port], &str)] = &[
        (&[], ""),
        (&[port("", 80, 0, "tcp")], "80/tcp"),
        (
            &[
                port("", 81, 0, "tcp"),
                port("", 80, 0, "tcp"),
                port("", 90, 0, "tcp"),
            ],
            "80-81/tcp, 90/tcp",
        ),
        (
            &[
                port("0.0.0.0", 80, 8080, "tcp"),
                port("::", 80, 8080, "tcp"),
                port("", 81, 0, "tcp"),
            ],
            "81/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
        ),
        (
            &[
                port("0.0.0.0", 80, 80, "tcp"),
                port("0.0.0.0", 81, 81, "tcp"),
                port("0.0.0.0", 81, 81, "udp"),
            ],
            "0.0.0.0:80-81->80-81/tcp, 0.0.0.0:81->81/udp",
        ),
    ];
    for (given, wanted) in cases {
        assert_eq!(ports(given), *wanted);
    }
}

#[test]
fn a_line_shows_what_docker_shows() {
    let container: ContainerSummary = serde_json::from_str(
        r#"{"Id":"0123456789abcdef0123456789abcdef","Names":["/foo","/bar/foo"],
            "Image":"busybox:latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "ImageID":"sha256:ab","Command":"sh -c \"sleep 1000000000000\"","Created":1700000000,
            "Labels":{"b":"c","a":"x"},"State":"running","Status":"Up 3 seconds",
            "NetworkSettings":{"Networks":{"bridge":{}}},"Mounts":[{"Type":"volume","Name":"vv","Driver":"local"}]}"#,
    )
    .unwrap();
    let short = row(&container, false, false);
    let field = |name: &str| short.fields[name].as_str();
    assert_eq!(field("ID"), "0123456789ab");
    assert_eq!(field("Image"), "busybox:latest");
    assert_eq!(field("Command"), r#""sh -c \"sleep 100000…""#);
    assert_eq!(field("Names"), "foo");
    assert_eq!(field("Labels"), "a=x,b=c");
    assert_eq!(field("CreatedAt"), "2023-11-14 22:13:20 +0000 UTC");
    assert_eq!(
        (field("Mounts"), field("LocalVolumes"), field("Networks")),
        ("vv", "1", "bridge")
    );
    let full = row(&container, true, false);
    assert_eq!(full.fields["Names"], "foo,bar/foo");
    assert_eq!(full.fields["ID"].len(), 32);
}
