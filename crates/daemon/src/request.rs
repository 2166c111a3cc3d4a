//! A request taken apart: version, path, query, headers, body.

mod path;
mod query;
mod upload;
mod version;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, UPGRADE};
use hyper::{Method, body::Body as _};
use serde::de::DeserializeOwned;
use tare_engine::{Error, Result};

pub(crate) use path::cleaned;
pub(crate) use query::Query;
pub(crate) use upload::Upload;
pub(crate) use version::Version;

/// The most a JSON body may have, in bytes. A command line with its
/// environment has at most a few megabytes.
const BODY_LIMIT: usize = 16 << 20;

/// The most a form may have, in bytes.
const FORM_LIMIT: usize = 64 << 10;

/// A request, its version prefix removed and its path decoded.
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// The API version asked for, or the newest.
    pub(crate) version: Version,
    /// The path without the version and the leading slash.
    pub(crate) path: String,
    /// The query's parameters.
    pub(crate) query: Query,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, until it is read.
    pub(crate) body: Incoming,
}

impl Request {
    /// Takes a request apart.
    ///
    /// # Errors
    ///
    /// Fails in Docker's words for a version that is not spoken and for a query
    /// that is none.
    pub(crate) fn new(request: hyper::Request<Incoming>) -> Result<Self> {
        let (head, body) = request.into_parts();
        let path = query::decode(head.uri.path(), false);
        let (version, path) = version::split(path.trim_start_matches('/'))?;
        Ok(Self {
            method: head.method,
            version,
            path: path.to_owned(),
            query: Query::parse(head.uri.query().unwrap_or_default())?,
            headers: head.headers,
            body,
        })
    }

    /// Whether the client asked for the connection to be upgraded.
    pub(crate) fn wants_upgrade(&self) -> bool {
        self.headers.contains_key(UPGRADE)
    }

    /// A header's text, empty when it is absent or no text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Reads the body as JSON; `None` when there is no body.
    ///
    /// # Errors
    ///
    /// Fails in Docker's words when it is not JSON, or not called so.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        self.expect_json()?;
        if self.body.is_end_stream() {
            return Ok(None);
        }
        let body = Limited::new(&mut self.body, BODY_LIMIT)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    Error::invalid(format!(
                        "invalid JSON: the request body is longer than {BODY_LIMIT} bytes"
                    ))
                } else {
                    Error::invalid(format!("invalid JSON: {error}"))
                }
            })?;
        let bytes = body.to_bytes();
        if bytes.trim_ascii().is_empty() {
            return Err(Error::invalid(
                "invalid JSON: got EOF while reading request body",
            ));
        }
        let mut decoder = serde_json::Deserializer::from_slice(&bytes);
        let value = T::deserialize(&mut decoder).map_err(|error| {
            Error::invalid(if error.is_eof() {
                "invalid JSON: unexpected EOF".to_owned()
            } else {
                format!("invalid JSON: {error}")
            })
        })?;
        let end = decoder.end();
        end.map_err(|_| Error::invalid("unexpected content after JSON"))?;
        Ok(Some(value))
    }

    /// Reads a body that is a form, as `curl --data` sends it, into the query:
    /// Docker's engine takes parameters from either.
    ///
    /// # Errors
    ///
    /// Fails when the form is too long or none.
    pub(crate) async fn read_form(&mut self) -> Result<()> {
        let content_type = self.header(CONTENT_TYPE.as_str());
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(());
        }
        let body = Limited::new(&mut self.body, FORM_LIMIT).collect().await;
        let body = body.map_err(|error| Error::invalid(format!("invalid form: {error}")))?;
        let form = Query::parse(&String::from_utf8_lossy(&body.to_bytes()))?;
        self.query.precede(form);
        Ok(())
    }

    /// Whether there is more of a body than the `{}` of clients that always
    /// send one.
    pub(crate) fn has_body(&self) -> bool {
        self.body
            .size_hint()
            .exact()
            .is_none_or(|length| length > 2)
    }

    fn expect_json(&self) -> Result<()> {
        let content_type = self.header(CONTENT_TYPE.as_str());
        let empty = self.body.is_end_stream() || self.header(CONTENT_LENGTH.as_str()) == "0";
        if content_type.is_empty() && empty {
            return Ok(());
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.is_empty() {
            return Err(Error::invalid(format!(
                "malformed Content-Type header ({content_type}): mime: no media type"
            )));
        }
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Error::invalid(format!(
                "unsupported Content-Type header ({content_type}): must be 'application/json'"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
