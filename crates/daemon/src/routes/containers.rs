//! `/containers`.
//!
//! What changes a container is run in a task of its own, so that a client that
//! goes away in the middle leaves nothing half done.

use std::future::Future;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use hyper::StatusCode;
use tare_engine::containers::{AttachOptions, ListOptions, LogOptions, RemoveOptions};
use tare_engine::{Engine, Error, Result};
use tare_engine_api::ContainerCreateRequest;
use tare_engine_api::stream::{MULTIPLEXED_STREAM, RAW_STREAM, StreamKind, encode_frame};

use super::NO_CONTENT;
use crate::body::Body;
use crate::hijack::{self, Content, DetachKeys, Takeover};
use crate::request::{Request, Version};
use crate::response::{self, Outcome};

/// Runs an operation to its end, whether or not the client stays.
async fn complete<T: Send + 'static>(
    operation: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(operation).await?
}

/// `GET /containers/json`.
pub(super) async fn list(engine: &Engine, request: &Request) -> Outcome {
    let query = &request.query;
    let options = ListOptions {
        all: query.flag("all"),
        limit: query.number("limit")?.filter(|limit| *limit > 0),
        size: query.flag("size"),
        filters: query.filters()?,
    };
    response::ok(&engine.container_list(options).await?)
}

/// `POST /containers/create`.
pub(super) async fn create(engine: &Engine, mut request: Request) -> Outcome {
    let body: Option<ContainerCreateRequest> = request.json().await?;
    let body =
        body.ok_or_else(|| Error::invalid("invalid JSON: got EOF while reading request body"))?;
    let (name, platform) = (request.query.given("name"), request.query.given("platform"));
    let engine = engine.clone();
    let created =
        complete(async move { engine.container_create(name, body, platform).await }).await?;
    response::json(StatusCode::CREATED, &created)
}

/// `GET /containers/{id}/json`.
pub(super) async fn inspect(engine: &Engine, id: &str, request: &Request) -> Outcome {
    response::ok(
        &engine
            .container_inspect(id, request.query.flag("size"))
            .await?,
    )
}

/// `POST /containers/{id}/start`.
pub(super) async fn start(engine: &Engine, id: &str, request: &Request) -> Outcome {
    if request.has_body() {
        return Err(Error::invalid(
            "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
        ));
    }
    if let Some(checkpoint) = request.query.given("checkpoint") {
        return Err(Error::unsupported(format!(
            "cannot start from checkpoint {checkpoint}: checkpoints are not supported by this engine"
        )));
    }
    DetachKeys::parse(request.query.text("detachKeys"))?;
    let (engine, id) = (engine.clone(), id.to_owned());
    complete(async move { engine.container_start(&id).await }).await?;
    Ok(response::status(NO_CONTENT))
}

/// `POST /containers/{id}/stop`.
pub(super) async fn stop(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let signal = request
        .query
        .given("signal")
        .filter(|_| request.version >= Version::one(42));
    let timeout = request.query.number("t")?;
    let (engine, id) = (engine.clone(), id.to_owned());
    complete(async move { engine.container_stop(&id, signal, timeout).await }).await?;
    Ok(response::status(NO_CONTENT))
}

/// `POST /containers/{id}/kill`.
pub(super) async fn kill(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let signal = request.query.given("signal");
    let (engine, id) = (engine.clone(), id.to_owned());
    complete(async move {
        let killed = engine.container_kill(&id, signal).await;
        killed.map_err(|error| {
            let cause = "cannot kill container";
            if error.to_string().starts_with(cause) {
                error
            } else {
                error.context(format!("{cause}: {id}"))
            }
        })
    })
    .await?;
    Ok(response::status(NO_CONTENT))
}

/// `DELETE /containers/{id}`.
pub(super) async fn remove(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let query = &request.query;
    let options = RemoveOptions {
        force: query.flag("force"),
        volumes: query.flag("v"),
        link: query.flag("link"),
    };
    let (engine, id) = (engine.clone(), id.to_owned());
    complete(async move { engine.container_remove(&id, options).await }).await?;
    Ok(response::status(NO_CONTENT))
}

