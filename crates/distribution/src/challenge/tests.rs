use super::{Bearer, Challenge, parse};

fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
    Challenge::Bearer(Bearer {
        realm: realm.to_owned(),
        service: service.map(str::to_owned),
        scope: scope.map(str::to_owned),
        ..Bearer::default()
    })
}

#[test]
fn headers_of_real_registries_and_broken_ones() {
    let cases: &[(&str, Vec<Challenge>)] = &[
        ("", vec![]),
        ("Basic realm=\"Registry Realm\"", vec![Challenge::Basic]),
        ("basic", vec![Challenge::Basic]),
        (
            "Bearer realm=\"https://auth.example/token\",service=\"registry.example\"",
            vec![bearer(
                "https://auth.example/token",
                Some("registry.example"),
                None,
            )],
        ),
        (
            "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x/y:pull,push\"",
            vec![bearer(
                "https://a/t",
                Some("s"),
                Some("repository:x/y:pull,push"),
            )],
        ),
        // Blanks around the signs, and names in capitals.
        (
            "BEARER  Realm = \"https://a/t\" ,\tSERVICE=s",
            vec![bearer("https://a/t", Some("s"), None)],
        ),
        // Two schemes in one line.
        (
            "Bearer realm=\"https://a/t\",service=\"s\", Basic realm=\"r\"",
            vec![bearer("https://a/t", Some("s"), None), Challenge::Basic],
        ),
        // A scheme that is not ours keeps its parameters to itself.
        (
            "Negotiate, Digest realm=\"https://no\", nonce=\"x\", Basic realm=r",
            vec![Challenge::Basic],
        ),
        // Escapes and separators within quotes.
        (
            r#"Bearer realm="https://a/t?x=1,2",service="a \"b\"""#,
            vec![bearer("https://a/t?x=1,2", Some("a \"b\""), None)],
        ),
        // No realm, an unterminated string, a lone sign.
        ("Bearer service=\"s\"", vec![]),
        ("Bearer realm=\"https://a", vec![]),
        ("= Bearer", vec![]),
    ];
    for (header, expected) in cases {
        assert_eq!(&parse(header), expected, "{header}");
    }
}

#[test]
fn the_reason_of_a_refused_token_is_kept() {
    let header = "Bearer realm=\"https://a/t\",error=\"insufficient_scope\"";
    let [Challenge::Bearer(found)] = &parse(header)[..] else {
        panic!("one challenge")
    };
    assert_eq!(found.error.as_deref(), Some("insufficient_scope"));
}

#[test]
fn an_endless_header_is_not_looked_at() {
    assert!(parse(&format!("Basic realm=\"{}\"", "x".repeat(10_000))).is_empty());
}
