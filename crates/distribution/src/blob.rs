//! A layer on its way: streamed, and resumed where its connection broke.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use tare_oci::Digest;
use tare_oci::image::Descriptor;

use crate::backoff::Backoff;
use crate::client::Client;
use crate::error::Error;
use crate::exchange::{Access, Outgoing, chunk};
use crate::resolve::{Source, verifies};

/// Bytes after which a try counts as progress. Less would let a server that cuts
/// every connection at once keep us for ever.
const PROGRESS: u64 = 64 << 10;

/// What [`Blob::next`] brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The next bytes.
    Bytes(Bytes),
    /// A try failed; the following call waits this long and tries again.
    Retry(Duration),
}

/// The bytes of one blob, in order, each exactly once, never more of them than its
/// descriptor says. Their digest is not checked here.
#[derive(Debug)]
pub struct Blob {
    client: Client,
    source: Source,
    endpoint: usize,
    digest: Digest,
    size: u64,
    offset: u64,
    under_way: Option<UnderWay>,
    backoff: Backoff,
    pause: Option<Duration>,
    since_failure: u64,
}

/// An answer that is being read.
#[derive(Debug)]
struct UnderWay {
    response: Response,
    outgoing: Outgoing,
    /// Bytes that the consumer already has: the server ignored the range.
    skip: u64,
}

impl Client {
    /// Begins to fetch a blob of a resolved image. Nothing is asked for before
    /// [`Blob::next`].
    pub fn blob(&self, source: &Source, descriptor: &Descriptor) -> Blob {
        Blob {
            client: self.clone(),
            source: source.clone(),
            endpoint: 0,
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            offset: 0,
            under_way: None,
            backoff: Backoff::new(self.inner.patience),
            pause: None,
            since_failure: 0,
        }
    }

    /// A whole blob of at most `maximum` bytes, its digest checked.
    pub(crate) async fn small_blob(
        &self,
        source: &Source,
        descriptor: &Descriptor,
        what: &'static str,
        maximum: u64,
    ) -> Result<Bytes, Error> {
        if descriptor.size > maximum {
            let url = descriptor.digest.to_string();
            return Err(Error::TooLarge { what, url, maximum });
        }
        let mut blob = self.blob(source, descriptor);
        let mut whole = Vec::with_capacity(descriptor.size as usize);
        while let Some(event) = blob.next().await? {
            if let Event::Bytes(piece) = event {
                whole.extend_from_slice(&piece);
            }
        }
        if !verifies(&descriptor.digest, &whole) {
            return Err(Error::Digest {
                what,
                digest: descriptor.digest.clone(),
            });
        }
        Ok(whole.into())
    }
}

impl Blob {
    /// Bytes delivered so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next piece, or none when all bytes have been delivered. Breaks, stalls
    /// and passing refusals are dealt with inside, at the next endpoint if need be.
    ///
    /// Dropping the future between pieces loses nothing but the connection.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        while self.offset < self.size {
            if let Some(pause) = self.pause {
                tokio::time::sleep(pause).await;
                self.pause = None;
            }
            match self.step().await {
                Ok(None) => {}
                Ok(Some(piece)) => {
                    self.offset += piece.len() as u64;
                    self.since_failure += piece.len() as u64;
                    if self.since_failure >= PROGRESS {
                        self.backoff.progressed();
                    }
                    return Ok(Some(Event::Bytes(piece)));
                }
                Err(error) => {
                    self.pause = self.recover(error)?;
                    if let Some(pause) = self.pause {
                        return Ok(Some(Event::Retry(pause)));
                    }
                }
            }
        }
        // A body of announced length has ended by now; another may go on.
        if let Some(mut rest) = self.under_way.take()
            && rest.response.content_length().is_none()
        {
            let stall = self.client.inner.patience.stall;
            if let Ok(Some(more)) = chunk(&mut rest.response, &rest.outgoing, stall).await
                && !more.is_empty()
            {
                return Err(self.wrong_size(self.size + more.len() as u64));
            }
        }
        Ok(None)
    }

    /// Reads a piece, opening the connection first when there is none.
    async fn step(&mut self) -> Result<Option<Bytes>, Error> {
        if self.under_way.is_none() {
            self.under_way = Some(self.open().await?);
        }
        let Some(under_way) = &mut self.under_way else {
            return Ok(None);
        };
        let stall = self.client.inner.patience.stall;
        let Some(mut piece) = chunk(&mut under_way.response, &under_way.outgoing, stall).await?
        else {
            return Err(Error::Exchange {
                method: "Get",
                url: under_way.outgoing.url.to_string(),
                cause: "unexpected EOF".to_owned(),
            });
        };
        let skipped = under_way.skip.min(piece.len() as u64);
        under_way.skip -= skipped;
        let _ = piece.split_to(skipped as usize);
        if piece.len() as u64 > self.size - self.offset {
            return Err(self.wrong_size(self.offset + piece.len() as u64));
        }
        Ok((!piece.is_empty()).then_some(piece))
    }

    async fn open(&self) -> Result<UnderWay, Error> {
        let mut headers = HeaderMap::new();
        if self.offset > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.offset))
        {
            headers.insert(RANGE, range);
        }
        let access = Access {
            endpoint: &self.source.endpoints[self.endpoint],
            repository: &self.source.repository,
            credentials: &self.source.credentials,
        };
        let path = format!("blobs/{}", self.digest);
        let response = self
            .client
            .authorized(access, Method::GET, &path, &headers)
            .await?;
        let outgoing = Outgoing::new(Method::GET, response.url().clone());
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = response
                .headers()
                .get(CONTENT_RANGE)
                .and_then(|range| range.to_str().ok());
            let Some((start, total)) = range.and_then(content_range) else {
                return Err(other_range(&outgoing));
            };
            if let Some(total) = total.filter(|&total| total != self.size) {
                return Err(self.wrong_size(total));
            }
            if start != self.offset {
                return Err(other_range(&outgoing));
            }
            return Ok(UnderWay {
                response,
                outgoing,
                skip: 0,
            });
        }
        if let Some(length) = response
            .content_length()
            .filter(|&length| length != self.size)
        {
            return Err(self.wrong_size(length));
        }
        Ok(UnderWay {
            response,
            outgoing,
            skip: self.offset,
        })
    }

    /// Says how long to wait before the next try, or goes to the next endpoint, or
    /// gives up.
    fn recover(&mut self, error: Error) -> Result<Option<Duration>, Error> {
        self.under_way = None;
        self.since_failure = 0;
        let again = error.is_temporary() || matches!(error, Error::Dial { .. });
        if again && let Some(pause) = self.backoff.next(error.retry_after()) {
            tracing::info!(%error, digest = %self.digest, offset = self.offset, ?pause, "trying again");
            return Ok(Some(pause));
        }
        if self.endpoint + 1 < self.source.endpoints.len() {
            tracing::warn!(%error, digest = %self.digest, "going to the next endpoint");
            self.endpoint += 1;
            self.backoff.progressed();
            return Ok(None);
        }
        Err(error)
    }

    fn wrong_size(&self, found: u64) -> Error {
        Error::Size {
            what: "blob",
            digest: self.digest.clone(),
            expected: self.size,
            found,
        }
    }
}

fn other_range(outgoing: &Outgoing) -> Error {
    Error::Exchange {
        method: "Get",
        url: outgoing.url.to_string(),
        cause: "the answer has another range than was asked for".to_owned(),
    }
}

/// First byte and total of `bytes 5-9/10` (RFC 9110, section 14.4).
fn content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    (start <= end).then_some((start, total))
}

#[cfg(test)]
mod tests;
