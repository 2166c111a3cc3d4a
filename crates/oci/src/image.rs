//! The documents an image consists of: index, manifest and configuration.
//!
//! Both families are read by the same types: Docker's schema 2 and the OCI's
//! image specification differ in media types only. Parsing refuses what would
//! let one document be read as two things (CVE-2021-41190).

mod config;
mod descriptor;
mod manifest;

pub use config::{ContainerConfig, Empty, Healthcheck, History, ImageConfig, RootFs};
pub use descriptor::Descriptor;
pub use manifest::{Index, Manifest};

/// A document that is not what its media type says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or not of this shape.
    #[error("invalid {document}: {source}")]
    Json {
        /// Which document: "manifest", "index" or "image configuration".
        document: &'static str,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// A schema version other than 2.
    #[error("unsupported {document} schema version {version}")]
    SchemaVersion {
        /// Which document.
        document: &'static str,
        /// The version it claims.
        version: i64,
    },
    /// Fields of a manifest and of an index in one document, or a media type
    /// in it that contradicts how it was served.
    #[error("ambiguous {document}: {detail}")]
    Ambiguous {
        /// Which document.
        document: &'static str,
        /// What contradicts.
        detail: String,
    },
}

#[cfg(test)]
mod tests;
