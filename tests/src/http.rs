//! A small HTTP/1.1 client over a unix socket: one connection per request, so
//! that what is seen is what the server sent.

use serde_json::Value;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The longest a test waits for a server that says nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A complete answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: HashMap<String, String>,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in the answer {}: {}", self.status, self.text())
        })
    }

    /// The JSON values of a stream of messages.
    #[track_caller]
    pub fn messages(&self) -> Vec<Value> {
        serde_json::Deserializer::from_slice(&self.body)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The `message` of an error.
    #[track_caller]
    pub fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message in {}", self.text()))
            .to_owned()
    }

    /// Itself, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// A connection whose answer's head has been read: the body, or after an
/// upgrade the raw stream, is to come.
#[derive(Debug)]
pub struct Connection {
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: HashMap<String, String>,
    reader: BufReader<UnixStream>,
}

/// Which of a container's outputs a frame is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A part of a multiplexed stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it comes from.
    pub kind: StreamKind,
    /// What was written.
    pub bytes: Vec<u8>,
}

impl Connection {
    /// Sends a request and reads the head of the answer.
    pub fn open(
        socket: &Path,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Self> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: tests\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| *name == "Upgrade") {
            head.push_str("Connection: close\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;

        let mut reader = BufReader::new(stream);
        let status = line(&mut reader)?
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::other("no status line"))?;
        let mut headers = HashMap::new();
        loop {
            let line = line(&mut reader)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        Ok(Self {
            status,
            headers,
            reader,
        })
    }

    /// Reads the whole body.
    pub fn finish(mut self) -> io::Result<Response> {
        let mut body = Vec::new();
        let chunked = self
            .headers
            .get("transfer-encoding")
            .is_some_and(|value| value == "chunked");
        if chunked {
            while let Some(chunk) = self.chunk()? {
                body.extend(chunk);
            }
        } else if let Some(length) = self.headers.get("content-length") {
            body.resize(length.parse().map_err(io::Error::other)?, 0);
            self.reader.read_exact(&mut body)?;
        } else if self.status != 204 && self.status != 304 {
            self.reader.read_to_end(&mut body)?;
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body,
        })
    }

    /// The next chunk of a chunked body, nothing at its end.
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = line(&mut self.reader)?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(io::Error::other)?;
        let mut chunk = vec![0; size];
        self.reader.read_exact(&mut chunk)?;
        line(&mut self.reader)?;
        Ok((size > 0).then_some(chunk))
    }

    /// The next frame of a multiplexed stream, nothing at its end.
    pub fn frame(&mut self) -> io::Result<Option<Frame>> {
        let mut header = [0; 8];
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.reader.read_exact(&mut header)?;
        let kind = match header[0] {
            1 => StreamKind::Stdout,
            2 => StreamKind::Stderr,
            other => return Err(io::Error::other(format!("a frame of kind {other}"))),
        };
        let [.., a, b, c, d] = header;
        let mut bytes = vec![0; u32::from_be_bytes([a, b, c, d]) as usize];
        self.reader.read_exact(&mut bytes)?;
        Ok(Some(Frame { kind, bytes }))
    }

    /// Everything that follows on standard output and on standard error.
    #[track_caller]
    pub fn demultiplex(mut self) -> (String, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(frame) = self.frame().expect("a frame") {
            match frame.kind {
                StreamKind::Stdout => stdout.extend(frame.bytes),
                StreamKind::Stderr => stderr.extend(frame.bytes),
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(stdout), text(stderr))
    }

    /// Everything that follows, as it comes.
    pub fn rest(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes to the other side of an upgraded connection.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Says that nothing more will be written.
    pub fn end_input(&self) -> io::Result<()> {
        self.reader.get_ref().shutdown(std::net::Shutdown::Write)
    }

    /// Reads until the text has been seen, and returns what came until then.
    #[track_caller]
    pub fn read_until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&seen).contains(text) {
            let count = self.reader.read(&mut byte).unwrap_or(0);
            assert_eq!(
                count,
                1,
                "{text:?} did not come: {:?}",
                String::from_utf8_lossy(&seen)
            );
            seen.push(byte[0]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
