//! One client's connection: HTTP/1.1 by hyper until a route takes it over.
//!
//! hyper hands a connection over only after a `101`; Docker's older clients
//! are answered `200` and expect raw bytes all the same. So no answer is given
//! to hyper at all: the route leaves a [`Takeover`], the connection is taken
//! out of hyper with whatever had been read of it, and goes on without it.
//!
//! Everything a connection needs lives in its one task. When the client goes,
//! the task ends, and with it whatever it was waiting for.

mod lenient;

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use lenient::{Beginning, Lenient};
use tokio::sync::watch;
use tracing::debug;

use crate::hijack::Takeover;
use crate::peer::Departure;
use crate::response::{Hijacked, Response};
use crate::routes;
use crate::server::Daemon;
use crate::stream::Stream;

/// How long a request is served before the client's presence is watched; most
/// have been answered by then.
const WATCH_AFTER: Duration = Duration::from_millis(250);

/// Where a route leaves its takeover.
type Slot = Arc<Mutex<Option<Takeover>>>;

/// How hyper's part of a connection ended.
enum End {
    /// Either side closed it.
    Closed,
    /// The client has gone.
    Departed,
    /// A route wants it.
    Takeover(Takeover),
}

/// Serves one connection until it ends.
pub(crate) async fn serve(stream: Stream, daemon: Arc<Daemon>, mut stop: watch::Receiver<bool>) {
    let tells_departure = stream.tells_departure();
    let descriptor = stream
        .as_fd()
        .try_clone_to_owned()
        .ok()
        .filter(|_| tells_departure);
    let slot = Slot::default();
    let stream = Lenient::new(stream);
    let handler = Handler {
        daemon,
        slot: Arc::clone(&slot),
        beginning: stream.beginning(),
    };
    let mut connection = http1::Builder::new()
        .title_case_headers(true)
        .half_close(tells_departure)
        .serve_connection(TokioIo::new(stream), handler);
    let end = {
        let mut departure = pin!(async {
            let Some(descriptor) = descriptor else {
                return pending().await;
            };
            tokio::time::sleep(WATCH_AFTER).await;
            Departure::watch(descriptor).wait().await;
        });
        let mut stopping = pin!(stop.wait_for(|stop| *stop));
        let mut stopped = false;
        poll_fn(|context| {
            if !stopped && stopping.as_mut().poll(context).is_ready() {
                stopped = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            match Pin::new(&mut connection).poll(context) {
                Poll::Ready(Ok(())) => return Poll::Ready(End::Closed),
                Poll::Ready(Err(error)) => {
                    debug!(%error, "connection ended");
                    return Poll::Ready(End::Closed);
                }
                Poll::Pending => {}
            }
            if let Some(takeover) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Poll::Ready(End::Takeover(takeover));
            }
            departure.as_mut().poll(context).map(|()| End::Departed)
        })
        .await
    };
    if let End::Takeover(takeover) = end {
        let parts = connection.into_parts();
        let (stream, held) = parts.io.into_inner().into_parts();
        let early = if held.is_empty() {
            parts.read_buf
        } else {
            [&parts.read_buf[..], &held].concat().into()
        };
        tokio::select! {
            ended = takeover.run(stream, early) => {
                if let Err(error) = ended {
                    debug!(%error, "stream ended");
                }
            }
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

/// Answers the requests of one connection.
struct Handler {
    daemon: Arc<Daemon>,
    slot: Slot,
    beginning: Beginning,
}

impl Service<Request<Incoming>> for Handler {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let daemon = Arc::clone(&self.daemon);
        let slot = Arc::clone(&self.slot);
        if matches!(*request.method(), Method::GET | Method::HEAD) && request.body().is_end_stream()
        {
            self.beginning.expect();
        }
        Box::pin(async move {
            let response = routes::answer(&daemon, request).await;
            if let Some(takeover) = response
                .extensions()
                .get::<Hijacked>()
                .and_then(Hijacked::take)
            {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(takeover);
                return pending().await;
            }
            Ok(response)
        })
    }
}
