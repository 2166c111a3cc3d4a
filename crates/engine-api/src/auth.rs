//! Credentials for registries, and the `X-Registry-Auth` header that carries
//! them: JSON in base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::lenient::{is_default, or_default};

/// The header with the credentials for one registry.
pub const REGISTRY_AUTH_HEADER: &str = "x-registry-auth";

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// A header that cannot be read.
#[derive(Debug, Error)]
pub enum AuthError {
    /// It is not base64.
    #[error("invalid X-Registry-Auth header: {0}")]
    Encoding(#[source] base64::DecodeError),
    /// What it encodes is not JSON, or not of this shape.
    #[error("invalid X-Registry-Auth header: {0}")]
    Syntax(#[source] serde_json::Error),
}

/// Credentials for one registry: a name and a password, or a token.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", default)]
pub struct AuthConfig {
    /// The user.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub username: String,
    /// The password.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub password: String,
    /// `user:password` in base64, as configuration files have it.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub auth: String,
    /// The registry.
    #[serde(
        rename = "serveraddress",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub server_address: String,
    /// A refresh token that stands for name and password.
    #[serde(
        rename = "identitytoken",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub identity_token: String,
    /// A bearer token to send to the registry as it is.
    #[serde(
        rename = "registrytoken",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub registry_token: String,
}

impl std::fmt::Debug for AuthConfig {
    /// Says whose credentials they are and shows none of them.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AuthConfig")
            .field("username", &self.username)
            .field("server_address", &self.server_address)
            .finish_non_exhaustive()
    }
}

impl AuthConfig {
    /// Reads the header; an empty one, or one of empty credentials, is none.
    ///
    /// Both alphabets of base64 are read, with and without padding, since
    /// clients send all four. Name and password are taken from `auth` when
    /// only that is given.
    ///
    /// # Errors
    ///
    /// Fails when it is not base64 of JSON of this shape.
    pub fn decode(header: &str) -> Result<Option<Self>, AuthError> {
        if header.is_empty() {
            return Ok(None);
        }
        let json = URL_SAFE
            .decode(header)
            .or_else(|_| STANDARD.decode(header))
            .map_err(AuthError::Encoding)?;
        if json.is_empty() {
            return Ok(None);
        }
        let mut credentials: Self = serde_json::from_slice(&json).map_err(AuthError::Syntax)?;
        if credentials.username.is_empty()
            && let Ok(pair) = STANDARD.decode(&credentials.auth)
            && let Ok(pair) = String::from_utf8(pair)
            && let Some((username, password)) = pair.split_once(':')
        {
            credentials.username = username.to_owned();
            credentials.password = password.trim_end_matches('\0').to_owned();
        }
        Ok((!credentials.is_empty()).then_some(credentials))
    }

    /// The header's value.
    pub fn encode(&self) -> String {
        // A structure of strings always has a text.
        URL_SAFE.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Whether there is nothing to identify anyone by.
    pub fn is_empty(&self) -> bool {
        self.username.is_empty() && self.identity_token.is_empty() && self.registry_token.is_empty()
    }
}

/// The answer to `POST /auth`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AuthResponse {
    /// What to tell the user.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// A token to store in place of the password.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub identity_token: String,
}

#[cfg(test)]
mod tests;
