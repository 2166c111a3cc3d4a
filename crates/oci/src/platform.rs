//! Platforms: what an image was built for, and which of several a host takes.
//!
//! Names are normalised and ranked as containerd does it, because image
//! indexes are written for that: `x86_64` is `amd64`, `aarch64` is `arm64`
//! (v8 unsaid), 32-bit ARM is v7 unless it says otherwise.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operating system and processor, as image indexes write them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The processor, in Go's names: `amd64`, `arm64`, `arm`, `386`.
    pub architecture: String,
    /// The operating system, in Go's names: `linux`.
    pub os: String,
    /// Operating system version; only Windows images have it.
    #[serde(
        rename = "os.version",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
    /// Required operating system features; only Windows images have them.
    #[serde(
        rename = "os.features",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub os_features: Option<Vec<String>>,
    /// Processor variant: `v7`, `v8`, `v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A text that is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More or fewer parts than `os/architecture/variant`, or odd characters.
    #[error("{0:?}: invalid platform, expected os/architecture[/variant]")]
    Format(String),
    /// One word that is neither a known operating system nor a processor.
    #[error("{0:?}: unknown operating system or architecture")]
    Unknown(String),
}

const OPERATING_SYSTEMS: [&str; 8] = [
    "linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris", "wasip1",
];
const ARCHITECTURES: [&str; 12] = [
    "386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64",
    "s390x", "wasm",
];

impl Platform {
    /// A normalised platform.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            ..Self::default()
        }
        .normalized()
    }

    /// The platform this program was built for and therefore runs on.
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }

    /// Other spellings replaced by the ones indexes use.
    pub fn normalized(mut self) -> Self {
        let lower = |text: &str| text.to_ascii_lowercase();
        self.os = match lower(&self.os).as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let variant = self
            .variant
            .take()
            .map(|variant| lower(&variant))
            .filter(|variant| !variant.is_empty());
        let (architecture, variant) = match (lower(&self.architecture).as_str(), variant.as_deref())
        {
            ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64".to_owned(), None),
            ("x86_64" | "x86-64" | "amd64", _) => ("amd64".to_owned(), variant),
            ("i386" | "i486" | "i586" | "i686" | "386" | "x86", _) => ("386".to_owned(), None),
            ("aarch64" | "arm64", None | Some("8" | "v8" | "v8.0")) => ("arm64".to_owned(), None),
            ("aarch64" | "arm64", _) => ("arm64".to_owned(), variant),
            ("armhf", _) => ("arm".to_owned(), Some("v7".to_owned())),
            ("armel", _) => ("arm".to_owned(), Some("v6".to_owned())),
            ("arm", None) => ("arm".to_owned(), Some("v7".to_owned())),
            ("arm", Some(digit @ ("5" | "6" | "7" | "8"))) => {
                ("arm".to_owned(), Some(format!("v{digit}")))
            }
            ("powerpc64le", _) => ("ppc64le".to_owned(), variant),
            (other, _) => (other.to_owned(), variant),
        };
        self.architecture = architecture;
        self.variant = variant;
        self
    }

    /// How well an image for `candidate` suits a host (or a wish) of this
    /// platform: 0 is best, larger is worse, none means it cannot run.
    ///
    /// A processor also runs its older variants, and a 64-bit one the 32-bit
    /// programs of its family.
    pub fn rank(&self, candidate: &Platform) -> Option<u32> {
        let (wanted, candidate) = (self.clone().normalized(), candidate.clone().normalized());
        if wanted.os != candidate.os {
            return None;
        }
        let offered = (candidate.architecture.as_str(), level(&candidate));
        match (wanted.architecture.as_str(), level(&wanted)) {
            (architecture, wanted_level) if architecture == offered.0 => {
                if candidate.variant == wanted.variant {
                    return Some(0);
                }
                wanted_level
                    .checked_sub(offered.1)
                    .filter(|_| level_is_known(&candidate))
            }
            ("amd64", _) if offered.0 == "386" => Some(100),
            ("arm64", _) if offered.0 == "arm" && offered.1 <= 8 => Some(100 + (8 - offered.1)),
            _ => None,
        }
    }
}

/// The number in a variant; what an unsaid variant stands for.
fn level(platform: &Platform) -> u32 {
    let number = platform.variant.as_deref().and_then(|variant| {
        let digits = variant.strip_prefix('v')?;
        digits
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
            .filter(|number| *number < 100)
    });
    number.unwrap_or(match platform.architecture.as_str() {
        "amd64" => 1,
        "arm64" => 8,
        "arm" => 7,
        _ => 0,
    })
}

fn level_is_known(platform: &Platform) -> bool {
    match platform.variant.as_deref() {
        None => true,
        Some(variant) => variant
            .strip_prefix('v')
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit())),
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `os/architecture/variant`, `os/architecture`, or one of the two
    /// with the host's other half.
    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        if !parts.iter().all(word) {
            return Err(Error::Format(text.to_owned()));
        }
        match parts.as_slice() {
            [one] => {
                let host = Self::host();
                let as_os = Self::new(one, &host.architecture, host.variant.as_deref());
                if OPERATING_SYSTEMS.contains(&as_os.os.as_str()) {
                    return Ok(as_os);
                }
                let as_architecture = Self::new(&host.os, one, None);
                if ARCHITECTURES.contains(&as_architecture.architecture.as_str()) {
                    return Ok(as_architecture);
                }
                Err(Error::Unknown(text.to_owned()))
            }
            [os, architecture] => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(Error::Format(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
