//! The head of an answer: status line and headers.

/// Status and the headers that matter to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The three-digit status.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The first value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A head that is not HTTP.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    /// The first line is not a status line.
    #[error("not an HTTP answer")]
    StatusLine,
    /// A line without a colon, or bytes that are not text.
    #[error("malformed header")]
    Header,
    /// More than 64 KiB or 256 lines.
    #[error("headers too large")]
    TooLarge,
}

/// Why a head could not be read.
#[derive(Debug)]
pub(crate) enum ReadHeadError {
    /// The connection failed or ended.
    Io(std::io::Error),
    /// The bytes make no sense.
    Head(HeadError),
}

/// Parses the bytes before the empty line.
///
/// # Errors
/// What is not an HTTP/1 head.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Head, HeadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| HeadError::Header)?;
    let mut lines = text.split("\r\n");
    let status_line = lines.next().ok_or(HeadError::StatusLine)?;
    let mut parts = status_line.split(' ');
    if !parts
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."))
    {
        return Err(HeadError::StatusLine);
    }
    let status = parts
        .next()
        .filter(|digits| digits.len() == 3)
        .and_then(|digits| digits.parse().ok())
        .ok_or(HeadError::StatusLine)?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(HeadError::Header)?;
        if headers.len() == 256 {
            return Err(HeadError::TooLarge);
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Head { status, headers })
}
