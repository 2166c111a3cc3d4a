//! `/_ping`, `/version`, `/info`.

use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, PRAGMA};
use tare_engine::Engine;

use crate::response::{self, Outcome, Response};

/// `GET /_ping` and `HEAD /_ping`: what clients ask first.
pub(super) fn ping() -> Response {
    let mut response = response::text("OK");
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store, must-revalidate"),
    );
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("builder-version"),
        HeaderValue::from_static("1"),
    );
    headers.insert(
        HeaderName::from_static("swarm"),
        HeaderValue::from_static("inactive"),
    );
    response
}

/// `GET /version`.
pub(super) fn version(engine: &Engine) -> Outcome {
    response::ok(&engine.version())
}

/// `GET /info`.
pub(super) async fn info(engine: &Engine) -> Outcome {
    response::ok(&engine.info().await?)
}
