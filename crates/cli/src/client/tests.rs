use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;

use super::*;

/// An engine that reads one request for each scripted answer, all on the
/// connections that the client makes, and reports what it read.
struct Engine {
    socket: PathBuf,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Engine {
    /// Each inner list is one connection's answers; after them it closes.
    fn start(name: &str, connections: Vec<Vec<&'static str>>) -> Self {
        let socket =
            std::env::temp_dir().join(format!("tare-cli-{name}-{}.sock", std::process::id()));
        drop(std::fs::remove_file(&socket));
        let listener = UnixListener::bind(&socket).unwrap();
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            for answers in connections {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                for answer in answers {
                    seen.push(read_request(&mut reader));
                    // In small pieces, as a slow network has it.
                    for piece in answer.as_bytes().chunks(7) {
                        stream.write_all(piece).unwrap();
                    }
                }
            }
            seen
        });
        Self {
            socket,
            thread: Some(thread),
        }
    }

    fn client(&self) -> Client {
        Client::new(Address::Unix(self.socket.clone()), None)
    }

    fn seen(mut self) -> Vec<String> {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.socket));
    }
}

/// Request line and body.
fn read_request(reader: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        match header.trim().split_once(": ") {
            None => break,
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            Some(("Transfer-Encoding", "chunked")) => chunked = true,
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    while chunked {
        let mut size = String::new();
        reader.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).unwrap();
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    format!("{} {}", line.trim(), String::from_utf8(body).unwrap())
        .trim()
        .to_owned()
}

#[test]
fn one_connection_serves_several_requests() {
    let engine = Engine::start(
        "reuse",
        vec![vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":[1]}",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 30\r\n\r\n{\"message\":\"No such thing: x\"}\n",
        ]],
    );
    let client = engine.client();
    let json: serde_json::Value = client.json(&Request::get("/a")).unwrap();
    assert_eq!(json.to_string(), "{\"a\":[1]}");
    assert_eq!(client.bytes(&Request::get("/b")).unwrap(), b"abc0123456789");
    let body = serde_json::json!({"k": "v"});
    assert_eq!(
        client
            .bytes(&Request::post("/c").json(&body).unwrap())
            .unwrap(),
        b""
    );
    let error = client.bytes(&Request::delete("/d")).unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert_eq!(
        error.to_string(),
        "Error response from daemon: No such thing: x"
    );
    assert_eq!(
        engine.seen(),
        [
            "GET /v1.51/a HTTP/1.1",
            "GET /v1.51/b HTTP/1.1",
            "POST /v1.51/c HTTP/1.1 {\"k\":\"v\"}",
            "DELETE /v1.51/d HTTP/1.1"
        ]
    );
}

#[test]
fn a_connection_closed_while_idle_is_made_again() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let engine = Engine::start("closed", vec![vec![answer], vec![answer]]);
    let client = engine.client();
    assert_eq!(client.bytes(&Request::get("/one")).unwrap(), b"ok");
    assert_eq!(client.bytes(&Request::get("/two")).unwrap(), b"ok");
    assert_eq!(engine.seen().len(), 2);
}

#[test]
fn an_older_engine_names_the_version_to_speak() {
    let engine = Engine::start(
        "version",
        vec![vec![
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 84\r\n\r\n{\"message\":\"client version 1.51 is too new. Maximum supported API version is 1.41\"}\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ]],
    );
    let client = engine.client();
    client.bytes(&Request::get("/info")).unwrap();
    assert_eq!(client.version(), "1.41");
    assert_eq!(
        engine.seen(),
        ["GET /v1.51/info HTTP/1.1", "GET /v1.41/info HTTP/1.1"]
    );
}

#[test]
fn a_stream_is_sent_in_chunks() {
    let engine = Engine::start(
        "chunks",
        vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]],
    );
    let content: String = "0123456789".repeat(60_000);
    let request =
        Request::post("/images/load").stream(Box::new(std::io::Cursor::new(content.clone())));
    engine.client().bytes(&request).unwrap();
    assert_eq!(
        engine.seen(),
        [format!("POST /v1.51/images/load HTTP/1.1 {content}")]
    );
}

#[test]
fn what_follows_an_upgrade_is_kept() {
    let engine = Engine::start(
        "upgrade",
        vec![vec![
            "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst bytes",
        ]],
    );
    let client = engine.client();
    let response = client.send(&Request::post("/attach").upgrade()).unwrap();
    assert_eq!(response.head.status, 101);
    let mut connection = response.into_connection().unwrap();
    while connection.fill().unwrap() > 0 {}
    assert_eq!(connection.unread(), b"first bytes");
    drop(engine.seen());
}

#[test]
fn answers_that_are_not_http_are_errors() {
    let cases = [
        ("garbage", "hello\r\n\r\n", "not an HTTP answer"),
        (
            "header",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "malformed header",
        ),
        (
            "cut-head",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "connection to the engine lost",
        ),
        (
            "cut-body",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "connection to the engine lost",
        ),
        (
            "cut-chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "connection to the engine lost",
        ),
        (
            "bad-chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "malformed chunk",
        ),
    ];
    for (name, answer, wanted) in cases {
        let engine = Engine::start(name, vec![vec![answer]]);
        let error = engine
            .client()
            .bytes(&Request::get("/x"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(wanted), "{name}: {error}");
    }
}

#[test]
fn endless_headers_are_not_read_for_ever() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let writer = std::thread::spawn(move || {
        let line = b"X-Header: 0123456789012345678901234567890123456789\r\n".repeat(64);
        theirs.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        while theirs.write_all(&line).is_ok() {}
    });
    let mut connection = Connection::from_unix(ours);
    assert!(matches!(
        connection.read_head(),
        Err(response::ReadHeadError::Head(HeadError::TooLarge))
    ));
    drop(connection);
    writer.join().unwrap();
}

#[test]
fn nobody_there_is_said_with_the_address() {
    let client = Client::new(Address::parse("unix:///no/such/engine.sock").unwrap(), None);
    assert_eq!(
        client
            .bytes(&Request::get("/info"))
            .unwrap_err()
            .to_string(),
        "Cannot connect to the Tare engine at unix:///no/such/engine.sock. Is the engine running?"
    );
}

#[test]
fn names_cannot_leave_their_segment() {
    assert_eq!(
        percent_encoded("a/../b?c=d&e#f%é"),
        "a%2F..%2Fb%3Fc%3Dd%26e%23f%25%C3%A9"
    );
    let path = Query::default()
        .set("a", "1 2")
        .set_some("b", None)
        .set_some("c", Some(""))
        .set_if("d", true)
        .on("/x");
    assert_eq!(path, "/x?a=1%202&d=1");
}
