use super::{bar, layer, layer_progress, size};

#[test]
fn sizes_as_docker_writes_them() {
    for (bytes, expected) in [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (1024, "1.024kB"),
        (32_768, "32.77kB"),
        (2_500_000, "2.5MB"),
        (123_456_789, "123.5MB"),
        (u64::MAX, "18.45EB"),
    ] {
        assert_eq!(size(bytes), expected, "{bytes}");
    }
}

#[test]
fn bars_as_docker_draws_them() {
    let full = "=".repeat(50);
    for (current, total, expected) in [
        (0, 100, format!("[>{}]       0B/100B", " ".repeat(50))),
        (
            50,
            100,
            format!("[{}>{}]      50B/100B", "=".repeat(25), " ".repeat(25)),
        ),
        (100, 100, format!("[{full}>]     100B/100B")),
        (1024, 0, " 1.024kB".to_owned()),
        (u64::MAX, u64::MAX, format!("[{full}>]  18.45EB/18.45EB")),
    ] {
        assert_eq!(bar(current, total), expected);
    }
}

#[test]
fn messages_on_the_wire() {
    let json = |message| serde_json::to_value(message).expect("JSON");
    assert_eq!(
        json(layer("4b0edb23340c", "Pulling fs layer")),
        serde_json::json!({
            "status": "Pulling fs layer", "progressDetail": {}, "id": "4b0edb23340c",
        })
    );
    assert_eq!(
        json(layer_progress("4b0edb23340c", "Downloading", 50, 100))["progressDetail"],
        serde_json::json!({"current": 50, "total": 100})
    );
}
