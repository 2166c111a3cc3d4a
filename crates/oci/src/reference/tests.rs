use super::*;

const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn defaults_and_familiar_forms() {
    let cases = [
        ("busybox", "docker.io/library/busybox", "busybox"),
        (
            "busybox:1.36",
            "docker.io/library/busybox:1.36",
            "busybox:1.36",
        ),
        ("library/busybox", "docker.io/library/busybox", "busybox"),
        ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
        (
            "index.docker.io/library/busybox",
            "docker.io/library/busybox",
            "busybox",
        ),
        ("someone/image", "docker.io/someone/image", "someone/image"),
        ("localhost/image", "localhost/image", "localhost/image"),
        (
            "localhost:5000/image:t",
            "localhost:5000/image:t",
            "localhost:5000/image:t",
        ),
        ("[::1]:5000/image", "[::1]:5000/image", "[::1]:5000/image"),
        (
            "registry.example/a/b_c/d--e__f.g",
            "registry.example/a/b_c/d--e__f.g",
            "registry.example/a/b_c/d--e__f.g",
        ),
        ("UPPER/image", "UPPER/image", "UPPER/image"),
        ("library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("host:5000", "docker.io/library/host:5000", "host:5000"),
    ];
    for (text, canonical, familiar) in cases {
        let reference =
            Reference::parse_normalized(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(reference.to_string(), canonical, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
    }
}

#[test]
fn digests() {
    let reference: Reference = format!("busybox:1@{DIGEST}").parse().expect("valid");
    assert_eq!(
        reference.to_string(),
        format!("docker.io/library/busybox:1@{DIGEST}")
    );
    assert_eq!(reference.clone().with_default_tag(), reference);
    assert_eq!(
        reference
            .without_tag_and_digest()
            .with_default_tag()
            .familiar(),
        "busybox:latest"
    );
    let pinned: Reference = format!("busybox@{DIGEST}").parse().expect("valid");
    assert_eq!(pinned.with_default_tag().tag(), None);
}

#[test]
fn refuses_in_dockers_words() {
    let long = "a/".repeat(130) + "a";
    let cases = [
        ("", "invalid reference format"),
        ("busybox:", "invalid reference format"),
        ("busybox@", "invalid reference format"),
        (":tag", "invalid reference format"),
        ("/image", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("a/../b", "invalid reference format"),
        ("image name", "invalid reference format"),
        ("-image", "invalid reference format"),
        ("image.", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("image:-tag", "invalid reference format"),
        ("image:tag:tag", "invalid reference format"),
        ("registry.example:port/image", "invalid reference format"),
        ("registry..example/image", "invalid reference format"),
        ("[::1/image", "invalid reference format"),
        ("image\0", "invalid reference format"),
        (
            "Image",
            "invalid reference format: repository name (Image) must be lowercase",
        ),
        (
            "registry.example/Image:tag",
            "invalid reference format: repository name (Image) must be lowercase",
        ),
        (
            &DIGEST[7..],
            &format!(
                "invalid repository name ({}), cannot specify 64-byte hexadecimal strings",
                &DIGEST[7..]
            ),
        ),
        ("image@sha256:abc", "invalid checksum digest length"),
        ("image@md5:abc", "unsupported digest algorithm"),
        (
            &long,
            "repository name must not be more than 255 characters",
        ),
        (
            &format!("image:{}", "t".repeat(129)),
            "invalid reference format",
        ),
    ];
    for (text, message) in cases {
        let error = Reference::parse_normalized(text).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
}
