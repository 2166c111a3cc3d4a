use super::*;

#[test]
fn package_that_a_package_depends_on() {
    let text = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n";
    assert_eq!(dependency(text), Some("linux-image-6.1.0-56-cloud-amd64"));
    assert_eq!(dependency("linux-image-cloud-amd64\n"), None);
}

#[test]
fn mirrors_that_this_host_uses() {
    let uris = "\
'https://example.com/apt/dists/stable/InRelease' example.com_apt_dists_stable_InRelease 0
'http://mirror.example/pub/debian/dists/bookworm/InRelease' mirror.example_InRelease 0
'http://mirror.example/debian-security/dists/bookworm-security/InRelease' x 0
";
    for (name, expected) in [
        ("debian", Some("http://mirror.example/pub/debian")),
        (
            "debian-security",
            Some("http://mirror.example/debian-security"),
        ),
        ("ubuntu", None),
    ] {
        assert_eq!(mirror(uris, name), expected, "{name}");
    }
}
