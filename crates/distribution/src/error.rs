//! What can go wrong between us and a registry, in the words Docker's users know.

use std::path::PathBuf;
use std::time::Duration;

use tare_oci::Digest;

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No such repository, tag, digest or platform; or no right to know of it.
    NotFound,
    /// What was asked for cannot be served: a format that is not supported, a
    /// malformed setting.
    Invalid,
    /// The registry refused the credentials.
    Unauthorized,
    /// The registry cannot be reached, failed, or sent something wrong.
    Failed,
}

/// A failed operation on a registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or none that TLS accepts.
    #[error("{method} \"{url}\": {cause}")]
    Dial {
        /// The request that needed it, as `Get`.
        method: &'static str,
        /// Its URL.
        url: String,
        /// Why, in Docker's words.
        cause: String,
    },
    /// The connection broke or stalled within a request.
    #[error("{method} \"{url}\": {cause}")]
    Exchange {
        /// The request, as `Get`.
        method: &'static str,
        /// Its URL.
        url: String,
        /// Why.
        cause: String,
    },
    /// The registry answered with an error.
    #[error("{}", .0)]
    Answer(#[from] crate::answer::Answer),
    /// The registry wants a user name and a password, and there are none.
    #[error("{method} \"{url}\": no basic auth credentials")]
    NoCredentials {
        /// The request, as `Get`.
        method: &'static str,
        /// Its URL.
        url: String,
    },
    /// The token server gave no token.
    #[error("{method} \"{url}\": {cause}")]
    Token {
        /// The request that needed it, as `Get`.
        method: &'static str,
        /// Its URL.
        url: String,
        /// What the token server answered.
        cause: String,
        /// Whether it is worth another try.
        temporary: bool,
    },
    /// No such repository, or no right to pull from it.
    #[error(
        "pull access denied for {name}, repository does not exist or may require 'docker login': {answer}"
    )]
    AccessDenied {
        /// The repository, in its short form.
        name: String,
        /// What the registry said.
        answer: crate::answer::Answer,
    },
    /// No such repository.
    #[error("repository {name} not found: {answer}")]
    RepositoryUnknown {
        /// The repository, in its short form.
        name: String,
        /// What the registry said.
        answer: crate::answer::Answer,
    },
    /// No such tag or digest.
    #[error("manifest for {reference} not found: {answer}")]
    ManifestUnknown {
        /// The reference, in its short form.
        reference: String,
        /// What the registry said.
        answer: crate::answer::Answer,
    },
    /// The index has nothing for this platform.
    #[error("no matching manifest for {platform} in the manifest list entries")]
    NoMatchingPlatform {
        /// The platform asked for.
        platform: String,
    },
    /// A manifest that this client does not take.
    #[error("{reference}: {cause}")]
    Unsupported {
        /// The reference, in its short form.
        reference: String,
        /// What is wrong with it, and what to do.
        cause: String,
    },
    /// Bytes that are not what their digest says.
    #[error("{what} verification failed for digest {digest}")]
    Digest {
        /// What was fetched, as `manifest`.
        what: &'static str,
        /// The digest it should have.
        digest: Digest,
    },
    /// More or fewer bytes than announced.
    #[error("{what} {digest} has {found} bytes where its descriptor says {expected}")]
    Size {
        /// What was fetched, as `layer`.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// Bytes announced.
        expected: u64,
        /// Bytes received or announced by the answer.
        found: u64,
    },
    /// A body beyond what this client reads into memory.
    #[error("{what} of {url} is larger than {maximum} bytes")]
    TooLarge {
        /// What was fetched, as `manifest`.
        what: &'static str,
        /// Where from.
        url: String,
        /// The bound.
        maximum: u64,
    },
    /// A redirect that is not followed.
    #[error("{url}: redirect to {location} refused: {cause}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Where it should be instead.
        location: String,
        /// Why not.
        cause: &'static str,
    },
    /// A setting that makes no sense.
    #[error("{setting} \"{value}\": {cause}")]
    Setting {
        /// Which one, as `registry-mirrors`.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A certificate or key of a registry could not be used.
    #[error("{}: {cause}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// No HTTP client could be made, as without any trusted authority.
    #[error("TLS cannot be used: {cause}")]
    Tls {
        /// Why.
        cause: String,
    },
}

impl Error {
    /// What the caller can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::AccessDenied { .. }
            | Self::RepositoryUnknown { .. }
            | Self::ManifestUnknown { .. }
            | Self::NoMatchingPlatform { .. } => Kind::NotFound,
            Self::Unsupported { .. } | Self::Setting { .. } => Kind::Invalid,
            Self::NoCredentials { .. } => Kind::Unauthorized,
            Self::Answer(answer) if matches!(answer.status, 401 | 403) => Kind::Unauthorized,
            _ => Kind::Failed,
        }
    }

    /// Whether the same request may succeed a little later.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Exchange { .. } => true,
            Self::Token { temporary, .. } => *temporary,
            Self::Answer(answer) => answer.is_temporary(),
            _ => false,
        }
    }

    /// How long the registry asks to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answer(answer) => answer.retry_after,
            _ => None,
        }
    }
}
