//! `debian:bookworm-slim`, by mmdebstrap from the machine's Debian mirror.

use crate::images::image::Image;
use crate::images::layer::{EPOCH, Layer};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What the slim variant leaves out.
const EXCLUDED: &[&str] = &["doc", "man", "locale", "info", "groff", "lintian", "linda"];

/// The image: the same bytes for the same state of the archive.
pub(crate) fn make() -> Result<Vec<Image>> {
    let mut command = Command::new("mmdebstrap");
    command.env("SOURCE_DATE_EPOCH", EPOCH.to_string()).args([
        "--quiet",
        "--variant=minbase",
        "--format=tar",
    ]);
    for directory in EXCLUDED {
        command.arg(format!("--dpkgopt=path-exclude=/usr/share/{directory}/*"));
    }
    let output = command
        .arg("--customize-hook=rm -rf \"$1\"/var/lib/apt/lists/* \"$1\"/var/cache/* \"$1\"/var/log/*")
        .args(["bookworm", "-"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot execute mmdebstrap")?;
    ensure!(
        output.status.success(),
        "mmdebstrap failed: {}",
        output.status
    );
    Ok(vec![Image {
        architecture: "amd64",
        layers: vec![Arc::new(Layer::from_tar(&output.stdout)?)],
        config: json!({
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["bash"],
        }),
    }])
}
