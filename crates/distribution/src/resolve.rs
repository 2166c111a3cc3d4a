//! From a reference to an image: manifest, platform, configuration.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use tare_oci::image::{ImageConfig, Manifest};
use tare_oci::reference::DEFAULT_TAG;
use tare_oci::{Digest, Hasher, Platform, Reference, media_type};

use crate::client::Client;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::{Access, Outgoing, body};
use crate::manifest::{Document, choose, parse};

/// Largest manifest or index, in bytes, as registries have it.
const MANIFEST_MAXIMUM: u64 = 4 << 20;

/// Largest image configuration, in bytes.
const CONFIG_MAXIMUM: u64 = 8 << 20;

/// Most layers of an image: more than an overlay can stack.
const LAYERS_MAXIMUM: usize = 500;

/// The header that says what is served under a tag.
const CONTENT_DIGEST: &str = "docker-content-digest";

/// An image as a registry has it, everything but its layers.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Digest of what the reference names: of the index if there is one. This is
    /// the digest of Docker's `RepoDigests`.
    pub digest: Digest,
    /// The index the manifest was chosen from, with its media type, as received.
    pub index: Option<(String, Bytes)>,
    /// Digest of the image's manifest.
    pub manifest_digest: Digest,
    /// Media type of the manifest.
    pub media_type: String,
    /// The manifest as received.
    pub manifest_bytes: Bytes,
    /// The same, read.
    pub manifest: Manifest,
    /// The configuration as received; its digest, the image's ID, is in the
    /// manifest.
    pub config_bytes: Bytes,
    /// The same, read: as many diff IDs as the manifest has layers.
    pub config: ImageConfig,
    /// Where the layers are.
    pub source: Source,
}

/// A repository in a registry, for its blobs.
#[derive(Clone, Debug)]
pub struct Source {
    /// The one that answered first, then the others.
    pub(crate) endpoints: Arc<[Endpoint]>,
    pub(crate) repository: Arc<str>,
    pub(crate) credentials: Credentials,
}

/// A document under a reference.
struct Fetched {
    digest: Digest,
    media_type: String,
    bytes: Bytes,
    document: Document,
}

impl Client {
    /// The digest that a registry has for a tag, without the manifest: none when it
    /// does not say. Docker Hub does not count this against a user's pulls.
    pub async fn digest(
        &self,
        reference: &Reference,
        credentials: &Credentials,
    ) -> Result<Option<Digest>, Error> {
        if let Some(digest) = reference.digest() {
            return Ok(Some(digest.clone()));
        }
        let mut failure = None;
        for endpoint in self.endpoints(reference.domain())? {
            let access = Access {
                endpoint: &endpoint,
                repository: reference.path(),
                credentials,
            };
            let path = format!("manifests/{}", reference.tag().unwrap_or(DEFAULT_TAG));
            match self.send(access, Method::HEAD, &path, &accepted()).await {
                Ok(response) => return Ok(content_digest(&response)),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), |error| Err(named(error, reference)))
    }

