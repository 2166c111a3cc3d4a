//! Pull: from a registry's image to an image of the store.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::try_join_all;
use tare_distribution::{Credentials, Resolved, Source};
use tare_engine_api::{AuthConfig, JsonMessage};
use tare_oci::{Descriptor, Digest, Platform, Reference};
use tokio::sync::mpsc;

use super::download::Stage;
use super::progress::Reporter;
use super::record::{Content, record};
use super::{Images, from_registry, from_store};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Between two messages about one layer's progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What to pull.
#[derive(Clone, Debug, Default)]
pub struct PullRequest {
    /// A reference as the user writes it.
    pub image: String,
    /// A tag or digest that takes the place of the one in `image`.
    pub tag: Option<String>,
    /// `os/architecture[/variant]`; this host's when absent.
    pub platform: Option<String>,
    /// Credentials for the registry.
    pub auth: Option<AuthConfig>,
}

impl PullRequest {
    fn reference(&self) -> Result<Reference> {
        let reference = Reference::parse_normalized(&self.image).map_err(invalid)?;
        let reference = match self.tag.as_deref().filter(|tag| !tag.is_empty()) {
            None => reference,
            Some(tag) if tag.contains(':') => reference.with_digest(tag.parse().map_err(invalid)?),
            Some(tag) => reference.with_tag(tag).map_err(invalid)?,
        };
        Ok(reference.with_default_tag())
    }

    fn platform(&self) -> Result<Platform> {
        match self
            .platform
            .as_deref()
            .filter(|platform| !platform.is_empty())
        {
            None => Ok(Platform::host()),
            Some(platform) => platform.parse().map_err(invalid),
        }
    }

    fn credentials(&self) -> Credentials {
        let Some(auth) = &self.auth else {
            return Credentials::Anonymous;
        };
        if !auth.registry_token.is_empty() {
            Credentials::RegistryToken(auth.registry_token.clone())
        } else if !auth.identity_token.is_empty() {
            Credentials::IdentityToken(auth.identity_token.clone())
        } else if !auth.username.is_empty() {
            Credentials::Basic {
                username: auth.username.clone(),
                password: auth.password.clone(),
            }
        } else {
            Credentials::Anonymous
        }
    }
}

fn invalid(error: impl ToString) -> Error {
    Error::invalid(error.to_string())
}

impl Engine {
    /// Pulls an image. What can be said before the first layer moves is an error of
    /// this call; what goes wrong later is the last message. The pull ends early when
    /// the receiver is dropped.
    pub async fn image_pull(&self, request: PullRequest) -> Result<mpsc::Receiver<JsonMessage>> {
        self.images().pull(request).await
    }
}

impl Images {
    /// See [`Engine::image_pull`].
    pub async fn pull(&self, request: PullRequest) -> Result<mpsc::Receiver<JsonMessage>> {
        let reference = request.reference()?;
        let platform = request.platform()?;
        let credentials = request.credentials();
        let (reporter, receiver) = Reporter::new();
        if let Some((digest, is_new)) = self.pull_embedded(&reference).await? {
            announce(&reporter, &reference).await;
            conclude(&reporter, &reference, &digest, is_new).await;
            return Ok(receiver);
        }
        if let Some(digest) = self.current(&reference, &platform, &credentials).await? {
            announce(&reporter, &reference).await;
            conclude(&reporter, &reference, &digest, false).await;
            return Ok(receiver);
        }
        let resolved = self
            .registry
            .resolve(&reference, &platform, &credentials)
            .await
            .map_err(from_registry)?;
        let os = resolved.config.platform().os;
        if os != "linux" {
            let message =
                format!("image operating system \"{os}\" cannot be used on this platform");
            return Err(Error::invalid(message));
        }
        let images = self.clone();
        tokio::spawn(async move {
            let fetch = images.fetch(&reporter, &reference, resolved);
            let failure = tokio::select! {
                () = reporter.closed() => None,
                result = fetch => result.err(),
            };
            if let Some(error) = failure {
                tracing::info!(%error, %reference, "pull failed");
                reporter.send(JsonMessage::error(error.to_string())).await;
            }
        });
        Ok(receiver)
    }

    /// The digest of the reference when the registry has exactly what is here
    /// already, for this platform. Asking costs one small request.
    async fn current(
        &self,
        reference: &Reference,
        platform: &Platform,
        credentials: &Credentials,
    ) -> Result<Option<Digest>> {
        let name = reference.to_string();
        let found = self.with_store(move |store| {
            let id = store.resolve(&name).map_err(from_store)?;
            store.image(&id).map_err(from_store)
        });
        // Any failure here is found again, and told, by the way that fetches.
        let Ok(image) = found.await else {
            return Ok(None);
        };
        if platform.rank(&image.platform).is_none() {
            return Ok(None);
        }
        let Ok(Some(digest)) = self.registry.digest(reference, credentials).await else {
            return Ok(None);
        };
        let pulled = reference.with_digest(digest.clone());
        Ok(image.references.contains(&pulled).then_some(digest))
    }

