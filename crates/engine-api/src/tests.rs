//! What no single type's test shows: null, empty and absent, in and out.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::*;

/// Decodes `input` and asserts what is encoded at each JSON pointer; `None`
/// for a field that must be absent.
fn round_trip<T: DeserializeOwned + Serialize>(input: Value, expected: &[(&str, Option<Value>)]) {
    let value: T = serde_json::from_value(input).expect("decoded");
    let output = serde_json::to_value(value).expect("encoded");
    for (pointer, wanted) in expected {
        assert_eq!(
            output.pointer(pointer),
            wanted.as_ref(),
            "{pointer} in {output}"
        );
    }
}

#[test]
fn a_request_with_gos_nulls_is_read() {
    round_trip::<ContainerCreateRequest>(
        json!({
            "Image": "busybox", "Cmd": "true", "Entrypoint": null, "Env": null, "Tty": null,
            "AttachStdin": null, "Labels": null, "ExposedPorts": {"80/tcp": null}, "Volumes": {"/x": {"any": 1}},
            "Healthcheck": null, "StopTimeout": null, "Unknown": {"field": [1, 2]},
            "HostConfig": {
                "Binds": null, "PortBindings": {"80/tcp": null, "81/tcp": [{"HostPort": "8081", "HostIp": null}]},
                "Memory": null, "RestartPolicy": null, "Ulimits": [{"Name": "nofile", "Soft": -1, "Hard": -1}],
                "ConsoleSize": null, "LogConfig": {"Type": "", "Config": null}, "Init": null, "CapAdd": [],
            },
            "NetworkingConfig": {"EndpointsConfig": {"n": null}},
        }),
        &[
            ("/Image", Some(json!("busybox"))),
            ("/Cmd", Some(json!(["true"]))),
            ("/Tty", Some(json!(false))),
            ("/Labels", Some(json!({}))),
            ("/ExposedPorts", Some(json!({"80/tcp": {}}))),
            ("/Volumes", Some(json!({"/x": {}}))),
            ("/HostConfig/PortBindings/80~1tcp", Some(Value::Null)),
            (
                "/HostConfig/PortBindings/81~1tcp/0",
                Some(json!({"HostIp": "", "HostPort": "8081"})),
            ),
            ("/HostConfig/Memory", Some(json!(0))),
            ("/HostConfig/Ulimits/0/Hard", Some(json!(-1))),
            ("/HostConfig/Binds", Some(Value::Null)),
            ("/HostConfig/CapAdd", Some(json!([]))),
            ("/HostConfig/ConsoleSize", Some(json!([0, 0]))),
            (
                "/HostConfig/LogConfig",
                Some(json!({"Type": "", "Config": {}})),
            ),
            (
                "/NetworkingConfig/EndpointsConfig/n/IPAMConfig",
                Some(Value::Null),
            ),
        ],
    );
}

#[test]
fn wrong_types_are_refused() {
    for wrong in [
        json!({"Image": 5}),
        json!({"Cmd": {"a": 1}}),
        json!({"Tty": "yes"}),
        json!({"HostConfig": {"Memory": "1g"}}),
        json!({"HostConfig": []}),
        json!({"Labels": ["a=b"]}),
        json!([]),
    ] {
        assert!(
            serde_json::from_value::<ContainerCreateRequest>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn what_is_empty_is_written_as_docker_writes_it() {
    round_trip::<ContainerInspectResponse>(
        json!({}),
        &[
            ("/ExecIDs", Some(Value::Null)),
            ("/Mounts", Some(json!([]))),
            ("/Args", Some(json!([]))),
            ("/SizeRw", None),
            ("/State/Health", None),
            ("/State/OOMKilled", Some(json!(false))),
            ("/GraphDriver", Some(json!({"Data": null, "Name": ""}))),
            ("/Config/Env", Some(Value::Null)),
            ("/Config/Cmd", Some(Value::Null)),
            ("/Config/OnBuild", Some(Value::Null)),
            ("/Config/Labels", Some(json!({}))),
            ("/Config/ExposedPorts", None),
            ("/Config/StopSignal", None),
            ("/Config/Healthcheck", None),
            ("/HostConfig/PortBindings", Some(json!({}))),
            ("/HostConfig/Mounts", None),
            ("/HostConfig/Sysctls", None),
            ("/HostConfig/Init", None),
            ("/HostConfig/OomKillDisable", Some(Value::Null)),
            ("/HostConfig/PidsLimit", Some(Value::Null)),
            ("/HostConfig/MemorySwappiness", Some(Value::Null)),
            ("/HostConfig/UTSMode", Some(json!(""))),
            ("/HostConfig/BlkioDeviceReadIOps", Some(Value::Null)),
            ("/HostConfig/IOMaximumIOps", Some(json!(0))),
            ("/NetworkSettings/Ports", Some(json!({}))),
            ("/NetworkSettings/SecondaryIPAddresses", Some(Value::Null)),
            ("/NetworkSettings/LinkLocalIPv6Address", Some(json!(""))),
            ("/NetworkSettings/Networks", Some(json!({}))),
        ],
    );
    round_trip::<ContainerCreateResponse>(
        json!({"Warnings": null}),
        &[("/Warnings", Some(json!([])))],
    );
    round_trip::<ContainersPruneReport>(json!({}), &[("/ContainersDeleted", Some(Value::Null))]);
    round_trip::<ContainerWaitResponse>(
        json!({"StatusCode": 1, "Error": null}),
        &[("/Error", None), ("/StatusCode", Some(json!(1)))],
    );
    round_trip::<ImageSummary>(
        json!({"RepoDigests": null}),
        &[
            ("/RepoDigests", Some(json!([]))),
            ("/Labels", Some(Value::Null)),
            ("/Manifests", None),
        ],
    );
    round_trip::<Network>(
        json!({"IPAM": {"Config": [{"Subnet": "10.0.0.0/8"}]}}),
        &[
            ("/IPAM/Options", Some(Value::Null)),
            ("/IPAM/Config/0", Some(json!({"Subnet": "10.0.0.0/8"}))),
            ("/EnableIPv6", Some(json!(false))),
            ("/Containers", Some(json!({}))),
            ("/ConfigFrom", Some(json!({"Network": ""}))),
        ],
    );
    round_trip::<SystemInfo>(
        json!({}),
        &[
            ("/Swarm/RemoteManagers", Some(Value::Null)),
            ("/NFd", Some(json!(0))),
            ("/BridgeNfIp6tables", Some(json!(false))),
            ("/CpuCfsQuota", Some(json!(false))),
            ("/IPv4Forwarding", Some(json!(false))),
            ("/HttpProxy", Some(json!(""))),
            ("/Warnings", Some(Value::Null)),
        ],
    );
}

#[test]
fn a_progress_message_is_one_small_object() {
    for (message, text) in [
        (
            JsonMessage::status(Some("a"), "Waiting"),
            r#"{"status":"Waiting","id":"a"}"#,
        ),
        (
            JsonMessage::progress("a", "Downloading", 1, 2),
            r#"{"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"a"}"#,
        ),
        (
            JsonMessage::error("no"),
            r#"{"errorDetail":{"message":"no"},"error":"no"}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&message).expect("encoded"), text);
        assert_eq!(
            serde_json::from_str::<JsonMessage>(text).expect("decoded"),
            message
        );
    }
}
