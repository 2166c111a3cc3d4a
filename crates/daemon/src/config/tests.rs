use super::*;

fn merge(arguments: &[&str], text: &str) -> Result<Config, String> {
    let arguments = ["tared"].iter().chain(arguments).map(Into::into).collect();
    let options = Options::parse_arguments(arguments).map_err(|error| error.to_string())?;
    Config::merge(options, Path::new("daemon.json"), text.as_bytes())
        .map_err(|error| error.to_string())
}

#[test]
fn flags_and_file_are_one_configuration() {
    let config = merge(
        &["-H", "unix:///tmp/a.sock", "--data-root", "/data", "--label", "a=b", "-b", "br9"],
        r#"{"exec-root": "/exec", "bip": "10.9.0.1/24", "insecure-registries": ["r:5000"], "live-restore": true, "debug": true}"#,
    )
    .expect("configuration");
    assert_eq!(config.addresses, [Address::Unix("/tmp/a.sock".into())]);
    assert_eq!(config.engine.data_root, Path::new("/data"));
    assert_eq!(config.engine.exec_root, Path::new("/exec"));
    assert_eq!(config.pidfile, Path::new("/exec/tare.pid"));
    assert_eq!(config.engine.bip.expect("bip").to_string(), "10.9.0.1/24");
    assert_eq!(config.engine.insecure_registries, ["r:5000"]);
    assert_eq!(config.engine.labels, ["a=b"]);
    assert_eq!(config.engine.bridge, "br9");
    assert_eq!(config.log_level, Level::DEBUG);
    assert!(config.engine.debug);
}

#[test]
fn nothing_given_is_every_default() {
    for text in ["", "{}"] {
        let config = merge(&[], text).expect("configuration");
        assert!(config.default_addresses);
        assert_eq!(
            config.addresses[0],
            Address::Unix("/run/tare/tare.sock".into())
        );
        assert_eq!(config.log_level, Level::INFO);
        assert_eq!(config.idle_timeout, None);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_name() {
    for (arguments, text, expected) in [
        (
            &["--data-root", "/a", "-H", "unix:///s"][..],
            r#"{"data-root": "/a", "hosts": ["fd://"]}"#,
            "both as a flag and in the configuration file: hosts, data-root",
        ),
        (
            &["-D"],
            r#"{"debug": false}"#,
            "in the configuration file: debug",
        ),
        (
            &[],
            r#"{"datta-root": "/a", "what": 1}"#,
            "match any configuration option: datta-root, what",
        ),
        (
            &[],
            r#"{"live-restore": false}"#,
            "\"live-restore\" is not supported by this engine",
        ),
        (
            &[],
            r#"{"runtimes": {"x": {}}}"#,
            "\"runtimes\" is not supported by this engine",
        ),
        (
            &[],
            r#"{"debug": "yes"}"#,
            "invalid type: string \"yes\", expected a boolean",
        ),
        (&[], r#"{"debug": "#, "EOF while parsing"),
        (&[], r#"["debug"]"#, "invalid type: sequence"),
        (&["-l", "loud"], "{}", "invalid logging level: loud"),
        (&["--label", "alone"], "{}", "a label is key=value"),
        (
            &["-H", "tcp://0.0.0.0:2375"],
            "{}",
            "refusing to listen at tcp://0.0.0.0:2375 without --tlsverify",
        ),
        (
            &["--bip", "10.0.0.1"],
            "{}",
            "invalid value '10.0.0.1' for '--bip",
        ),
    ] {
        let error = merge(arguments, text).expect_err(expected);
        assert!(
            error.contains(expected),
            "{error:?} does not say {expected:?}"
        );
    }
}

#[test]
fn tcp_is_for_clients_with_a_certificate_unless_told_twice() {
    let tcp = ["-H", "tcp://127.0.0.1:2376"];
    for (arguments, text, served) in [
        (&[][..], "{}", false),
        (&["--tls"], "{}", false),
        (&["--tlsverify"], "{}", true),
        (&[], r#"{"tlsverify": true}"#, true),
        (&["--insecure-tcp"], "{}", true),
        (&["--insecure-tcp", "--tls"], "{}", true),
    ] {
        let config = merge(&[&tcp, arguments].concat(), text);
        assert_eq!(config.is_ok(), served, "{arguments:?} {text}");
    }
    let config =
        merge(&["--tlsverify", "--tlscert", "/c"], r#"{"tlskey": "/k"}"#).expect("configuration");
    let expected = Files::new(
        true,
        Some("/etc/tare/ca.pem".into()),
        Some("/c".into()),
        Some("/k".into()),
    );
    assert_eq!(config.tls, Some(expected));
}
