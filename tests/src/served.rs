//! A registry that misbehaves as a test wants it to: paths and their answers.

use crate::Sandbox;
use crate::image::{ImageBuilder, digest};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// Where and how often an answer breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It does not.
    Never,
    /// After this many bytes, unless a later part is asked for.
    Once(usize),
    /// After this many bytes, whatever is asked for.
    Always(usize),
}

/// What a path is answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Where the connection is closed within the body.
    pub cut: Cut,
}

impl Answer {
    /// A body of a type.
    pub fn of(content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body,
            cut: Cut::Never,
        }
    }
}

/// The running server; its listener lives in the sandbox's network and its
/// threads end with the test.
#[derive(Debug)]
pub struct ServedRegistry {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ServedRegistry {
    /// Serves an image as `name:latest`, each answer changed by `spoil`, which
    /// gets the path.
    pub fn start(
        sandbox: &Sandbox,
        name: &str,
        image: &ImageBuilder,
        spoil: impl Fn(&str, &mut Answer),
    ) -> Self {
        let manifest_type = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = Answer::of(manifest_type, image.manifest());
        let configuration = image.configuration();
        let mut answers = HashMap::new();
        for reference in ["latest".to_owned(), digest(&image.manifest())] {
            answers.insert(
                format!("/v2/{name}/manifests/{reference}"),
                manifest.clone(),
            );
        }
        let blobs = [
            (digest(&configuration), configuration),
            (image.layer_digest.clone(), image.layer.clone()),
        ];
        for (digest, bytes) in blobs {
            answers.insert(
                format!("/v2/{name}/blobs/{digest}"),
                Answer::of("application/octet-stream", bytes),
            );
        }
        answers.insert(
            "/v2/".to_owned(),
            Answer::of("application/json", b"{}".to_vec()),
        );
        for (path, answer) in &mut answers {
            spoil(path, answer);
        }

        let listener = sandbox
            .listen("127.0.0.1:0".parse().expect("an address"))
            .expect("a listener in the sandbox");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            let answers = Arc::new(answers);
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                // A client that goes away is not the server's failure.
                std::thread::spawn(move || serve(stream, &answers, &seen).ok());
            }
        });
        Self { address, requests }
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The request lines so far (`GET /v2/…`).
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("the list").clone()
    }
}

/// What was asked for, as far as it matters here.
struct Request {
    method: String,
    path: String,
    /// The first byte that is wanted.
    start: usize,
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        start: 0,
    };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end().to_lowercase();
        if header.is_empty() {
            return Ok(request);
        }
        if let Some(range) = header.strip_prefix("range: bytes=") {
            request.start = range.trim_end_matches('-').parse().unwrap_or(0);
        }
    }
}

/// One request and its answer: connections that are kept for the next one would
/// be counted as left behind.
fn serve(
    mut stream: TcpStream,
    answers: &HashMap<String, Answer>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let request = read(&mut BufReader::new(stream.try_clone()?))?;
    let line = format!("{} {}", request.method, request.path);
    seen.lock().expect("the list").push(line);
    let not_found = Answer {
        status: 404,
        ..Answer::of(
            "application/json",
            br#"{"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]}"#.to_vec(),
        )
    };
    let answer = answers.get(&request.path).unwrap_or(&not_found);
    let total = answer.body.len();
    let start = request.start.min(total);
    let mut head = format!(
        "HTTP/1.1 {} -\r\nConnection: close\r\nContent-Length: {}\r\n",
        if start > 0 { 206 } else { answer.status },
        total - start
    );
    if start > 0 {
        let last = total - 1;
        head.push_str(&format!("Content-Range: bytes {start}-{last}/{total}\r\n"));
    }
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        let end = match answer.cut {
            Cut::Always(at) => at.clamp(start, total),
            Cut::Once(at) if start == 0 => at.min(total),
            Cut::Once(_) | Cut::Never => total,
        };
        stream.write_all(&answer.body[start..end])?;
    }
    stream.shutdown(std::net::Shutdown::Both)
}