    async fn fetch(
        &self,
        reporter: &Reporter,
        reference: &Reference,
        resolved: Resolved,
    ) -> Result<()> {
        announce(reporter, reference).await;
        // From here on, what is found to be present stays.
        let lease = self.with_store(|store| Ok(store.lease())).await?;
        let diff_ids = resolved.config.rootfs.diff_ids.clone();
        let present = {
            let diff_ids = diff_ids.clone();
            self.with_store(move |store| {
                diff_ids
                    .iter()
                    .map(|diff_id| store.has_layer(diff_id).map_err(Error::internal))
                    .collect::<Result<Vec<bool>>>()
            })
            .await?
        };
        let mut seen = HashSet::new();
        let mut layers = Vec::new();
        for ((descriptor, diff_id), present) in
            resolved.manifest.layers.iter().zip(&diff_ids).zip(present)
        {
            if !seen.insert(diff_id) {
                continue;
            }
            let id = descriptor.digest.short();
            if present {
                reporter.layer(id, "Already exists").await;
            } else {
                reporter.layer(id, "Pulling fs layer").await;
                layers.push((descriptor, diff_id));
            }
        }
        let source = &resolved.source;
        try_join_all(
            layers
                .into_iter()
                .map(|(descriptor, diff_id)| self.bring(reporter, source, descriptor, diff_id)),
        )
        .await?;
        let (digest, target) = (resolved.digest.clone(), reference.clone());
        let content = Content {
            config: (
                resolved.manifest.config.digest.clone(),
                resolved.config_bytes,
            ),
            manifest: Some((resolved.manifest_digest, resolved.manifest_bytes)),
            layers: resolved
                .manifest
                .layers
                .into_iter()
                .map(|layer| Some(layer.digest))
                .collect(),
            parsed: resolved.config,
        };
        let is_new = self
            .with_store(move |store| {
                let before = store.resolve(&target.to_string()).ok();
                let names = [target.clone(), target.with_digest(resolved.digest)];
                let id = record(store, content, &names)?;
                drop(lease);
                Ok(before != Some(id))
            })
            .await?;
        conclude(reporter, reference, &digest, is_new).await;
        Ok(())
    }

    /// Brings one layer. A download of somebody else's that fails, perhaps for his
    /// lack of rights, is tried once more in our own name.
    async fn bring(
        &self,
        reporter: &Reporter,
        source: &Source,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<()> {
        loop {
            let (download, is_own) = self.download(source, descriptor, diff_id);
            match follow(reporter, download.stages(), descriptor).await {
                Err(_) if !is_own => {}
                result => return result,
            }
        }
    }
}

/// Tells a client about a layer until it is there.
async fn follow(
    reporter: &Reporter,
    mut stages: tokio::sync::watch::Receiver<Stage>,
    descriptor: &Descriptor,
) -> Result<()> {
    let (id, size) = (descriptor.digest.short(), descriptor.size);
    let mut downloaded = false;
    loop {
        let stage = stages.borrow_and_update().clone();
        if matches!(stage, Stage::Extracting | Stage::Done) && !downloaded {
            downloaded = true;
            reporter.layer(id, "Verifying Checksum").await;
            reporter.layer(id, "Download complete").await;
        }
        match stage {
            Stage::Waiting => reporter.layer(id, "Waiting").await,
            Stage::Downloading(current) => {
                reporter
                    .layer_progress(id, "Downloading", current, size)
                    .await;
                tokio::time::sleep(PROGRESS_EVERY).await;
            }
            Stage::Retrying(pause) => reporter.layer(id, &retrying(pause)).await,
            Stage::Extracting => reporter.layer_progress(id, "Extracting", size, size).await,
            Stage::Done => {
                reporter.layer(id, "Pull complete").await;
                return Ok(());
            }
            Stage::Failed(error) => return Err(error),
        }
        if stages.changed().await.is_err() {
            // The task ended; unless it said how, it broke.
            let last = stages.borrow().clone();
            if !matches!(last, Stage::Done | Stage::Failed(_)) {
                return Err(Error::internal(format!(
                    "the download of layer {id} broke off"
                )));
            }
        }
    }
}

/// The pause in whole seconds, as Docker counts it down.
fn retrying(pause: Duration) -> String {
    match pause.as_millis().div_ceil(1000) {
        1 => "Retrying in 1 second".to_owned(),
        seconds => format!("Retrying in {seconds} seconds"),
    }
}

/// `latest: Pulling from library/busybox`.
async fn announce(reporter: &Reporter, reference: &Reference) {
    let digest = reference.digest().map(Digest::to_string);
    let id = digest.as_deref().or(reference.tag());
    let message = JsonMessage::status(id, format!("Pulling from {}", reference.path()));
    reporter.send(message).await;
}

/// The two lines that end a pull.
async fn conclude(reporter: &Reporter, reference: &Reference, digest: &Digest, is_new: bool) {
    reporter
        .send(JsonMessage::status(None, format!("Digest: {digest}")))
        .await;
    let name = match reference.digest() {
        Some(digest) => reference.with_digest(digest.clone()).familiar(),
        None => reference.familiar(),
    };
    let status = if is_new {
        "Downloaded newer image"
    } else {
        "Image is up to date"
    };
    reporter
        .send(JsonMessage::status(
            None,
            format!("Status: {status} for {name}"),
        ))
        .await;
}

#[cfg(test)]
mod tests;
