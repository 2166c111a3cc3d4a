//! `busybox`: Debian's static busybox under all its names.

use crate::images::image::Image;
use crate::images::layer::{Layer, LayerBuilder};
use crate::process::output;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;

const PROGRAM: &str = "/bin/busybox";

/// The image.
pub(crate) fn make() -> Result<Vec<Image>> {
    Ok(vec![Image {
        architecture: "amd64",
        layers: vec![layer()?],
        config: config(),
    }])
}

/// The environment and command of the image and of those made on top of it.
pub(crate) fn config() -> Value {
    json!({
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "Cmd": ["sh"],
    })
}

/// The base layer: the program, a hard link for each applet, and the few files
/// that programs look for.
pub(crate) fn layer() -> Result<Arc<Layer>> {
    let program = std::fs::read(PROGRAM)
        .with_context(|| format!("cannot read {PROGRAM} (package busybox-static)"))?;
    let mut applets: Vec<String> = output(Command::new(PROGRAM).arg("--list"))?
        .lines()
        .map(str::to_owned)
        .filter(|name| name != "busybox")
        .collect();
    applets.sort();

    let mut layer = LayerBuilder::new();
    layer.directory("bin/", 0o755)?;
    layer.file("bin/busybox", 0o755, &program)?;
    for applet in applets {
        layer.hard_link(&format!("bin/{applet}"), "bin/busybox")?;
    }
    for directory in [
        "dev/",
        "etc/",
        "home/",
        "lib/",
        "usr/",
        "usr/bin/",
        "usr/sbin/",
        "var/",
    ] {
        layer.directory(directory, 0o755)?;
    }
    layer.symlink("usr/bin/env", "../../bin/env")?;
    layer.file(
        "etc/passwd",
        0o644,
        b"root:x:0:0:root:/root:/bin/sh\n\
          daemon:x:1:1:daemon:/usr/sbin:/bin/false\n\
          www-data:x:33:33:www-data:/var/www:/bin/false\n\
          nobody:x:65534:65534:nobody:/home:/bin/false\n",
    )?;
    layer.file(
        "etc/group",
        0o644,
        b"root:x:0:\ndaemon:x:1:\nadm:x:4:root,daemon\nwheel:x:10:root\n\
          www-data:x:33:\nusers:x:100:www-data\nnogroup:x:65534:\n",
    )?;
    layer.file("etc/shadow", 0o640, b"root:*:::::::\n")?;
    layer.directory("root/", 0o700)?;
    layer.directory("tmp/", 0o1777)?;
    Ok(Arc::new(layer.finish()?))
}
