//! Bearer tokens: fetched from the server a registry names, kept until they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::answer::printable;
use crate::challenge::Bearer;
use crate::client::Client;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::exchange::{Outgoing, basic, body, refusal, verb};

/// Longest answer of a token server, in bytes.
const ANSWER_MAXIMUM: u64 = 256 << 10;

/// Shortest and default lifetime, as the token specification has it.
const LIFETIME: Duration = Duration::from_secs(60);

/// Taken off a lifetime, so that a token does not expire on its way.
const MARGIN: Duration = Duration::from_secs(10);

/// Longest lifetime believed; it also keeps an absurd number from overflowing.
const LIFETIME_MAXIMUM: u64 = 24 * 60 * 60;

/// Tokens kept at most; beyond it those that have expired go.
const KEPT: usize = 64;

/// What a token is for and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    realm: String,
    service: Option<String>,
    scope: String,
    credentials: Credentials,
}

type Slot = Arc<tokio::sync::Mutex<Option<(HeaderValue, Instant)>>>;

/// The tokens that are still good. A slot is locked while its token is fetched:
/// ten layers of one image ask the token server once.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Tokens {
    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= KEPT {
            slots.retain(|_, slot| {
                slot.try_lock().is_ok_and(|token| {
                    token
                        .as_ref()
                        .is_some_and(|(_, expires)| *expires > Instant::now())
                })
            });
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

/// An `Authorization` header, and whether it has just been fetched.
#[derive(Debug)]
pub(crate) struct Authorization {
    pub(crate) header: HeaderValue,
    pub(crate) fresh: bool,
}

impl Client {
    /// A token for `scope` at the server that `bearer` names; `refused` is one that
    /// the registry no longer takes. `request` is what needs it, for messages.
    pub(crate) async fn token(
        &self,
        bearer: &Bearer,
        scope: &str,
        credentials: &Credentials,
        refused: Option<&HeaderValue>,
        request: &Outgoing,
    ) -> Result<Authorization, Error> {
        let slot = self.inner.tokens.slot(Key {
            realm: bearer.realm.clone(),
            service: bearer.service.clone(),
            scope: scope.to_owned(),
            credentials: credentials.clone(),
        });
        let mut kept = slot.lock().await;
        if let Some((header, expires)) = &*kept
            && *expires > Instant::now()
            && Some(header) != refused
        {
            return Ok(Authorization {
                header: header.clone(),
                fresh: false,
            });
        }
        let (header, lifetime) = self
            .fetch_token(bearer, scope, credentials, request)
            .await?;
        *kept = Some((
            header.clone(),
            Instant::now() + lifetime.saturating_sub(MARGIN),
        ));
        Ok(Authorization {
            header,
            fresh: true,
        })
    }

    async fn fetch_token(
        &self,
        bearer: &Bearer,
        scope: &str,
        credentials: &Credentials,
        request: &Outgoing,
    ) -> Result<(HeaderValue, Duration), Error> {
        let failed = |cause: String, temporary: bool| Error::Token {
            method: verb(&request.method),
            url: request.url.to_string(),
            cause,
            temporary,
        };
        let realm = Url::parse(&bearer.realm)
            .ok()
            .filter(|realm| matches!(realm.scheme(), "http" | "https"))
            .ok_or_else(|| {
                failed(
                    format!("malformed token realm \"{}\"", printable(&bearer.realm)),
                    false,
                )
            })?;
        if request.url.scheme() == "https" && realm.scheme() != "https" {
            let cause = format!("token realm \"{realm}\" would give credentials away without TLS");
            return Err(failed(cause, false));
        }
        let outgoing = ask(realm, bearer, scope, credentials);
        let response = self
            .follow(&outgoing)
            .await
            .map_err(|error| failed(error.to_string(), error.is_temporary()))?;
        if !response.status().is_success() {
            let error = refusal(response, &outgoing).await;
            return Err(failed(error.to_string(), error.is_temporary()));
        }
        let bytes = body(
            response,
            &outgoing,
            "token",
            ANSWER_MAXIMUM,
            self.inner.patience.stall,
        );
        let bytes = bytes
            .await
            .map_err(|error| failed(error.to_string(), error.is_temporary()))?;
        parse(&bytes)
            .ok_or_else(|| failed(format!("no token in the answer of {}", outgoing.url), false))
    }
}

/// The request for a token: GET as Docker Hub has it, or OAuth2's POST for an
/// identity token.
fn ask(realm: Url, bearer: &Bearer, scope: &str, credentials: &Credentials) -> Outgoing {
    if let Credentials::IdentityToken(token) = credentials {
        let mut form = realm.clone();
        form.query_pairs_mut()
            .clear()
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", token)
            .append_pair("client_id", "tare")
            .append_pair("service", bearer.service.as_deref().unwrap_or_default())
            .append_pair("scope", scope);
        let mut outgoing = Outgoing::new(Method::POST, realm);
        outgoing.body = form.query().map(str::to_owned);
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        outgoing.headers.insert(CONTENT_TYPE, form_type);
        return outgoing;
    }
    let mut url = realm;
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &bearer.service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", scope);
        if let Credentials::Basic { username, .. } = credentials {
            query.append_pair("account", username);
        }
    }
    let mut outgoing = Outgoing::new(Method::GET, url);
    if let Credentials::Basic { username, password } = credentials {
        outgoing.authorization = Some(basic(username, password));
    }
    outgoing
}

/// Token and lifetime of an answer.
fn parse(bytes: &[u8]) -> Option<(HeaderValue, Duration)> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
        expires_in: Option<u64>,
    }
    let answer: Answer = serde_json::from_slice(bytes).ok()?;
    let token = answer
        .token
        .or(answer.access_token)
        .filter(|token| !token.is_empty())?;
    let lifetime = answer.expires_in.unwrap_or(0).min(LIFETIME_MAXIMUM);
    Some((
        bearer_header(&token)?,
        Duration::from_secs(lifetime).max(LIFETIME),
    ))
}

/// The header that carries `token`; none when it cannot be one.
pub(crate) fn bearer_header(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests;
