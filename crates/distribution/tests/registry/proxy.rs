//! What stands between a client and its registry on a bad day.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that the proxy saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// How many requests for this path came before.
    pub(crate) nth: usize,
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Whether it asks for a blob.
    pub(crate) fn is_blob(&self) -> bool {
        self.path.contains("/blobs/")
    }
}

/// What to do with a request.
pub(crate) enum Fault {
    /// Hand it on.
    Pass,
    /// Hand it on, and close the connection after so many bytes of the body.
    CutAfter(usize),
    /// Hand it on, and fall silent after so many bytes of the body.
    StallAfter(usize),
    /// Hand it on, with one bit of the body turned.
    Corrupt,
    /// Hand it on without its `Range`.
    IgnoreRange,
    /// Hand it on without its length, with bytes added to the body.
    Extend(usize),
    /// Answer instead of the registry.
    Answer {
        status: u16,
        headers: String,
        body: Vec<u8>,
    },
}

impl Fault {
    /// An answer without headers of its own.
    pub(crate) fn answer(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: String::new(),
            body: body.as_bytes().to_vec(),
        }
    }
}

/// A server on a loopback port that spoils what it passes on.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// In front of `upstream`, doing what `rule` says.
    pub(crate) async fn start(
        upstream: Option<SocketAddr>,
        rule: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (rule, log) = (Arc::new(rule), Arc::clone(&seen));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rule, log) = (Arc::clone(&rule), Arc::clone(&log));
                tokio::spawn(async move {
                    // A client that hangs up is part of the play.
                    let _ = serve(stream, upstream, &*rule, &log).await;
                });
            }
        });
        Self {
            address,
            seen,
            server,
        }
    }

    /// What it has seen so far, without first contacts.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().expect("no panic under this lock");
        seen.iter()
            .filter(|one| one.path != "/v2/")
            .cloned()
            .collect()
    }

    /// Its name in a reference.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    upstream: Option<SocketAddr>,
    rule: &(impl Fn(&Seen) -> Fault + ?Sized),
    log: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    let Some((head, mut body)) = read_head(&mut stream).await? else {
        return Ok(());
    };
    let mut lines = head.split("\r\n");
    let mut request_line = lines.next().unwrap_or_default().split(' ');
    let method = request_line.next().unwrap_or_default().to_owned();
    let path = request_line.next().unwrap_or_default().to_owned();
    if path.is_empty() {
        // The first contact tries TLS; this is not HTTP.
        return Ok(());
    }
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
    while body.len() < length {
        let mut more = vec![0; length - body.len()];
        let read = stream.read(&mut more).await?;
        body.extend_from_slice(&more[..read]);
    }
    let seen = {
        let mut log = log.lock().expect("no panic under this lock");
        let nth = log.iter().filter(|one| one.path == path).count();
        let body = String::from_utf8_lossy(&body).into_owned();
        log.push(Seen {
            method,
            path,
            headers,
            body,
            nth,
        });
        log.last().expect("just pushed").clone()
    };
    let fault = rule(&seen);
    if let Fault::Answer {
        status,
        headers,
        body,
    } = fault
    {
        let head = format!(
            "HTTP/1.1 {status} Status\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        return stream.write_all(&body).await;
    }
    let upstream = upstream.expect("a registry behind the proxy");
    forward(&mut stream, upstream, &seen, fault).await
}

async fn forward(
    client: &mut TcpStream,
    upstream: SocketAddr,
    seen: &Seen,
    fault: Fault,
) -> std::io::Result<()> {
    let mut registry = TcpStream::connect(upstream).await?;
    let mut request = format!(
        "{} {} HTTP/1.1\r\nconnection: close\r\n",
        seen.method, seen.path
    );
    for (name, value) in &seen.headers {
        if name != "connection" && !(matches!(fault, Fault::IgnoreRange) && name == "range") {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    request.push_str("\r\n");
    registry.write_all(request.as_bytes()).await?;
    let Some((mut head, mut body)) = read_head(&mut registry).await? else {
        return Ok(());
    };
    registry.read_to_end(&mut body).await?;
    let mut end = body.len();
    let mut stall = false;
    match fault {
        Fault::CutAfter(bytes) => end = bytes.min(end),
        Fault::StallAfter(bytes) => {
            end = bytes.min(end);
            stall = true;
        }
        Fault::Corrupt => {
            if let Some(middle) = body.get_mut(end / 2) {
                *middle ^= 1;
            }
        }
        Fault::Extend(bytes) => {
            let lines = head.split("\r\n");
            let kept: Vec<&str> = lines
                .filter(|line| !line.to_ascii_lowercase().starts_with("content-length"))
                .collect();
            head = kept.join("\r\n");
            body.extend(vec![0; bytes]);
            end = body.len();
        }
        Fault::Pass | Fault::IgnoreRange | Fault::Answer { .. } => {}
    }
    client
        .write_all(format!("{head}\r\n\r\n").as_bytes())
        .await?;
    client.write_all(&body[..end]).await?;
    client.flush().await?;
    if stall {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    Ok(())
}

/// A message's head, without the empty line, and what came with it of its body.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            return Ok(Some((head, bytes[end + 4..].to_vec())));
        }
        let mut more = [0; 4096];
        let read = stream.read(&mut more).await?;
        // A TLS handshake begins with byte 22.
        if read == 0 || bytes.first().or(more.first()) == Some(&22) {
            return Ok(None);
        }
        bytes.extend_from_slice(&more[..read]);
    }
}
