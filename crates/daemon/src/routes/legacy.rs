//! What clients of older versions of the API expect beyond, or instead of,
//! what the newest says.

use serde_json::{Map, Value, json};
use tare_engine::{Error, Result};
use tare_engine_api::{ImageInspect, ImageSummary};

use crate::request::Version;

/// Fields of a container's configuration that the `Config` of an image had
/// until 1.49, with the only values they ever had there.
const CONTAINER_ONLY: &str = r#"{
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false,
    "AttachStderr": false, "Tty": false, "OpenStdin": false, "StdinOnce": false, "Env": null,
    "Cmd": null, "Image": "", "Volumes": null, "WorkingDir": "", "Entrypoint": null,
    "OnBuild": null, "Labels": null
}"#;

/// An image as `version` shows it.
pub(super) fn image(version: Version, image: ImageInspect) -> Result<Value> {
    let size = image.size;
    let mut image = serde_json::to_value(image).map_err(Error::internal)?;
    let container_only = || -> Result<Map<String, Value>> {
        serde_json::from_str(CONTAINER_ONLY).map_err(Error::internal)
    };
    if version < Version::one(50)
        && let Some(config) = image.get_mut("Config").and_then(Value::as_object_mut)
    {
        for (name, value) in container_only()? {
            config.entry(name).or_insert(value);
        }
    }
    if version < Version::one(44) {
        image["VirtualSize"] = json!(size);
        image["Container"] = json!("");
    }
    if version < Version::one(45) {
        image["ContainerConfig"] = Value::Object(container_only()?);
    }
    Ok(image)
}

/// A list of images as `version` shows it.
pub(super) fn image_list(version: Version, images: Vec<ImageSummary>) -> Result<Value> {
    let show = |image: ImageSummary| {
        let (size, untagged) = (image.size, image.repo_tags.is_empty());
        let mut image = serde_json::to_value(image)?;
        if version < Version::one(44) {
            image["VirtualSize"] = json!(size);
        }
        if version < Version::one(43) && untagged {
            image["RepoTags"] = json!(["<none>:<none>"]);
        }
        Ok(image)
    };
    images
        .into_iter()
        .map(show)
        .collect::<serde_json::Result<_>>()
        .map_err(Error::internal)
}