/// `POST /containers/{id}/resize`.
pub(super) async fn resize(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let (height, width) = (
        request.query.required_number("h")?,
        request.query.required_number("w")?,
    );
    engine.container_resize(id, height, width).await?;
    Ok(response::status(StatusCode::OK))
}

/// `POST /containers/{id}/wait`: the head goes out at once, which tells the
/// client that from now on no exit is missed; the body when there is one.
pub(super) async fn wait(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let ended = engine
        .container_wait(id, request.query.given("condition"))
        .await?;
    let body = stream::once(async move {
        let mut json = serde_json::to_vec(&ended.await)?;
        json.push(b'\n');
        Ok(Bytes::from(json))
    });
    Ok(response::streaming("application/json", Body::stream(body)))
}

/// `POST /containers/{id}/attach`.
pub(super) async fn attach(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let query = &request.query;
    let detach_keys = DetachKeys::parse(query.text("detachKeys"))?;
    let options = AttachOptions {
        logs: query.flag("logs"),
        stream: query.flag("stream"),
        stdin: query.flag("stdin"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
    };
    let input = options.stdin && options.stream;
    let attached = {
        let (engine, id) = (engine.clone(), id.to_owned());
        complete(async move { engine.container_attach(&id, options).await }).await?
    };
    let upgrade = request.wants_upgrade();
    let framed = !attached.terminal && upgrade && request.version >= Version::one(42);
    let content_type = if framed {
        MULTIPLEXED_STREAM
    } else {
        RAW_STREAM
    };
    let content = Content::Process {
        stream: attached.stream,
        input,
        detach_keys: attached.terminal.then_some(detach_keys),
    };
    Ok(response::takeover(Takeover {
        head: hijack::head(upgrade, content_type),
        content,
    }))
}

/// `GET /containers/{id}/logs`.
pub(super) async fn logs(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let query = &request.query;
    let (stdout, stderr) = (query.flag("stdout"), query.flag("stderr"));
    if !stdout && !stderr {
        return Err(Error::invalid(
            "Bad parameters: you must choose at least one stream",
        ));
    }
    let options = LogOptions {
        follow: query.flag("follow"),
        stdout,
        stderr,
        since: moment(request, "since")?,
        until: moment(request, "until")?,
        timestamps: query.flag("timestamps"),
        // Anything but a number, such as "all", is all; so is a negative one.
        tail: query.text("tail").parse().ok(),
    };
    let logs = engine.container_logs(id, options).await?;
    let terminal = logs.terminal;
    let content_type = if terminal || request.version < Version::one(42) {
        RAW_STREAM
    } else {
        MULTIPLEXED_STREAM
    };
    let body = stream::unfold(logs.receiver, move |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((
            Ok::<_, io::Error>(piece.unwrap_or_else(|failure| log_failure(&failure, terminal))),
            receiver,
        ))
    });
    Ok(response::streaming(content_type, Body::stream(body)))
}

/// A moment in nanoseconds since 1970; 0 is none.
fn moment(request: &Request, name: &str) -> Result<Option<i64>> {
    let text = request.query.text(name);
    if text.is_empty() || text == "0" {
        return Ok(None);
    }
    let nanoseconds =
        tare_engine_api::time::parse_since(text).and_then(|moment| i64::try_from(moment).ok());
    let invalid = || {
        Error::invalid(format!(
            "invalid value for \"{name}\": {text:?} is no time in seconds since 1970"
        ))
    };
    nanoseconds.ok_or_else(invalid).map(Some)
}

/// What a client sees when the log breaks off.
fn log_failure(failure: &Error, terminal: bool) -> Bytes {
    let text = format!("Error grabbing logs: {failure}\n");
    if terminal {
        text.into()
    } else {
        encode_frame(StreamKind::Stderr, text.as_bytes())
    }
}
