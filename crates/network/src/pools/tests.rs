use super::*;

fn chosen(in_use: &[&str]) -> Option<String> {
    let in_use: Vec<_> = in_use
        .iter()
        .map(|subnet| subnet.parse().unwrap())
        .collect();
    choose(&in_use).map(|subnet| subnet.to_string())
}

#[test]
fn what_the_host_uses_is_avoided() {
    let cases: [(&[&str], Option<&str>); 6] = [
        (&[], Some("172.17.0.0/16")),
        (&["192.0.2.0/24"], Some("172.17.0.0/16")),
        (&["172.17.0.0/16", "172.18.5.0/24"], Some("172.19.0.0/16")),
        (&["172.17.255.255/32"], Some("172.18.0.0/16")),
        (&["172.16.0.0/12"], Some("192.168.0.0/20")),
        (&["172.16.0.0/12", "192.168.0.0/16"], None),
    ];
    for (in_use, expected) in cases {
        assert_eq!(chosen(in_use).as_deref(), expected, "{in_use:?}");
    }
}
