//! Versions of the API: the prefix `/v1.43` of a path.

use tare_engine::{Error, Result};
use tare_engine_api::{API_VERSION, MIN_API_VERSION};

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// The version `1.minor`.
    pub(crate) const fn one(minor: u32) -> Self {
        Self { major: 1, minor }
    }

    /// Reads `1.43`; parts that are missing or no numbers count as zero.
    fn parse(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
        Self {
            major: parts.next().unwrap_or(0),
            minor: parts.next().unwrap_or(0),
        }
    }
}

/// Takes the version off a path; without one it is the newest.
///
/// # Errors
///
/// Fails in Docker's words for a version that is too old or too new.
pub(super) fn split(path: &str) -> Result<(Version, &str)> {
    let newest = Version::parse(API_VERSION);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let Some(text) = first.strip_prefix('v').filter(|text| is_version(text)) else {
        return Ok((newest, path));
    };
    let version = Version::parse(text);
    if version < Version::parse(MIN_API_VERSION) {
        return Err(Error::invalid(format!(
            "client version {text} is too old. Minimum supported API version is {MIN_API_VERSION}, please upgrade your client to a newer version"
        )));
    }
    if version > newest {
        return Err(Error::invalid(format!(
            "client version {text} is too new. Maximum supported API version is {API_VERSION}"
        )));
    }
    Ok((version, rest))
}

fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}
