use tare_engine_api::AuthConfig;

use super::PullRequest;

#[test]
fn what_a_request_names() {
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let at_digest = format!("docker.io/library/busybox@{digest}");
    for (image, tag, expected) in [
        ("busybox", None, "docker.io/library/busybox:latest"),
        ("busybox", Some(""), "docker.io/library/busybox:latest"),
        ("busybox", Some("1.36"), "docker.io/library/busybox:1.36"),
        ("busybox:1", Some("2"), "docker.io/library/busybox:2"),
        ("127.0.0.1:5000/a/b:c", None, "127.0.0.1:5000/a/b:c"),
        ("busybox", Some(digest), &at_digest),
        (
            "Busybox",
            None,
            "error: invalid reference format: repository name (Busybox) must be lowercase",
        ),
        ("busybox", Some("a b"), "error: invalid reference format"),
    ] {
        let request = PullRequest {
            image: image.to_owned(),
            tag: tag.map(str::to_owned),
            ..PullRequest::default()
        };
        let found = match request.reference() {
            Ok(reference) => reference.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(found, expected, "{image} {tag:?}");
    }
}

#[test]
fn whose_request_it_is() {
    let auth = |username: &str, identity: &str, registry: &str| PullRequest {
        auth: Some(AuthConfig {
            username: username.to_owned(),
            password: "secret".to_owned(),
            identity_token: identity.to_owned(),
            registry_token: registry.to_owned(),
            ..AuthConfig::default()
        }),
        ..PullRequest::default()
    };
    for (request, expected) in [
        (PullRequest::default(), "Anonymous"),
        (auth("", "", ""), "Anonymous"),
        (auth("ann", "", ""), "Basic(ann)"),
        (auth("ann", "token", ""), "IdentityToken"),
        (auth("ann", "token", "token"), "RegistryToken"),
    ] {
        assert_eq!(format!("{:?}", request.credentials()), expected);
    }
}
