//! Security options, capabilities and process limits.

use std::collections::BTreeSet;

use tare_engine_api::{HostConfig, Ulimit};

use super::{OptionError, some_list};
use crate::grammar::Matches;

/// What `--security-opt` asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    options: Vec<String>,
    /// `systempaths=unconfined`: nothing of /proc and /sys is masked.
    open_system_paths: bool,
}

pub(super) fn parse(options: &[String]) -> Result<Security, OptionError> {
    let mut security = Security::default();
    for option in options {
        if option == "systempaths=unconfined" {
            security.open_system_paths = true;
            continue;
        }
        let pair = match option.split_once('=') {
            None if option != "no-new-privileges" => option.split_once(':'),
            pair => pair,
        };
        let (key, value) = pair.unwrap_or((option, ""));
        if value.is_empty() && key != "no-new-privileges" {
            return Err(OptionError(format!("Invalid --security-opt: {option:?}")));
        }
        security.options.push(match (key, value) {
            ("seccomp", "builtin" | "unconfined") => option.clone(),
            ("seccomp", path) => format!("seccomp={}", profile(path)?),
            _ => option.clone(),
        });
    }
    Ok(security)
}

/// The profile's text, since the engine cannot read the client's files.
fn profile(path: &str) -> Result<String, OptionError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        OptionError(format!(
            "opening seccomp profile ({path}) failed: open {path}: {}",
            reason(&error)
        ))
    })?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|error| {
        OptionError(format!(
            "compacting json for seccomp profile ({path}) failed: {error}"
        ))
    })?;
    Ok(crate::format::json::compact(&text))
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

impl Security {
    /// Fills in the options and the capabilities.
    pub(super) fn apply(self, host_config: HostConfig, matches: &Matches<'_>) -> HostConfig {
        let paths = self.open_system_paths.then(Vec::new);
        HostConfig {
            security_opt: some_list(self.options),
            masked_paths: paths.clone(),
            readonly_paths: paths,
            cap_add: some_list(capabilities(&matches.list("cap-add"))),
            cap_drop: some_list(capabilities(&matches.list("cap-drop"))),
            ..host_config
        }
    }
}

/// Names in capital letters with their prefix, sorted, each once.
fn capabilities(names: &[String]) -> Vec<String> {
    let names: BTreeSet<String> = names
        .iter()
        .map(|name| {
            let name = name.trim().to_uppercase();
            if name == "ALL" || name.starts_with("CAP_") {
                name
            } else {
                format!("CAP_{name}")
            }
        })
        .collect();
    names.into_iter().collect()
}

/// Checked `name=soft:hard` texts, the last of each name, by name.
pub(super) fn ulimits(texts: &[String]) -> Vec<Ulimit> {
    let mut limits: std::collections::BTreeMap<String, Ulimit> = std::collections::BTreeMap::new();
    for text in texts {
        let parts = text
            .split_once('=')
            .and_then(|(name, values)| Some((name, values.split_once(':')?)));
        if let Some((name, (soft, hard))) = parts
            && let (Ok(soft), Ok(hard)) = (soft.parse(), hard.parse())
        {
            limits.insert(
                name.to_owned(),
                Ulimit {
                    name: name.to_owned(),
                    hard,
                    soft,
                },
            );
        }
    }
    limits.into_values().collect()
}
