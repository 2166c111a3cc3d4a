//! `/images`.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::StatusCode;
use tare_engine::images::PullRequest;
use tare_engine::{Engine, Error};
use tare_engine_api::JsonMessage;
use tare_engine_api::auth::{AuthConfig, REGISTRY_AUTH_HEADER};
use tokio::sync::mpsc;

use super::legacy;
use crate::body::Body;
use crate::request::{Request, Upload};
use crate::response::{self, Outcome, Response};

/// `GET /images/json`.
pub(super) async fn list(engine: &Engine, request: &Request) -> Outcome {
    let images = engine
        .image_list(request.query.filters()?, request.query.flag("all"))
        .await?;
    response::ok(&legacy::image_list(request.version, images)?)
}

/// `GET /images/{name}/json`.
pub(super) async fn inspect(engine: &Engine, name: &str, request: &Request) -> Outcome {
    response::ok(&legacy::image(
        request.version,
        engine.image_inspect(name).await?,
    )?)
}

/// `GET /images/{name}/history`.
pub(super) async fn history(engine: &Engine, name: &str) -> Outcome {
    response::ok(&engine.image_history(name).await?)
}

/// `POST /images/{name}/tag`.
pub(super) async fn tag(engine: &Engine, name: &str, request: &Request) -> Outcome {
    let (repository, tag) = (request.query.text("repo"), request.query.text("tag"));
    engine.image_tag(name, repository, tag).await?;
    Ok(response::status(StatusCode::CREATED))
}

/// `DELETE /images/{name}`.
pub(super) async fn remove(engine: &Engine, name: &str, request: &Request) -> Outcome {
    let (force, prune) = (request.query.flag("force"), !request.query.flag("noprune"));
    let (engine, name) = (engine.clone(), name.to_owned());
    let removed =
        tokio::spawn(async move { engine.image_remove(&name, force, prune).await }).await?;
    response::ok(&removed?)
}

/// `POST /images/create`: pulls. What fails before the first message is an
/// error's status; what fails later is a message.
pub(super) async fn create(engine: &Engine, request: &Request) -> Outcome {
    let query = &request.query;
    if query.given("fromSrc").is_some() {
        return Err(Error::unsupported(
            "importing an image (fromSrc) is not supported by this engine yet",
        ));
    }
    let auth = AuthConfig::decode(request.header(REGISTRY_AUTH_HEADER))
        .map_err(|error| Error::invalid(error.to_string()))?;
    let pull = PullRequest {
        image: query.text("fromImage").to_owned(),
        tag: query.given("tag"),
        platform: query.given("platform"),
        auth,
    };
    Ok(progress(engine.image_pull(pull).await?))
}

/// `POST /images/load`.
pub(super) async fn load(engine: &Engine, request: Request) -> Outcome {
    let quiet = request.query.flag("quiet");
    let messages = engine.image_load(Upload::new(request.body), quiet).await?;
    Ok(progress(messages))
}

/// An answer of messages, one JSON object to a line.
fn progress(messages: mpsc::Receiver<JsonMessage>) -> Response {
    response::streaming("application/json", Body::stream(lines(messages)))
}

fn lines(messages: mpsc::Receiver<JsonMessage>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(messages, |mut messages| async move {
        let mut line = match serde_json::to_vec(&messages.recv().await?) {
            Ok(line) => line,
            Err(error) => return Some((Err(io::Error::from(error)), messages)),
        };
        line.extend_from_slice(b"\r\n");
        Some((Ok(Bytes::from(line)), messages))
    })
}
