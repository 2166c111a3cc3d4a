use reqwest::Url;

use super::Registries;
use crate::config::Config;

fn registries(insecure: &[&str], mirrors: &[&str]) -> Registries {
    Registries::new(&Config {
        insecure_registries: insecure.iter().map(|&value| value.to_owned()).collect(),
        registry_mirrors: mirrors.iter().map(|&value| value.to_owned()).collect(),
        ..Config::default()
    })
    .expect("valid settings")
}

fn bases(registries: &Registries, domain: &str) -> Vec<String> {
    let endpoints = registries
        .endpoints(domain, |_| false)
        .expect("a valid domain");
    endpoints
        .iter()
        .flat_map(|endpoint| endpoint.bases.iter().map(Url::to_string))
        .collect()
}

#[test]
fn names_lead_to_urls() {
    let plain = registries(&[], &[]);
    let configured = registries(&["reg.example:5000", "10.1.0.0/16"], &[]);
    let mirrored = registries(
        &[],
        &["http://127.0.0.1:5001/", "https://mirror.example/hub/"],
    );
    let cases: &[(&Registries, &str, &[&str])] = &[
        (&plain, "docker.io", &["https://registry-1.docker.io/"]),
        (&plain, "reg.example:5000", &["https://reg.example:5000/"]),
        (
            &plain,
            "127.0.0.1:5000",
            &["https://127.0.0.1:5000/", "http://127.0.0.1:5000/"],
        ),
        (
            &plain,
            "localhost:5000",
            &["https://localhost:5000/", "http://localhost:5000/"],
        ),
        (
            &plain,
            "[::1]:5000",
            &["https://[::1]:5000/", "http://[::1]:5000/"],
        ),
        (&plain, "localhost.example", &["https://localhost.example/"]),
        (
            &configured,
            "reg.example:5000",
            &["https://reg.example:5000/", "http://reg.example:5000/"],
        ),
        (&configured, "reg.example", &["https://reg.example/"]),
        (
            &configured,
            "10.1.2.3:80",
            &["https://10.1.2.3:80/", "http://10.1.2.3/"],
        ),
        (&configured, "10.2.2.3", &["https://10.2.2.3/"]),
        (
            &mirrored,
            "docker.io",
            &[
                "http://127.0.0.1:5001/",
                "https://mirror.example/hub",
                "https://registry-1.docker.io/",
            ],
        ),
        (&mirrored, "reg.example", &["https://reg.example/"]),
    ];
    for (registries, domain, expected) in cases {
        assert_eq!(&bases(registries, domain), expected, "{domain}");
    }
}

#[test]
fn authorities_put_up_for_a_loopback_host_are_insisted_on() {
    let endpoints = registries(&[], &[])
        .endpoints("localhost:5000", |_| true)
        .expect("a valid domain");
    assert_eq!(endpoints[0].bases.len(), 1);
    assert_eq!(endpoints[0].bases[0].scheme(), "https");
}

#[test]
fn malformed_settings_are_named() {
    let cases: &[(&[&str], &[&str], &str)] = &[
        (
            &["http://r"],
            &[],
            "insecure-registries \"http://r\": must be host[:port] or CIDR, without a scheme",
        ),
        (
            &["r/path"],
            &[],
            "insecure-registries \"r/path\": must be host[:port] or CIDR",
        ),
        (
            &[],
            &["ftp://m"],
            "registry-mirrors \"ftp://m\": the scheme must be http or https",
        ),
        (
            &[],
            &["https://u:p@m"],
            "registry-mirrors \"https://u:p@m\": a user name or password is not allowed here",
        ),
        (
            &[],
            &["https://m?x=1"],
            "registry-mirrors \"https://m?x=1\": a query or fragment is not allowed here",
        ),
    ];
    for (insecure, mirrors, expected) in cases {
        let error = Registries::new(&Config {
            insecure_registries: insecure.iter().map(|&value| value.to_owned()).collect(),
            registry_mirrors: mirrors.iter().map(|&value| value.to_owned()).collect(),
            ..Config::default()
        })
        .expect_err("refused");
        assert_eq!(&error.to_string(), expected);
    }
}
