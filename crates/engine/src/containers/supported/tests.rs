use super::*;

fn check_json(config: &str, host_config: &str) -> Result<()> {
    check(
        &serde_json::from_str(config).unwrap(),
        &serde_json::from_str(host_config).unwrap(),
    )
}

#[test]
fn zero_values_of_go_clients_ask_for_nothing() {
    check_json(
        r#"{"Volumes":{},"OnBuild":null,"Healthcheck":null}"#,
        r#"{"VolumesFrom":null,"BlkioWeight":0,"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"OomKillDisable":null}"#,
    )
    .unwrap();
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (config, host_config, name) in [
        ("{}", r#"{"VolumesFrom":["x"]}"#, "HostConfig.VolumesFrom"),
        ("{}", r#"{"BlkioWeight":10}"#, "HostConfig.BlkioWeight"),
        (
            "{}",
            r#"{"RestartPolicy":{"Name":"always"}}"#,
            "restart policy \"always\"",
        ),
        (
            "{}",
            r#"{"PidMode":"container:x"}"#,
            "PidMode \"container:x\"",
        ),
        (
            r#"{"Healthcheck":{"Test":["CMD","true"]}}"#,
            "{}",
            "Config.Healthcheck",
        ),
    ] {
        let message = check_json(config, host_config).unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
}
