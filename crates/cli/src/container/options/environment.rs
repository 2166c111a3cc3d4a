//! Environment variables and labels, from flags and from files.

use super::{OptionError, Surroundings};

/// The variables of the files, then those of the flags.
pub(crate) fn variables(
    files: &[String],
    flags: &[String],
    surroundings: &Surroundings<'_>,
) -> Result<Vec<String>, OptionError> {
    let mut variables = Vec::new();
    for file in files {
        let own = |name: &str| (surroundings.variable)(name);
        variables.extend(read(file, &own)?);
    }
    variables.extend(flags.iter().map(|flag| {
        match (flag.contains('='), (surroundings.variable)(flag)) {
            (false, Some(value)) => format!("{flag}={value}"),
            // A name without a value removes the image's variable.
            _ => flag.clone(),
        }
    }));
    Ok(variables)
}

/// The labels of the files, then those of the flags.
pub(super) fn labels(files: &[String], flags: &[String]) -> Result<Vec<String>, OptionError> {
    let mut labels = Vec::new();
    for file in files {
        labels.extend(read(file, &|_| None)?);
    }
    labels.extend(flags.iter().cloned());
    Ok(labels)
}

/// `name=value` lines; a name alone takes its value from `lookup`, or is
/// left out.
fn read(path: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, OptionError> {
    let bytes = std::fs::read(path).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        OptionError(format!("open {path}: {reason}"))
    })?;
    parse(&bytes, lookup)
        .map_err(|reason| OptionError(format!("invalid env file ({path}): {reason}")))
}

fn parse(bytes: &[u8], lookup: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| format!("invalid utf8 bytes at line {}", index + 1))?;
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line.trim_end(), lookup(line.trim_end())),
        };
        if name.is_empty() {
            return Err(format!("no variable name on line '{line}'"));
        }
        if name.contains(char::is_whitespace) {
            return Err(format!("variable '{name}' contains whitespaces"));
        }
        if let Some(value) = value {
            lines.push(format!("{name}={value}"));
        }
    }
    Ok(lines)
}
