use super::*;

fn credentials() -> AuthConfig {
    AuthConfig {
        username: "user?>".into(),
        password: "pass~~word".into(),
        ..AuthConfig::default()
    }
}

#[test]
fn every_spelling_of_the_header_is_read() {
    let padded = credentials().encode();
    let bare = padded.trim_end_matches('=').to_owned();
    let standard = padded.replace('-', "+").replace('_', "/");
    for header in [padded, bare, standard] {
        assert_eq!(
            AuthConfig::decode(&header).expect(&header),
            Some(credentials())
        );
    }
}

#[test]
fn nothing_is_no_credentials_and_rubbish_is_an_error() {
    for nothing in ["", "e30=", "e30"] {
        assert_eq!(AuthConfig::decode(nothing).expect(nothing), None);
    }
    assert!(matches!(
        AuthConfig::decode("!!!"),
        Err(AuthError::Encoding(_))
    ));
    assert!(matches!(
        AuthConfig::decode(&URL_SAFE.encode("[1")),
        Err(AuthError::Syntax(_))
    ));
}

#[test]
fn the_pair_of_a_configuration_file_is_taken_apart() {
    let header = URL_SAFE.encode(format!(
        r#"{{"auth":"{}"}}"#,
        STANDARD.encode("me:secret:word")
    ));
    let found = AuthConfig::decode(&header)
        .expect("header")
        .expect("credentials");
    assert_eq!(
        (found.username.as_str(), found.password.as_str()),
        ("me", "secret:word")
    );
}

#[test]
fn debug_output_shows_no_secret() {
    assert!(!format!("{:?}", credentials()).contains("pass~~word"));
}
