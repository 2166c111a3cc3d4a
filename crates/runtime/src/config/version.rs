//! `ociVersion`.

use super::Error;

/// "MUST be in SemVer v2.0.0 format"; and within a major version the
/// specification is compatible both ways, so any 1.x will do.
pub(super) fn check(version: &str) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::invalid("ociVersion", reason));
    if version.is_empty() {
        return refuse("is empty".to_owned());
    }
    let Some(major) = major(version) else {
        return refuse(format!("{version:?} is no semantic version"));
    };
    if major != "1" {
        return refuse(format!("{version:?} is not supported: 1.x is"));
    }
    Ok(())
}

/// The major number of a semantic version; none when it is not one.
fn major(version: &str) -> Option<&str> {
    let (version, build) = match version.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (version, None),
    };
    let (core, pre_release) = match version.split_once('-') {
        Some((core, pre_release)) => (core, Some(pre_release)),
        None => (version, None),
    };
    let identifiers = |text: Option<&str>, leading_zero: bool| {
        text.is_none_or(|text| {
            text.split('.').all(|part| {
                let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                !part.is_empty() && part.bytes().all(valid) && (leading_zero || !is_padded(part))
            })
        })
    };
    let mut numbers = core.split('.');
    let major = numbers.next()?;
    let is_number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && !is_padded(part)
    };
    let three = [Some(major), numbers.next(), numbers.next()];
    let valid = three.into_iter().all(|part| part.is_some_and(is_number))
        && numbers.next().is_none()
        && identifiers(pre_release, false)
        && identifiers(build, true);
    valid.then_some(major)
}

/// Whether a number has a zero in front.
fn is_padded(part: &str) -> bool {
    part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
}
