//! `--volume`: `[source:]target[:options]`.

use std::path::Path;

use super::{OptionError, Surroundings};

/// What `--volume` asks for.
#[derive(Default)]
pub(super) struct Volumes {
    /// With a source: a directory of the host or a named volume.
    pub(super) binds: Vec<String>,
    /// Without: the engine makes a volume.
    pub(super) anonymous: Vec<String>,
}

pub(super) fn parse(
    specifications: &[String],
    surroundings: &Surroundings<'_>,
) -> Result<Volumes, OptionError> {
    let mut volumes = Volumes::default();
    for text in specifications {
        if text.is_empty() {
            return Err(OptionError::new("invalid empty volume spec"));
        }
        match text.split_once(':') {
            Some((source, rest)) if !source.is_empty() => {
                volumes
                    .binds
                    .push(format!("{}:{rest}", resolve(source, surroundings)));
            }
            _ => volumes.anonymous.push(text.clone()),
        }
    }
    Ok(volumes)
}

/// A relative directory as an absolute one; anything else as it is.
fn resolve(source: &str, surroundings: &Surroundings<'_>) -> String {
    match &surroundings.directory {
        Some(directory) if source.starts_with('.') => absolute(directory, source),
        _ => source.to_owned(),
    }
}

/// `path` below `directory`, without `.` and `..`.
pub(super) fn absolute(directory: &Path, path: &str) -> String {
    let mut result = directory.to_owned();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(result.pop()),
            name => result.push(name),
        }
    }
    result.to_string_lossy().into_owned()
}
