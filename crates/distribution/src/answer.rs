//! A registry's refusal: the distribution specification's error body, or whatever
//! a proxy in between wrote instead.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::challenge::Challenge;

/// Longest error body read, in bytes.
pub(crate) const BODY_MAXIMUM: u64 = 64 << 10;

/// Longest message shown, in characters.
const MESSAGE_MAXIMUM: usize = 512;

/// An answer with an error status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The specification's code, as `MANIFEST_UNKNOWN`; empty when the body has
    /// none.
    pub code: String,
    /// The registry's words, fit for a terminal.
    pub message: String,
    /// How long the registry asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the registry says that this account's pulls are used up.
    pub exhausted: bool,
}

/// Docker's form: the code in lower case without underscores, then the message.
impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code.is_empty() {
            return formatter.write_str(&self.message);
        }
        let code = self.code.to_lowercase().replace('_', " ");
        write!(formatter, "{code}: {}", self.message)?;
        match self.retry_after {
            Some(pause) if self.status == 429 => {
                write!(formatter, " (try again in {} s)", pause.as_secs())
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Answer {}

impl Answer {
    /// Reads the answer to a `method` request to `url`.
    pub(crate) fn parse(
        status: u16,
        challenges: &[Challenge],
        body: &[u8],
        request: (&str, &str),
    ) -> Self {
        let (code, message) = refused_token(challenges)
            .or_else(|| specified(body))
            .unwrap_or_else(|| unspecified(status, request));
        Self {
            status,
            code,
            message,
            retry_after: None,
            exhausted: false,
        }
    }

    /// Whether asking again later makes sense.
    pub(crate) fn is_temporary(&self) -> bool {
        match self.status {
            429 => !self.exhausted,
            408 | 500 | 502 | 503 | 504 => true,
            _ => false,
        }
    }

    /// Whether the registry hides or denies the repository.
    pub(crate) fn is_denied(&self) -> bool {
        self.code == "DENIED"
    }

    /// Whether there is no such repository.
    pub(crate) fn is_repository_unknown(&self) -> bool {
        self.code == "NAME_UNKNOWN"
    }

    /// Whether there is no such tag or digest. An answer without a code counts: a
    /// mirror that is a plain web server gives those.
    pub(crate) fn is_manifest_unknown(&self) -> bool {
        self.code == "MANIFEST_UNKNOWN" || (self.status == 404 && self.code.is_empty())
    }
}

/// The reason of RFC 6750: a token that is not enough means that access is denied,
/// which Docker Hub says of every repository that does not exist.
fn refused_token(challenges: &[Challenge]) -> Option<(String, String)> {
    challenges.iter().find_map(|challenge| {
        let Challenge::Bearer(bearer) = challenge else {
            return None;
        };
        let (code, message) = match bearer.error.as_deref()? {
            "insufficient_scope" => ("DENIED", "requested access to the resource is denied"),
            "invalid_token" => ("UNAUTHORIZED", "authentication required"),
            _ => return None,
        };
        let message = bearer
            .error_description
            .as_deref()
            .map_or(message.to_owned(), printable);
        Some((code.to_owned(), message))
    })
}

/// The first error of a body as the specification has it.
fn specified(body: &[u8]) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: Option<String>,
    }
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let first = errors.errors.into_iter().next()?;
    let code = printable(&first.code);
    let message = match first.message {
        Some(message) if !message.is_empty() => printable(&message),
        _ => code.to_lowercase().replace('_', " "),
    };
    (!code.is_empty()).then_some((code, message))
}

/// What is said of an answer without a readable body.
fn unspecified(status: u16, (method, url): (&str, &str)) -> (String, String) {
    if status == 401 {
        return (
            "UNAUTHORIZED".to_owned(),
            "authentication required".to_owned(),
        );
    }
    if status == 429 {
        return (
            "TOOMANYREQUESTS".to_owned(),
            format!("{url} answers too many requests"),
        );
    }
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("");
    let message = format!("{method} \"{url}\": unexpected status: {status} {reason}");
    (String::new(), message.trim_end().to_owned())
}

/// `text` on one line, without what could move a terminal's cursor, and bounded.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(MESSAGE_MAXIMUM)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests;
