//! Answers: JSON, errors in Docker's shape, streams, and connections that are
//! taken over.

use std::sync::{Arc, Mutex};

use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response as HttpResponse, StatusCode};
use serde::Serialize;
use tare_engine::{Error, Kind};
use tare_engine_api::ErrorResponse;

use crate::body::Body;
use crate::hijack::Takeover;

/// An answer.
pub(crate) type Response = HttpResponse<Body>;

/// What a route returns.
pub(crate) type Outcome = Result<Response, Error>;

/// A takeover on its way from the route to the connection, which travels as
/// an extension of the response.
#[derive(Clone)]
pub(crate) struct Hijacked(Arc<Mutex<Option<Takeover>>>);

impl Hijacked {
    /// The takeover, once.
    pub(crate) fn take(&self) -> Option<Takeover> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }
}

/// An answer without a body.
pub(crate) fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer of text.
pub(crate) fn text(text: &'static str) -> Response {
    with_type(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        Body::full(text),
    )
}

/// An answer of JSON, ended by a newline as Go's encoder does.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Outcome {
    let mut bytes = serde_json::to_vec(value).map_err(Error::internal)?;
    bytes.push(b'\n');
    Ok(with_type(status, "application/json", Body::full(bytes)))
}

/// The answer `200 OK` of JSON.
pub(crate) fn ok(value: &impl Serialize) -> Outcome {
    json(StatusCode::OK, value)
}

/// An answer whose body comes bit by bit.
pub(crate) fn streaming(content_type: &'static str, body: Body) -> Response {
    with_type(StatusCode::OK, content_type, body)
}

/// An answer after which the connection is HTTP no longer.
pub(crate) fn takeover(takeover: Takeover) -> Response {
    let mut response = status(StatusCode::SWITCHING_PROTOCOLS);
    response
        .extensions_mut()
        .insert(Hijacked(Arc::new(Mutex::new(Some(takeover)))));
    response
}

/// The answer that sends the client to another address.
pub(crate) fn moved(location: &str) -> Response {
    let mut response = status(StatusCode::MOVED_PERMANENTLY);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The answer to a failed operation.
pub(crate) fn error(error: &Error) -> Response {
    let status = match error.kind() {
        Kind::InvalidParameter => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::NotModified => return self::status(StatusCode::NOT_MODIFIED),
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = ErrorResponse {
        message: error.to_string(),
    };
    // A structure of one string always has a text.
    json(status, &body).unwrap_or_else(|_| self::status(status))
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
