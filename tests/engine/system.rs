//! What the engine says of itself, and how it answers what it cannot.

use tare_tests::{Engine, against_docker};

#[test]
fn ping() {
    let engine = Engine::start_with_images(&[]);
    for path in ["/_ping", "/v1.41/_ping"] {
        let answer = engine.request("GET", path, &[]).expect(200);
        assert_eq!(answer.text(), "OK");
        assert_eq!(answer.headers["ostype"], "linux");
        let version: f32 = answer.headers["api-version"].parse().expect("a version");
        assert!(version >= 1.41, "{version}");
        assert!(answer.headers["cache-control"].contains("no-cache"));
        assert!(answer.headers.contains_key("server"));
        let answer = engine.open("HEAD", path, &[], &[]);
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn version_and_information() {
    let engine = Engine::start();
    let version = engine.get("/version");
    for key in [
        "Version",
        "ApiVersion",
        "MinAPIVersion",
        "Os",
        "Arch",
        "KernelVersion",
    ] {
        assert!(
            version[key].as_str().is_some_and(|value| !value.is_empty()),
            "{key}: {version}"
        );
    }
    assert_eq!(version["Arch"], "amd64");
    let kernel = engine.sandbox().output("uname", &["-r"]);
    assert_eq!(version["KernelVersion"], kernel.trim());
    let information = engine.get("/info");
    assert_eq!(information["Images"], 1);
    assert_eq!(information["Containers"], 0);
    assert_eq!(information["OSType"], "linux");
    assert_eq!(information["Architecture"], "x86_64");
    assert_eq!(information["CgroupVersion"], "1");
    assert_eq!(
        information["DockerRootDir"],
        engine.data_root().to_string_lossy().as_ref()
    );
    let processors = engine.sandbox().output("nproc", &[]);
    assert_eq!(information["NCPU"].to_string(), processors.trim());
    let output = engine.client(&["version"]).expect(0).stdout;
    assert!(
        output.contains("Client") && output.contains("Server"),
        "{output}"
    );
    let output = engine.client(&["info"]).expect(0).stdout;
    assert!(output.contains("Images: 1"), "{output}");
}

#[test]
fn what_is_not_understood() {
    let engine = Engine::start_with_images(&[]);
    let answer = engine.request("GET", "/nowhere", &[]).expect(404);
    assert_eq!(answer.message(), "page not found");
    let answer = engine.request("GET", "/v1.99/info", &[]).expect(400);
    assert!(
        answer
            .message()
            .starts_with("client version 1.99 is too new. Maximum supported API version is "),
        "{}",
        answer.text()
    );
    let answer = engine.request("GET", "/v1.1/info", &[]).expect(400);
    assert!(
        answer
            .text()
            .contains("client version 1.1 is too old. Minimum supported API version is "),
        "{}",
        answer.text()
    );
    // Bodies that are no JSON, or not the expected kind of it.
    for body in [
        &b"{"[..],
        b"[]",
        b"{\"Cmd\": {\"a\": 1}}",
        b"{\"Image\": 5}",
    ] {
        let answer = engine.request_with(
            "POST",
            "/containers/create",
            &[("Content-Type", "application/json")],
            body,
        );
        assert!(
            answer.status == 400 || (against_docker() && answer.status == 500),
            "{} {}",
            answer.status,
            answer.text()
        );
        assert!(!answer.message().is_empty());
    }
    let answer = engine.request_with(
        "POST",
        "/containers/create",
        &[("Content-Type", "text/plain")],
        b"{}",
    );
    assert!(
        answer.status == 400 || answer.status == 415,
        "{}",
        answer.text()
    );
    // The engine is none the worse.
    engine.request("GET", "/_ping", &[]).expect(200);
}

#[test]
fn the_client_without_an_engine() {
    let engine = Engine::start_with_images(&[]);
    let output = std::process::Command::new(engine.client_command(&["ps"]).get_program())
        .args(
            engine
                .client_command(&[])
                .get_args()
                .take_while(|argument| *argument != "-H"),
        )
        .args(["-H", "unix:///no/such/socket", "ps"])
        .output()
        .expect("the client");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("unix:///no/such/socket"), "{text}");
    assert!(text.lines().count() <= 3, "{text}");
}
