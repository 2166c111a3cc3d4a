//! Registry credentials out of Docker's configuration: written there in
//! base 64, or kept by a credential helper, a program that is asked for them.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tare_engine_api::AuthConfig;
use tare_oci::Reference;

use crate::configuration::{Configuration, Entry};

/// The key under which Docker Hub's credentials are kept.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Credentials that are there and cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    /// The helper could not be executed or failed.
    #[error("credential helper {helper} failed for {registry}: {reason}")]
    Helper {
        helper: String,
        registry: String,
        reason: String,
    },
    /// The `auth` key is not `user:password` in base 64.
    #[error("the credentials for {registry} in the client's configuration are malformed")]
    Malformed { registry: String },
}

impl From<CredentialError> for crate::failure::Failure {
    fn from(error: CredentialError) -> Self {
        Self::new(error.to_string())
    }
}

/// The value of `X-Registry-Auth` for a pull of `reference`, if there are
/// credentials for its registry.
///
/// # Errors
/// Credentials that are there and cannot be used.
pub(crate) fn header_for(
    configuration: &Configuration,
    reference: &Reference,
) -> Result<Option<String>, CredentialError> {
    let registry = match reference.domain() {
        tare_oci::reference::DEFAULT_DOMAIN => DOCKER_HUB,
        domain => domain,
    };
    let helper = configuration
        .cred_helpers
        .get(registry)
        .or(configuration.creds_store.as_ref());
    let found = match helper.filter(|helper| !helper.is_empty()) {
        Some(helper) => ask_helper(helper, registry)?,
        None => None,
    };
    let credentials = match found {
        Some(credentials) => Some(credentials),
        None => stored(configuration, registry)?,
    };
    Ok(credentials
        .filter(|credentials| !credentials.is_empty())
        .map(|credentials| credentials.encode()))
}

fn stored(
    configuration: &Configuration,
    registry: &str,
) -> Result<Option<AuthConfig>, CredentialError> {
    let matching = configuration
        .auths
        .iter()
        .find(|(key, _)| *key == registry)
        .or_else(|| {
            // Old files have URLs as keys.
            configuration
                .auths
                .iter()
                .find(|(key, _)| host_of(key) == host_of(registry))
        });
    let Some((_, entry)) = matching else {
        return Ok(None);
    };
    decode(entry, registry).map(Some)
}

fn decode(entry: &Entry, registry: &str) -> Result<AuthConfig, CredentialError> {
    let malformed = || CredentialError::Malformed {
        registry: registry.to_owned(),
    };
    let mut credentials = AuthConfig {
        username: entry.username.clone().unwrap_or_default(),
        password: entry.password.clone().unwrap_or_default(),
        identity_token: entry.identitytoken.clone().unwrap_or_default(),
        registry_token: entry.registrytoken.clone().unwrap_or_default(),
        server_address: registry.to_owned(),
        ..AuthConfig::default()
    };
    if let Some(auth) = entry.auth.as_ref().filter(|auth| !auth.is_empty()) {
        let bytes = STANDARD.decode(auth).map_err(|_| malformed())?;
        let text = String::from_utf8(bytes).map_err(|_| malformed())?;
        let (username, password) = text.split_once(':').ok_or_else(malformed)?;
        credentials.username = username.to_owned();
        credentials.password = password.trim_end_matches('\0').to_owned();
    }
    Ok(credentials)
}

/// The host of a key that may be a URL with a path.
fn host_of(key: &str) -> &str {
    let rest = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    rest.split('/').next().unwrap_or_default()
}

#[derive(serde::Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

fn ask_helper(helper: &str, registry: &str) -> Result<Option<AuthConfig>, CredentialError> {
    let failed = |reason: String| CredentialError::Helper {
        helper: format!("docker-credential-{helper}"),
        registry: registry.to_owned(),
        reason,
    };
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read the name fails by itself.
        drop(stdin.write_all(registry.as_bytes()));
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        // The protocol's words for "none".
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(if said.is_empty() {
            output.status.to_string()
        } else {
            said
        }));
    }
    let answer: HelperAnswer =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    let mut credentials = AuthConfig {
        server_address: registry.to_owned(),
        ..AuthConfig::default()
    };
    if answer.username == "<token>" {
        credentials.identity_token = answer.secret;
    } else {
        credentials.username = answer.username;
        credentials.password = answer.secret;
    }
    Ok(Some(credentials))
}

#[cfg(test)]
mod tests;
