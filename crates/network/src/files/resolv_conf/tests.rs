use super::*;

fn body(host: &str, overrides: &Overrides<'_>, ipv6: bool) -> String {
    let text = resolv_conf(host, overrides, ipv6);
    let (comment, body) = text.split_once('\n').unwrap();
    assert!(comment.starts_with('#'));
    body.to_owned()
}

#[test]
fn what_a_container_cannot_reach_is_left_out() {
    let cases = [
        ("nameserver 192.0.2.1\n", false, "nameserver 192.0.2.1\n"),
        (
            "nameserver 127.0.0.53\n",
            false,
            "nameserver 8.8.8.8\nnameserver 8.8.4.4\n",
        ),
        ("", false, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"),
        (
            "nameserver ::1\nnameserver 2001:db8::1\nnameserver 10.0.0.1",
            false,
            "nameserver 10.0.0.1\n",
        ),
        (
            "nameserver ::1\nnameserver 2001:db8::1",
            true,
            "nameserver 2001:db8::1\n",
        ),
        (
            "nameserver fe80::1%eth0\nnameserver 10.0.0.1",
            true,
            "nameserver 10.0.0.1\n",
        ),
        (
            "nameserver\nnameserver x\nnameserver 10.0.0.1 # own",
            false,
            "nameserver 10.0.0.1\n",
        ),
        (
            "# by hand\nsearch a b\nsearch c d\noptions ndots:2\n\nnameserver 10.0.0.1\noptions rotate\nsortlist 10.0.0.0\n",
            false,
            "nameserver 10.0.0.1\nsearch c d\noptions ndots:2 rotate\nsortlist 10.0.0.0\n",
        ),
    ];
    for (host, ipv6, expected) in cases {
        assert_eq!(
            body(host, &Overrides::default(), ipv6),
            expected,
            "{host:?}"
        );
    }
}

#[test]
fn what_was_asked_for_replaces_the_host_s() {
    let host = "nameserver 10.0.0.1\nsearch corp\noptions ndots:2\n";
    let given = |values: &[&str]| {
        values
            .iter()
            .map(|value| (*value).to_owned())
            .collect::<Vec<_>>()
    };
    let (servers, search, options) = (
        given(&["127.0.0.1", "::1"]),
        given(&["x.org", "y.org"]),
        given(&["rotate"]),
    );
    let all = Overrides {
        servers: &servers,
        search: &search,
        options: &options,
    };
    assert_eq!(
        body(host, &all, false),
        "nameserver 127.0.0.1\nnameserver ::1\nsearch x.org y.org\noptions rotate\n"
    );
    let none = given(&["."]);
    let no_search = Overrides {
        search: &none,
        ..Overrides::default()
    };
    assert_eq!(
        body(host, &no_search, false),
        "nameserver 10.0.0.1\noptions ndots:2\n"
    );
}

#[test]
fn the_stub_of_systemd_is_recognised() {
    assert!(is_systemd_stub(
        "nameserver 127.0.0.53\noptions edns0 trust-ad\n"
    ));
    assert!(!is_systemd_stub(
        "nameserver 127.0.0.53\nnameserver 10.0.0.1\n"
    ));
    assert!(!is_systemd_stub(""));
}
