//! Images that do not run as root: by name, which needs the image's own
//! /etc/passwd and /etc/group, and by numbers that are in neither.

use super::busybox;
use crate::images::image::Image;
use crate::images::layer::LayerBuilder;
use anyhow::Result;
use serde_json::json;
use std::sync::Arc;

/// `user-by-name`: `USER app`, with a home, an entrypoint, a working directory
/// of its own and a supplementary group.
pub(crate) fn by_name() -> Result<Vec<Image>> {
    let mut layer = LayerBuilder::new();
    layer.file(
        "etc/passwd",
        0o644,
        b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n",
    )?;
    layer.file(
        "etc/group",
        0o644,
        b"root:x:0:\napp:x:1001:\nextra:x:1002:other,app\n",
    )?;
    layer.owned_by(1000, 1001).directory("home/app/", 0o750)?;
    layer.directory("srv/", 0o755)?;
    let mut config = busybox::config();
    config["User"] = json!("app");
    config["WorkingDir"] = json!("/srv");
    config["Entrypoint"] = json!(["/bin/sh", "-c"]);
    config["Cmd"] = json!(["id; pwd; echo $HOME"]);
    config["Labels"] = json!({"org.example.purpose": "tests"});
    image(layer, config)
}

/// `user-by-number`: `USER 1234:5678`.
pub(crate) fn by_number() -> Result<Vec<Image>> {
    let mut config = busybox::config();
    config["User"] = json!("1234:5678");
    config["Cmd"] = json!(["id"]);
    let mut layer = LayerBuilder::new();
    layer.owned_by(1234, 5678).directory("srv/", 0o700)?;
    image(layer, config)
}

fn image(layer: LayerBuilder, config: serde_json::Value) -> Result<Vec<Image>> {
    Ok(vec![Image {
        architecture: "amd64",
        layers: vec![busybox::layer()?, Arc::new(layer.finish()?)],
        config,
    }])
}
