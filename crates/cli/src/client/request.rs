//! A request: method, path with query, headers, body.

use std::io::{self, Read, Write};

use super::{Address, ClientError, Connection};

/// What is sent behind the head.
enum Content {
    None,
    Json(Vec<u8>),
    /// A body of unknown length, sent in chunks; it can be read once only.
    Stream(std::cell::RefCell<Box<dyn Read>>),
}

/// One request to the engine.
pub(crate) struct Request {
    /// `GET`, `POST`, ...
    pub(crate) method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    content: Content,
}

impl Request {
    /// A request for a path without the version prefix.
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            content: Content::None,
        }
    }

    /// A `GET`.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// A `POST`.
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new("POST", path)
    }

    /// A `DELETE`.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path)
    }

    /// The same request with a header more.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same request with a JSON body.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub(crate) fn json(mut self, value: &impl serde::Serialize) -> Result<Self, ClientError> {
        let bytes = serde_json::to_vec(value).map_err(|source| ClientError::Encode {
            request: self.name(),
            source,
        })?;
        self.content = Content::Json(bytes);
        Ok(self)
    }

    /// The same request with a body that is read while it is sent.
    pub(crate) fn stream(mut self, reader: Box<dyn Read>) -> Self {
        self.content = Content::Stream(std::cell::RefCell::new(reader));
        self
    }

    /// The same request, asking to take the connection over.
    pub(crate) fn upgrade(self) -> Self {
        self.header("Connection", "Upgrade")
            .header("Upgrade", "tcp")
    }

    /// For messages: `POST /containers/create`.
    pub(crate) fn name(&self) -> String {
        format!(
            "{} {}",
            self.method,
            self.path.split('?').next().unwrap_or_default()
        )
    }

    /// Whether it can be sent a second time on another connection.
    pub(crate) fn repeatable(&self) -> bool {
        !matches!(self.content, Content::Stream(_))
    }

    /// Writes the request; head and a JSON body go out in one piece.
    pub(crate) fn write(
        &self,
        connection: &mut Connection,
        version: &str,
        address: &Address,
    ) -> io::Result<()> {
        let mut head = format!(
            "{} /v{version}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: tare/{}\r\n",
            self.method,
            self.path,
            address.host_header(),
            env!("CARGO_PKG_VERSION"),
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.content {
            Content::None if self.method == "POST" => head.push_str("Content-Length: 0\r\n\r\n"),
            Content::None => head.push_str("\r\n"),
            Content::Json(bytes) => {
                head.push_str(&format!(
                    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    bytes.len()
                ));
            }
            Content::Stream(_) => {
                head.push_str(
                    "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n",
                );
            }
        }
        let mut bytes = head.into_bytes();
        if let Content::Json(body) = &self.content {
            bytes.extend_from_slice(body);
        }
        connection.write_all(&bytes)?;
        if let Content::Stream(reader) = &self.content {
            write_chunks(connection, &mut **reader.borrow_mut())?;
        }
        Ok(())
    }
}

fn write_chunks(connection: &mut Connection, reader: &mut dyn Read) -> io::Result<()> {
    // Room for the chunk's line in front, so that each goes out in one write.
    const FRONT: usize = 12;
    let mut buffer = vec![0; FRONT + (256 << 10) + 2];
    loop {
        let end = buffer.len() - 2;
        let count = match reader.read(&mut buffer[FRONT..end]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            return connection.write_all(b"0\r\n\r\n");
        }
        let line = format!("{count:x}\r\n");
        let start = FRONT - line.len();
        buffer[start..FRONT].copy_from_slice(line.as_bytes());
        buffer[FRONT + count..FRONT + count + 2].copy_from_slice(b"\r\n");
        connection.write_all(&buffer[start..FRONT + count + 2])?;
    }
}

/// Builds the query of a path, leaving out what is empty.
#[derive(Default)]
pub(crate) struct Query {
    text: String,
}

impl Query {
    /// Adds `key=value`.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.text.push(if self.text.is_empty() { '?' } else { '&' });
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(&percent_encoded(value));
        self
    }

    /// Adds `key=value` when there is a value.
    pub(crate) fn set_some(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) if !value.is_empty() => self.set(key, value),
            _ => self,
        }
    }

    /// Adds `key=1` when it is on.
    pub(crate) fn set_if(self, key: &str, on: bool) -> Self {
        if on { self.set(key, "1") } else { self }
    }

    /// The path with this query.
    pub(crate) fn on(self, path: impl std::fmt::Display) -> String {
        format!("{path}{}", self.text)
    }
}

/// A path segment or query value with everything but RFC 3986's unreserved
/// characters escaped, so that no name can reach another route.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
