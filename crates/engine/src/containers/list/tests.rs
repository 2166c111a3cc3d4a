use super::*;

#[test]
fn names_match_in_part_or_where_the_anchors_say() {
    for (pattern, matching, other) in [
        ("eb", "web", "app"),
        ("/web", "web1", "app"),
        ("^web", "web1", "myweb"),
        ("^/web$", "web", "web1"),
        ("web$", "myweb", "web1"),
        ("web.1", "web.1", "web-1"),
    ] {
        assert!(name_matches(pattern, matching), "{pattern} {matching}");
        assert!(!name_matches(pattern, other), "{pattern} {other}");
    }
}

#[test]
fn ports_are_one_or_a_range() {
    for (text, range, protocol) in [
        ("80", 80..=80, Protocol::Tcp),
        ("53/udp", 53..=53, Protocol::Udp),
        ("8000-9000/tcp", 8000..=9000, Protocol::Tcp),
    ] {
        assert_eq!(port_range(text).expect(text), (range, protocol));
    }
    assert!(port_range("x").is_err() && port_range("1-x").is_err());
}