    /// Finds the image that `reference` names for `platform`, at the first endpoint
    /// of its registry that has it.
    pub async fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
        credentials: &Credentials,
    ) -> Result<Resolved, Error> {
        let endpoints = self.endpoints(reference.domain())?;
        let mut failure = None;
        for chosen in 0..endpoints.len() {
            let mut order = endpoints.clone();
            order[..=chosen].rotate_right(1);
            let source = Source {
                endpoints: order.into(),
                repository: reference.path().into(),
                credentials: credentials.clone(),
            };
            match self.resolve_at(reference, platform, source).await {
                Ok(resolved) => return Ok(resolved),
                Err(error) => {
                    tracing::debug!(%error, %reference, "not at this endpoint");
                    failure = Some(error);
                }
            }
        }
        // There is always an endpoint, so there is a failure.
        Err(failure.map_or_else(
            || unsupported(reference, "no endpoint".to_owned()),
            |error| named(error, reference),
        ))
    }

    async fn resolve_at(
        &self,
        reference: &Reference,
        platform: &Platform,
        source: Source,
    ) -> Result<Resolved, Error> {
        let first = match reference.digest() {
            Some(digest) => {
                self.document(reference, &source, Target::Digest(digest))
                    .await?
            }
            None => {
                let tag = reference.tag().unwrap_or(DEFAULT_TAG);
                self.document(reference, &source, Target::Tag(tag)).await?
            }
        };
        let digest = first.digest.clone();
        let (index, fetched) = match &first.document {
            Document::Manifest(_) => (None, first),
            Document::Index(found) => {
                let entry = choose(found, platform).ok_or_else(|| Error::NoMatchingPlatform {
                    platform: platform.to_string(),
                })?;
                let target = Target::Digest(&entry.digest);
                let second = self.document(reference, &source, target).await?;
                if second.bytes.len() as u64 != entry.size {
                    return Err(Error::Size {
                        what: "manifest",
                        digest: second.digest,
                        expected: entry.size,
                        found: second.bytes.len() as u64,
                    });
                }
                (Some((first.media_type, first.bytes)), second)
            }
        };
        let Document::Manifest(manifest) = fetched.document else {
            return Err(unsupported(
                reference,
                "an index within an index".to_owned(),
            ));
        };
        let config_bytes = self
            .small_blob(
                &source,
                &manifest.config,
                "image configuration",
                CONFIG_MAXIMUM,
            )
            .await?;
        let config = ImageConfig::parse(&config_bytes)
            .map_err(|error| unsupported(reference, error.to_string()))?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            let cause = format!(
                "invalid rootfs in image configuration: {diff_ids} diff IDs for {layers} layers"
            );
            return Err(unsupported(reference, cause));
        }
        if layers > LAYERS_MAXIMUM {
            let cause =
                format!("{layers} layers are more than the {LAYERS_MAXIMUM} that can be stacked");
            return Err(unsupported(reference, cause));
        }
        Ok(Resolved {
            digest,
            index,
            manifest_digest: fetched.digest,
            media_type: fetched.media_type,
            manifest_bytes: fetched.bytes,
            manifest: *manifest,
            config_bytes,
            config,
            source,
        })
    }

    /// Fetches a document and checks it against the digest it should have.
    async fn document(
        &self,
        reference: &Reference,
        source: &Source,
        target: Target<'_>,
    ) -> Result<Fetched, Error> {
        let access = Access {
            endpoint: &source.endpoints[0],
            repository: &source.repository,
            credentials: &source.credentials,
        };
        let path = match target {
            Target::Tag(tag) => format!("manifests/{tag}"),
            Target::Digest(digest) => format!("manifests/{digest}"),
        };
        let response = self.send(access, Method::GET, &path, &accepted()).await?;
        let outgoing = Outgoing::new(Method::GET, response.url().clone());
        let promised = match target {
            Target::Tag(_) => content_digest(&response),
            Target::Digest(digest) => Some(digest.clone()),
        };
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type
            .and_then(|header| header.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let stall = self.inner.patience.stall;
        let bytes = body(response, &outgoing, "manifest", MANIFEST_MAXIMUM, stall).await?;
        let digest = promised.unwrap_or_else(|| Digest::sha256_of(&bytes));
        if !verifies(&digest, &bytes) {
            return Err(Error::Digest {
                what: "manifest",
                digest,
            });
        }
        let (media_type, document) =
            parse(&content_type, &bytes).map_err(|cause| unsupported(reference, cause))?;
        Ok(Fetched {
            digest,
            media_type,
            bytes,
            document,
        })
    }
}

/// What of a repository is asked for.
#[derive(Clone, Copy)]
enum Target<'a> {
    Tag(&'a str),
    Digest(&'a Digest),
}

/// Whether `bytes` are what `digest` names.
pub(crate) fn verifies(digest: &Digest, bytes: &[u8]) -> bool {
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(bytes);
    hasher.finish() == *digest
}

fn accepted() -> HeaderMap {
    let types = media_type::ACCEPTED_MANIFESTS.iter();
    types
        .map(|&accepted| (ACCEPT, HeaderValue::from_static(accepted)))
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

fn content_digest(response: &Response) -> Option<Digest> {
    response
        .headers()
        .get(CONTENT_DIGEST)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn unsupported(reference: &Reference, cause: String) -> Error {
    Error::Unsupported {
        reference: reference.familiar(),
        cause,
    }
}

/// The registry's refusal as Docker tells it: by the name of what was asked for.
fn named(error: Error, reference: &Reference) -> Error {
    let Error::Answer(answer) = error else {
        return error;
    };
    let name = reference.familiar_name();
    if answer.is_denied() {
        Error::AccessDenied { name, answer }
    } else if answer.is_repository_unknown() {
        Error::RepositoryUnknown { name, answer }
    } else if answer.is_manifest_unknown() {
        Error::ManifestUnknown {
            reference: reference.familiar(),
            answer,
        }
    } else {
        Error::Answer(answer)
    }
}
