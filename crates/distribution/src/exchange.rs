//! One request and its answer: authorisation, redirects, another try, and the
//! bound on what is read.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use reqwest::header::{
    AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Method, Response, Url};

use crate::answer::{Answer, BODY_MAXIMUM};
use crate::backoff::{Backoff, retry_after};
use crate::challenge::{self, Challenge};
use crate::client::Client;
use crate::contact::{Contact, prefer, under};
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::token::{Authorization, bearer_header};

mod cause;

/// Redirects followed for one request.
const REDIRECTS: usize = 5;

/// A request as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Sent to the origin of `url` only, never along a redirect.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) body: Option<String>,
}

impl Outgoing {
    /// Without headers and body.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            authorization: None,
            body: None,
        }
    }
}

/// In whose name and for what a repository is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// Path of the repository, as `library/busybox`.
    pub(crate) repository: &'a str,
    pub(crate) credentials: &'a Credentials,
}

impl Access<'_> {
    /// Mirrors are other origins: they get nothing.
    fn credentials(&self) -> &Credentials {
        if self.endpoint.mirror {
            &Credentials::Anonymous
        } else {
            self.credentials
        }
    }
}

impl Client {
    /// Asks for `<repository>/<path>` and tries again while that makes sense. A
    /// connection that is refused is not tried again: nobody waits for a registry
    /// that is not there.
    pub(crate) async fn send(
        &self,
        access: Access<'_>,
        method: Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Error> {
        let mut backoff = Backoff::new(self.inner.patience);
        loop {
            let error = match self.authorized(access, method.clone(), path, headers).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if !error.is_temporary() {
                return Err(error);
            }
            let Some(pause) = backoff.next(error.retry_after()) else {
                return Err(error);
            };
            tracing::debug!(%error, ?pause, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks once, with whatever the endpoint wants to be convinced with.
    pub(crate) async fn authorized(
        &self,
        access: Access<'_>,
        method: Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Error> {
        let mut contact = self.contact(access.endpoint).await?;
        let url = under(&contact.base, &format!("{}/{path}", access.repository));
        let mut outgoing = Outgoing {
            headers: headers.clone(),
            ..Outgoing::new(method, url)
        };
        let mut refused = None;
        loop {
            let authorization = self
                .authorization(access, &contact, refused.as_ref(), &outgoing)
                .await?;
            let (header, fresh) = match authorization {
                Some(Authorization { header, fresh }) => (Some(header), fresh),
                None => (None, false),
            };
            outgoing.authorization.clone_from(&header);
            let response = match self.follow(&outgoing).await {
                Ok(response) => response,
                Err(error) => {
                    self.inner.contacts.forget(access.endpoint);
                    return Err(error);
                }
            };
            if response.status().is_success() {
                return Ok(response);
            }
            let asked = prefer(challenges(&response));
            let again = response.status() == 401
                && refused.is_none()
                && !fresh
                && !matches!(access.credentials(), Credentials::RegistryToken(_))
                && asked.is_some();
            if !again {
                return Err(refusal(response, &outgoing).await);
            }
            if header.is_some() && matches!(asked, Some(Challenge::Basic)) {
                // The same password again would be refused again.
                return Err(refusal(response, &outgoing).await);
            }
            contact = Contact {
                base: contact.base,
                challenge: asked,
            };
            self.inner.contacts.put(access.endpoint, contact.clone());
            refused = Some(header.unwrap_or(HeaderValue::from_static("none")));
        }
    }

    /// The header that answers the contact's challenge, if there is anything to
    /// answer with.
    async fn authorization(
        &self,
        access: Access<'_>,
        contact: &Contact,
        refused: Option<&HeaderValue>,
        outgoing: &Outgoing,
    ) -> Result<Option<Authorization>, Error> {
        let credentials = access.credentials();
        if let Credentials::RegistryToken(token) = credentials {
            let header = bearer_header(token);
            return Ok(header.map(|header| Authorization {
                header,
                fresh: false,
            }));
        }
        match (&contact.challenge, credentials) {
            (None, _) => Ok(None),
            (Some(Challenge::Basic), Credentials::Basic { username, password }) => {
                Ok(Some(Authorization {
                    header: basic(username, password),
                    fresh: false,
                }))
            }
            (Some(Challenge::Basic), _) => Err(Error::NoCredentials {
                method: verb(&outgoing.method),
                url: outgoing.url.to_string(),
            }),
            (Some(Challenge::Bearer(bearer)), credentials) => {
                let scope = format!("repository:{}:pull", access.repository);
                let token = self
                    .token(bearer, &scope, credentials, refused, outgoing)
                    .await?;
                Ok(Some(token))
            }
        }
    }

    /// Sends, and follows redirects: the authorisation stays with the origin it was
    /// meant for, and nobody is led from TLS to plain HTTP.
    pub(crate) async fn follow(&self, outgoing: &Outgoing) -> Result<Response, Error> {
        let mut hop = outgoing.clone();
        for _ in 0..=REDIRECTS {
            let response = self.once(&hop).await?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|location| location.to_str().ok())
                .unwrap_or_default()
                .to_owned();
            let refused = |cause| Error::Redirect {
                url: hop.url.to_string(),
                location: crate::answer::printable(&location),
                cause,
            };
            let next = hop
                .url
                .join(&location)
                .map_err(|_| refused("it is not a URL"))?;
            if !matches!(next.scheme(), "http" | "https") {
                return Err(refused("it is neither http nor https"));
            }
            if hop.url.scheme() == "https" && next.scheme() == "http" {
                return Err(refused("it leads from TLS to plain HTTP"));
            }
            if outgoing.body.is_some() {
                return Err(refused(
                    "a request with a secret in its body stays where it is",
                ));
            }
            if next.origin() != outgoing.url.origin() {
                hop.authorization = None;
            }
            hop.url = next;
        }
        Err(Error::Redirect {
            url: outgoing.url.to_string(),
            location: hop.url.to_string(),
            cause: "it is one of too many",
        })
    }

    /// Sends one request and waits for the head of its answer.
    pub(crate) async fn once(&self, outgoing: &Outgoing) -> Result<Response, Error> {
        let client = self.inner.transport.client(&outgoing.url)?;
        let mut builder = client
            .request(outgoing.method.clone(), outgoing.url.clone())
            .headers(outgoing.headers.clone());
        if let Some(authorization) = &outgoing.authorization {
            builder = builder.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(body) = &outgoing.body {
            builder = builder.body(body.clone());
        }
        let patience = self.inner.patience;
        let answer = tokio::time::timeout(patience.connect + patience.answer, builder.send()).await;
        match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(cause::failure(outgoing, &error)),
            Err(_) => Err(cause::timeout(outgoing)),
        }
    }
}

/// The next piece of a body, or none at its end.
pub(crate) async fn chunk(
    response: &mut Response,
    outgoing: &Outgoing,
    stall: Duration,
) -> Result<Option<Bytes>, Error> {
    match tokio::time::timeout(stall, response.chunk()).await {
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(error)) => Err(cause::failure(outgoing, &error)),
        Err(_) => Err(cause::timeout(outgoing)),
    }
}

/// A whole body of at most `maximum` bytes.
pub(crate) async fn body(
    mut response: Response,
    outgoing: &Outgoing,
    what: &'static str,
    maximum: u64,
    stall: Duration,
) -> Result<Bytes, Error> {
    let mut whole = BytesMut::new();
    while let Some(piece) = chunk(&mut response, outgoing, stall).await? {
        if (whole.len() + piece.len()) as u64 > maximum {
            return Err(Error::TooLarge {
                what,
                url: outgoing.url.to_string(),
                maximum,
            });
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The error that an answer with an error status is.
pub(crate) async fn refusal(mut response: Response, outgoing: &Outgoing) -> Error {
    let status = response.status().as_u16();
    let challenges = challenges(&response);
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let retry_after = header(RETRY_AFTER.as_str()).and_then(retry_after);
    // Docker Hub: what remains, then the window, as `0;w=21600`.
    let exhausted = header("ratelimit-remaining").is_some_and(|value| {
        value
            .split(';')
            .next()
            .is_some_and(|left| left.trim() == "0")
    });
    let mut body = BytesMut::new();
    let patience = Duration::from_secs(10);
    while let Ok(Some(piece)) = chunk(&mut response, outgoing, patience).await {
        body.extend_from_slice(&piece);
        if body.len() as u64 > BODY_MAXIMUM {
            body.clear();
            break;
        }
    }
    let request = (verb(&outgoing.method), outgoing.url.as_str());
    let mut answer = Answer::parse(status, &challenges, &body, request);
    answer.retry_after = retry_after;
    answer.exhausted = exhausted;
    Error::Answer(answer)
}

/// What an answer asks for.
pub(crate) fn challenges(response: &Response) -> Vec<Challenge> {
    let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let texts = headers.filter_map(|header| header.to_str().ok());
    texts.flat_map(challenge::parse).collect()
}

/// The header of a user name and a password.
pub(crate) fn basic(username: &str, password: &str) -> HeaderValue {
    let encoded = BASE64_STANDARD.encode(format!("{username}:{password}"));
    // Base64 is always a valid header.
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}"))
        .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    header.set_sensitive(true);
    header
}

/// A method as Docker's messages write it.
pub(crate) fn verb(method: &Method) -> &'static str {
    match *method {
        Method::HEAD => "Head",
        Method::POST => "Post",
        _ => "Get",
    }
}
