use super::*;

fn host(global: Global, environment: Environment) -> Result<String, String> {
    resolve_host(&global, &environment)
        .map(|(address, default)| format!("{address} {default}"))
        .map_err(|error| error.to_string())
}

#[test]
fn the_engine_is_found_by_flag_then_tare_host_then_docker_host() {
    let global = |text: &str| Global {
        host: Some(text.to_owned()),
        ..Global::default()
    };
    let environment = || Environment {
        tare_host: Some("unix:///tare".to_owned()),
        docker_host: Some("unix:///docker".to_owned()),
        ..Environment::default()
    };
    assert_eq!(
        host(global("unix:///flag"), environment()).as_deref(),
        Ok("unix:///flag false")
    );
    assert_eq!(
        host(Global::default(), environment()).as_deref(),
        Ok("unix:///tare false")
    );
    let docker_only = Environment {
        tare_host: None,
        ..environment()
    };
    assert_eq!(
        host(Global::default(), docker_only).as_deref(),
        Ok("unix:///docker false")
    );
    assert_eq!(
        host(Global::default(), Environment::default()).as_deref(),
        Ok("unix:///run/tare/tare.sock true")
    );
    assert_eq!(
        host(global("tcp://:80"), environment()).as_deref(),
        Ok("tcp://localhost:80 false")
    );
    assert_eq!(
        host(global("[::1]:4000"), environment()).as_deref(),
        Ok("tcp://[::1]:4000 false")
    );
}

#[test]
fn what_is_not_supported_yet_is_refused_by_name() {
    let ssh = Global {
        host: Some("ssh://box".to_owned()),
        ..Global::default()
    };
    assert!(
        host(ssh, Environment::default())
            .unwrap_err()
            .contains("ssh:// is not supported yet")
    );
    let context = Global {
        context: Some("remote".to_owned()),
        ..Global::default()
    };
    assert!(
        host(context, Environment::default())
            .unwrap_err()
            .contains("context \"remote\"")
    );
    let environment = Environment {
        docker_context: Some("remote".to_owned()),
        ..Environment::default()
    };
    assert!(
        host(Global::default(), environment)
            .unwrap_err()
            .contains("context \"remote\"")
    );
    let tls = Environment {
        docker_host: Some("tcp://h:1".to_owned()),
        tls_verify: true,
        ..Environment::default()
    };
    assert!(
        host(Global::default(), tls)
            .unwrap_err()
            .contains("TLS is not supported yet")
    );
}
