use super::*;

fn header(json: &str, image: &str) -> Option<AuthConfig> {
    let configuration: Configuration = serde_json::from_str(json).unwrap();
    let reference = Reference::parse_normalized(image).unwrap();
    let header = header_for(&configuration, &reference).unwrap()?;
    AuthConfig::decode(&header).unwrap()
}

#[test]
fn credentials_go_only_to_the_registry_they_are_for() {
    let auth = STANDARD.encode("ada:secret:with:colons");
    let json = format!(
        r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{auth}"}},"https://old.example/v1/":{{"auth":"{auth}"}},"new.example:5000":{{"identitytoken":"token"}}}}}}"#
    );
    let hub = header(&json, "busybox").unwrap();
    assert_eq!(
        (hub.username.as_str(), hub.password.as_str()),
        ("ada", "secret:with:colons")
    );
    assert_eq!(header(&json, "old.example/x").unwrap().username, "ada");
    assert_eq!(
        header(&json, "new.example:5000/x").unwrap().identity_token,
        "token"
    );
    assert_eq!(header(&json, "other.example/x"), None);
    assert_eq!(header("{}", "busybox"), None);
}

#[test]
fn malformed_credentials_name_the_registry() {
    let configuration: Configuration =
        serde_json::from_str(r#"{"auths":{"r.example":{"auth":"!!"}}}"#).unwrap();
    let reference = Reference::parse_normalized("r.example/x").unwrap();
    let error = header_for(&configuration, &reference)
        .unwrap_err()
        .to_string();
    assert!(error.contains("r.example"), "{error}");
}

#[test]
fn a_missing_helper_is_named() {
    let configuration: Configuration =
        serde_json::from_str(r#"{"credsStore":"no-such-helper"}"#).unwrap();
    let reference = Reference::parse_normalized("busybox").unwrap();
    let error = header_for(&configuration, &reference)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("docker-credential-no-such-helper"),
        "{error}"
    );
}
