//! The Engine API's operations: one file per noun.
//!
//! The table is a `match` over method and path segments, because names of
//! images contain slashes: `["images", name @ .., "json"]`.

mod containers;
mod exec;
mod images;
mod legacy;
mod networks;
mod swarm;
mod system;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SERVER};
use hyper::{Method, StatusCode};
use tare_engine::{Error, Kind};
use tare_engine_api::API_VERSION;
use tracing::{debug, error};

use crate::body::Body;
use crate::request::{self, Request};
use crate::response::{self, Outcome, Response};
use crate::server::Daemon;

/// Answers a request.
pub(crate) async fn answer(daemon: &Arc<Daemon>, request: hyper::Request<Incoming>) -> Response {
    let head_only = request.method() == Method::HEAD;
    if let Some(path) = request::cleaned(request.uri().path()) {
        let query = request.uri().query();
        return response::moved(&query.map_or(path.clone(), |query| format!("{path}?{query}")));
    }
    let mut response = match Request::new(request) {
        Ok(request) => {
            let (method, path) = (request.method.clone(), request.path.clone());
            dispatch(daemon, request).await.unwrap_or_else(|failure| {
                if failure.kind() == Kind::Internal {
                    error!(%method, path, %failure, "request failed");
                } else {
                    debug!(%method, path, %failure, "request refused");
                }
                response::error(&failure)
            })
        }
        Err(failure) => response::error(&failure),
    };
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("api-version"),
        HeaderValue::from_static(API_VERSION),
    );
    headers.insert(
        HeaderName::from_static("docker-experimental"),
        HeaderValue::from_static("false"),
    );
    headers.insert(
        HeaderName::from_static("ostype"),
        HeaderValue::from_static("linux"),
    );
    headers.insert(
        SERVER,
        HeaderValue::from_static(concat!("Tare/", env!("CARGO_PKG_VERSION"), " (linux)")),
    );
    if head_only {
        without_body(&mut response);
    }
    response
}

/// Answers to HEAD tell of a body and have none.
fn without_body(response: &mut Response) {
    let body = std::mem::replace(response.body_mut(), Body::empty());
    if let Some(length) = hyper::body::Body::size_hint(&body).exact() {
        let headers: &mut HeaderMap = response.headers_mut();
        headers
            .entry(CONTENT_LENGTH)
            .or_insert(HeaderValue::from(length));
    }
}

async fn dispatch(daemon: &Arc<Daemon>, mut request: Request) -> Outcome {
    let engine = &daemon.engine;
    let path = std::mem::take(&mut request.path);
    let segments: Vec<&str> = path.split('/').collect();
    // An archive sent by `curl --data-binary` is called a form, too.
    if request.method == Method::POST && segments != ["images", "load"] {
        request.read_form().await?;
    }
    match (request.method.as_str(), segments.as_slice()) {
        ("GET" | "HEAD", ["_ping"]) => Ok(system::ping()),
        ("OPTIONS", _) => Ok(response::status(StatusCode::OK)),
        ("GET", ["version"]) => system::version(engine),
        ("GET", ["info"]) => system::info(engine).await,

        ("GET", ["containers", "json"]) => containers::list(engine, &request).await,
        ("POST", ["containers", "create"]) => containers::create(engine, request).await,
        ("GET", ["containers", id, "json"]) => containers::inspect(engine, id, &request).await,
        ("POST", ["containers", id, "start"]) => containers::start(engine, id, &request).await,
        ("POST", ["containers", id, "stop"]) => containers::stop(engine, id, &request).await,
        ("POST", ["containers", id, "kill"]) => containers::kill(engine, id, &request).await,
        ("POST", ["containers", id, "resize"]) => containers::resize(engine, id, &request).await,
        ("POST", ["containers", id, "wait"]) => containers::wait(engine, id, &request).await,
        ("POST", ["containers", id, "attach"]) => containers::attach(engine, id, &request).await,
        ("GET", ["containers", id, "logs"]) => containers::logs(engine, id, &request).await,
        ("POST", ["containers", id, "exec"]) => exec::create(engine, id, request).await,
        ("DELETE", ["containers", id]) => containers::remove(engine, id, &request).await,

        ("POST", ["exec", id, "start"]) => exec::start(engine, id, request).await,
        ("POST", ["exec", id, "resize"]) => exec::resize(engine, id, &request).await,
        ("GET", ["exec", id, "json"]) => exec::inspect(engine, id),

        ("GET", ["images", "json"]) => images::list(engine, &request).await,
        ("POST", ["images", "create"]) => images::create(engine, &request).await,
        ("POST", ["images", "load"]) => images::load(engine, request).await,
        ("GET", ["images", name @ .., "json"]) if !name.is_empty() => {
            images::inspect(engine, &name.join("/"), &request).await
        }
        ("GET", ["images", name @ .., "history"]) if !name.is_empty() => {
            images::history(engine, &name.join("/")).await
        }
        ("POST", ["images", name @ .., "tag"]) if !name.is_empty() => {
            images::tag(engine, &name.join("/"), &request).await
        }
        ("DELETE", ["images", name @ ..]) if !name.is_empty() => {
            images::remove(engine, &name.join("/"), &request).await
        }

        ("GET", ["networks"]) => networks::list(engine, &request),
        ("GET", ["networks", id]) => networks::inspect(engine, id, &request),

        (
            _,
            [
                "swarm" | "nodes" | "services" | "tasks" | "secrets" | "configs",
                ..,
            ],
        ) => swarm::answer(request.method.as_str(), &segments),
        (method, segments) if is_known(method, segments) => Err(Error::unsupported(format!(
            "{method} /{} is not supported by this engine yet",
            segments.join("/")
        ))),
        _ => Err(Error::not_found("page not found")),
    }
}

/// Operations of the Engine API that this engine does not have yet.
fn is_known(method: &str, segments: &[&str]) -> bool {
    match (method, segments) {
        (
            "GET",
            [
                "containers",
                _,
                "top" | "changes" | "export" | "stats" | "archive",
            ],
        )
        | ("HEAD" | "PUT", ["containers", _, "archive"])
        | ("GET", ["containers", _, "attach", "ws"])
        | (
            "POST",
            [
                "containers",
                _,
                "restart" | "update" | "rename" | "pause" | "unpause",
            ],
        )
        | (
            "POST",
            [
                "containers" | "images" | "networks" | "volumes" | "build",
                "prune",
            ],
        )
        | ("GET", ["images", "search" | "get"])
        | ("POST", ["auth" | "build" | "commit" | "session"])
        | ("GET", ["events"])
        | ("GET", ["system", "df"])
        | ("GET", ["volumes"])
        | ("POST", ["volumes", "create"])
        | ("GET" | "PUT" | "DELETE", ["volumes", _])
        | ("POST", ["networks", "create"])
        | ("DELETE", ["networks", _])
        | ("POST", ["networks", _, "connect" | "disconnect"])
        | (_, ["plugins", ..]) => true,
        ("GET", ["images", name @ .., "get" | "attestations"])
        | ("POST", ["images", name @ .., "push"])
        | ("GET", ["distribution", name @ .., "json"]) => !name.is_empty(),
        _ => false,
    }
}

/// The status of an operation that has nothing to say.
const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;
