use super::*;

#[test]
fn text_is_read_or_refused() {
    let cases = [
        ("02:42:ac:11:00:02", Some("02:42:ac:11:00:02")),
        ("92-D0-C6-0A-29-33", Some("92:d0:c6:0a:29:33")),
        ("01:00:5e:00:00:01", None),
        ("00:00:00:00:00:00", None),
        ("ff:ff:ff:ff:ff:ff", None),
        ("02:42:ac:11:00", None),
        ("02:42:ac:11:00:02:03", None),
        ("02:42:ac:11:00:+2", None),
        ("2:42:ac:11:0:2", None),
        ("", None),
    ];
    for (text, expected) in cases {
        let found = text.parse::<MacAddress>().ok().map(|mac| mac.to_string());
        assert_eq!(found.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn an_address_gives_docker_s_mac() {
    let mac = MacAddress::from_ipv4(Ipv4Addr::new(172, 17, 0, 2));
    assert_eq!(mac.to_string(), "02:42:ac:11:00:02");
}
