//! `/containers/{id}/exec` and `/exec`.

use bytes::Bytes;
use hyper::StatusCode;
use tare_engine::exec::ExecStartOptions;
use tare_engine::{Engine, Error};
use tare_engine_api::stream::{MULTIPLEXED_STREAM, RAW_STREAM, StreamKind, encode_frame};
use tare_engine_api::{ExecConfig, ExecStartConfig, IdResponse};

use crate::hijack::{self, Content, DetachKeys, Takeover};
use crate::request::{Request, Version};
use crate::response::{self, Outcome};

/// `POST /containers/{id}/exec`.
pub(super) async fn create(engine: &Engine, id: &str, mut request: Request) -> Outcome {
    let mut config: ExecConfig = request.json().await?.unwrap_or_default();
    if config.cmd.is_empty() {
        return Err(Error::invalid("No exec command specified"));
    }
    if request.version < Version::one(42) {
        config.console_size = None;
    }
    DetachKeys::parse(&config.detach_keys)?;
    response::json(
        StatusCode::CREATED,
        &IdResponse {
            id: engine.exec_create(id, config)?,
        },
    )
}

/// `POST /exec/{id}/start`.
///
/// Attached, whatever goes wrong from here on is told within the stream of an
/// answer that is no error, as Docker's clients expect.
pub(super) async fn start(engine: &Engine, id: &str, mut request: Request) -> Outcome {
    let config: ExecStartConfig = request.json().await?.unwrap_or_default();
    let exec = engine.exec_inspect(id)?;
    let console_size = config
        .console_size
        .filter(|_| config.tty && request.version >= Version::one(42));
    let options = ExecStartOptions {
        detach: config.detach,
        tty: config.tty,
        console_size,
    };
    let started = {
        let (engine, id) = (engine.clone(), id.to_owned());
        tokio::spawn(async move { engine.exec_start(&id, options).await }).await?
    };
    if config.detach {
        started?;
        return Ok(response::status(StatusCode::OK));
    }
    let upgrade = request.wants_upgrade();
    let framed = !config.tty && upgrade && request.version >= Version::one(42);
    let content_type = if framed {
        MULTIPLEXED_STREAM
    } else {
        RAW_STREAM
    };
    let content = match started {
        Ok(Some(attached)) => Content::Process {
            stream: attached.stream,
            input: exec.open_stdin,
            detach_keys: if attached.terminal {
                Some(DetachKeys::parse(&exec.detach_keys)?)
            } else {
                None
            },
        },
        Ok(None) => Content::Text(Bytes::new()),
        Err(failure) => {
            let text = format!("{failure}\r\n");
            Content::Text(if config.tty {
                text.into()
            } else {
                encode_frame(StreamKind::Stdout, text.as_bytes())
            })
        }
    };
    Ok(response::takeover(Takeover {
        head: hijack::head(upgrade, content_type),
        content,
    }))
}

/// `POST /exec/{id}/resize`.
pub(super) async fn resize(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let (height, width) = (
        request.query.required_number("h")?,
        request.query.required_number("w")?,
    );
    engine.exec_resize(id, height, width).await?;
    Ok(response::status(StatusCode::OK))
}

/// `GET /exec/{id}/json`.
pub(super) fn inspect(engine: &Engine, id: &str) -> Outcome {
    response::ok(&engine.exec_inspect(id)?)
}
