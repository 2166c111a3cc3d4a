use std::time::Duration;

use reqwest::{Method, Url};

use super::{ask, parse};
use crate::challenge::Bearer;
use crate::credentials::Credentials;

#[test]
fn answers_of_token_servers() {
    let cases: &[(&str, Option<(&str, u64)>)] = &[
        (
            r#"{"token":"abc","expires_in":300,"issued_at":"2024-01-01T00:00:00Z"}"#,
            Some(("Bearer abc", 300)),
        ),
        (r#"{"access_token":"abc"}"#, Some(("Bearer abc", 60))),
        (
            r#"{"token":"abc","access_token":"def","expires_in":1}"#,
            Some(("Bearer abc", 60)),
        ),
        (
            r#"{"token":"abc","expires_in":18446744073709551615}"#,
            Some(("Bearer abc", 86400)),
        ),
        (r#"{"token":""}"#, None),
        ("{\"token\":\"a\\nX-Other: b\"}", None),
        ("{}", None),
        ("<html>", None),
    ];
    for (body, expected) in cases {
        let found = parse(body.as_bytes());
        let found = found
            .as_ref()
            .map(|(header, lifetime)| (header.to_str().expect("ASCII"), *lifetime));
        let expected = expected.map(|(header, seconds)| (header, Duration::from_secs(seconds)));
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn what_a_token_server_is_asked() {
    let bearer = Bearer {
        realm: "https://auth.example/token?x=1".to_owned(),
        service: Some("reg example".to_owned()),
        ..Bearer::default()
    };
    let realm = || Url::parse(&bearer.realm).expect("a URL");
    let scope = "repository:a/b:pull";

    let anonymous = ask(realm(), &bearer, scope, &Credentials::Anonymous);
    assert_eq!(
        anonymous.url.as_str(),
        "https://auth.example/token?x=1&service=reg+example&scope=repository%3Aa%2Fb%3Apull"
    );
    assert!(anonymous.authorization.is_none());

    let basic = Credentials::Basic {
        username: "ann".to_owned(),
        password: "s".to_owned(),
    };
    let signed = ask(realm(), &bearer, scope, &basic);
    assert!(
        signed
            .url
            .query()
            .is_some_and(|query| query.ends_with("&account=ann"))
    );
    assert_eq!(signed.authorization.expect("a header"), "Basic YW5uOnM=");

    let identity = Credentials::IdentityToken("refresh&me".to_owned());
    let posted = ask(realm(), &bearer, scope, &identity);
    assert_eq!(posted.method, Method::POST);
    assert_eq!(posted.url, realm(), "the secret is not in the URL");
    assert_eq!(
        posted.body.as_deref(),
        Some(
            "grant_type=refresh_token&refresh_token=refresh%26me&client_id=tare\
             &service=reg+example&scope=repository%3Aa%2Fb%3Apull"
        )
    );
}
