//! What a container takes from its image where the client says nothing.

use tare_engine_api::ContainerConfig;
use tare_oci::image;

/// Fills `config` in from the image's configuration, by Docker's rules.
pub(crate) fn merge(config: &mut ContainerConfig, image: &image::ContainerConfig) {
    fn or(text: &mut String, default: Option<&String>) {
        if text.is_empty() {
            text.clone_from(default.unwrap_or(&String::new()));
        }
    }
    or(&mut config.user, image.user.as_ref());
    or(&mut config.working_dir, image.working_dir.as_ref());
    if config.stop_signal.as_ref().is_none_or(String::is_empty) {
        config.stop_signal.clone_from(&image.stop_signal);
    }
    config.stop_timeout = config.stop_timeout.or(image.stop_timeout);
    for port in image.exposed_ports.iter().flat_map(|ports| ports.keys()) {
        config.exposed_ports.entry(port.clone()).or_default();
    }
    for (key, value) in image.labels.iter().flatten() {
        config
            .labels
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    merge_environment(config, image);
    // An entry point of the client's own makes the image's command
    // meaningless; an empty one (`--entrypoint ""`) only takes the image's away.
    let given = |words: &Option<Vec<String>>| words.as_ref().is_some_and(|words| !words.is_empty());
    if !given(&config.entrypoint) {
        if !given(&config.cmd) {
            config.cmd.clone_from(&image.cmd);
        }
        if config.entrypoint.is_none() {
            config.entrypoint.clone_from(&image.entrypoint);
        }
    } else if config.entrypoint.as_deref() == Some(&[String::new()]) {
        config.entrypoint = None;
    }
}

/// The client's variables, then those of the image that it does not set: the
/// order that Docker shows.
fn merge_environment(config: &mut ContainerConfig, image: &image::ContainerConfig) {
    let mut own = config.env.take().unwrap_or_default();
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    for variable in image.env.iter().flatten() {
        if !own.iter().any(|known| name(known) == name(variable)) {
            own.push(variable.clone());
        }
    }
    config.env = Some(own);
}

#[cfg(test)]
mod tests;
