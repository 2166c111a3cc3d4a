//! The smallest images: one static program that prints a line; for one
//! platform, for both, and for one that is not ours.

use crate::images::image::Image;
use crate::images::layer::LayerBuilder;
use crate::images::machine_code::print_line;
use anyhow::Result;
use serde_json::json;
use std::sync::Arc;

/// `hello`.
pub(crate) fn amd64() -> Result<Vec<Image>> {
    Ok(vec![image("amd64")?])
}

/// `foreign`: of another architecture only.
pub(crate) fn arm64() -> Result<Vec<Image>> {
    Ok(vec![image("arm64")?])
}

/// `platforms`: an index of both, ours last, so that taking the first is wrong.
pub(crate) fn both() -> Result<Vec<Image>> {
    Ok(vec![image("arm64")?, image("amd64")?])
}

fn image(architecture: &'static str) -> Result<Image> {
    let line = format!("hello from {architecture}\n");
    let mut layer = LayerBuilder::new();
    layer.file("hello", 0o755, &print_line(architecture, &line))?;
    Ok(Image {
        architecture,
        layers: vec![Arc::new(layer.finish()?)],
        config: json!({"Cmd": ["/hello"], "Env": ["PATH=/"]}),
    })
}
