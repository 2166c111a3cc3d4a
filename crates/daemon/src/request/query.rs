//! The parameters of a query, read as Docker's engine reads them.

use tare_engine::{Error, Result};
use tare_engine_api::Filters;

/// The parameters, in the order they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the text behind the question mark.
    ///
    /// # Errors
    ///
    /// Fails in the words of Go's parser for semicolons and for escapes that
    /// are none.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pair.contains(';') {
                return Err(Error::invalid("invalid semicolon separator in query"));
            }
            if let Some(escape) = broken_escape(pair) {
                return Err(Error::invalid(format!("invalid URL escape {escape:?}")));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name, true), decode(value, true)));
        }
        Ok(Self(pairs))
    }

    /// Puts other parameters before these.
    pub(crate) fn precede(&mut self, others: Self) {
        self.0.splice(..0, others.0);
    }

    /// The first value of a parameter, empty when it is not given.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// The first value of a parameter that is given and not empty.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// Whether a parameter says yes: anything but Docker's words for no.
    pub(crate) fn flag(&self, name: &str) -> bool {
        !matches!(
            self.text(name).trim().to_ascii_lowercase().as_str(),
            "" | "0" | "no" | "false" | "none"
        )
    }

    /// A number, if it is given.
    ///
    /// # Errors
    ///
    /// Fails in the words of Go's parser when it is none.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.given(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| invalid_number(&text))
    }

    /// A number that must be given.
    ///
    /// # Errors
    ///
    /// Fails in the words of Go's parser when it is none.
    pub(crate) fn required_number(&self, name: &str) -> Result<i64> {
        self.number(name)?.ok_or_else(|| invalid_number(""))
    }

    /// The parameter `filters`.
    ///
    /// # Errors
    ///
    /// Fails when it is none.
    pub(crate) fn filters(&self) -> Result<Filters> {
        Filters::parse(self.text("filters")).map_err(|error| Error::invalid(error.to_string()))
    }
}

/// The first escape without two hexadecimal digits, as far as it goes.
fn broken_escape(text: &str) -> Option<String> {
    text.match_indices('%').find_map(|(start, _)| {
        let escape: String = text[start..].chars().take(3).collect();
        let digits = escape.bytes().skip(1).filter(u8::is_ascii_hexdigit).count();
        (digits != 2).then_some(escape)
    })
}

fn invalid_number(text: &str) -> Error {
    Error::invalid(format!("strconv.Atoi: parsing {text:?}: invalid syntax"))
}

/// Undoes the escapes of a URL; those that are none stay, and bytes that are
/// no text are replaced, so that the name is not found.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> String {
    let escaped = |character| character == '%' || plus_is_space && character == '+';
    if !text.contains(escaped) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
                bytes.push(digit(high) << 4 | digit(low));
                rest = after;
            }
            (b'+', _) if plus_is_space => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
