//! Messages: a header, and values in the body.

use super::decode::{self, Decoder};
use super::encode::Encoder;
use super::value::Value;

/// The longest message that is read; the protocol's own bound is 128 MiB, and
/// what systemd says here is short.
pub(super) const MAXIMUM_LENGTH: usize = 1 << 20;

/// Length of the part that says how long the rest is.
pub(super) const PREFIX: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Call = 1,
    Return = 2,
    Error = 3,
    Signal = 4,
}

/// A message; what it does not say is empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) serial: u32,
    /// The call that this answers; 0 for none.
    pub(super) answers: u32,
    pub(super) path: String,
    pub(super) interface: String,
    pub(super) member: String,
    /// Name of an error.
    pub(super) error: String,
    pub(super) destination: String,
    pub(super) body: Vec<Value>,
}

impl Message {
    pub(super) fn new(kind: Kind) -> Message {
        Message {
            kind,
            serial: 0,
            answers: 0,
            path: String::new(),
            interface: String::new(),
            member: String::new(),
            error: String::new(),
            destination: String::new(),
            body: Vec::new(),
        }
    }

    /// The message as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Encoder::default();
        for value in &self.body {
            body.value(value);
        }
        let signature: String = self.body.iter().map(Value::signature).collect();
        let mut fields = Vec::new();
        let mut field = |code: u8, value: Value| {
            if value.text().is_some_and(str::is_empty) {
                return;
            }
            fields.push(Value::Struct(vec![
                Value::Byte(code),
                Value::Variant(Box::new(value)),
            ]));
        };
        field(1, Value::Path(self.path.clone()));
        field(2, Value::string(&self.interface));
        field(3, Value::string(&self.member));
        field(4, Value::string(&self.error));
        field(6, Value::string(&self.destination));
        field(8, Value::Signature(signature));
        if self.answers != 0 {
            field(5, Value::Uint32(self.answers));
        }
        let mut header = Encoder {
            // Little-endian, no flags, version 1.
            bytes: vec![b'l', self.kind as u8, 0, 1],
        };
        header.word(u32::try_from(body.bytes.len()).unwrap_or(u32::MAX));
        header.word(self.serial);
        header.value(&Value::Array("(yv)".to_owned(), fields));
        header.align(8);
        header.bytes.extend_from_slice(&body.bytes);
        header.bytes
    }

    /// The length of a message whose first bytes are these; `None` when they
    /// begin no message, or a too long one.
    pub(super) fn length(prefix: &[u8; PREFIX]) -> Option<usize> {
        let word = |at: usize| {
            let bytes: [u8; 4] = prefix.get(at..at + 4)?.try_into().ok()?;
            match prefix[0] {
                b'l' => Some(u32::from_le_bytes(bytes) as usize),
                b'B' => Some(u32::from_be_bytes(bytes) as usize),
                _ => None,
            }
        };
        let fields = PREFIX.checked_add(word(12)?)?.checked_next_multiple_of(8)?;
        let length = fields.checked_add(word(4)?)?;
        (prefix[3] == 1 && length <= MAXIMUM_LENGTH).then_some(length)
    }

    /// Reads a whole message. `Ok(None)` is one of a kind that later versions
    /// of the protocol may add, which is to be ignored.
    pub(super) fn decode(bytes: &[u8]) -> Result<Option<Message>, ()> {
        let little = bytes.first() == Some(&b'l');
        let header = decode::values("yyyyuua(yv)", bytes, little).ok_or(())?;
        let [
            _,
            Value::Byte(kind),
            _,
            _,
            _,
            Value::Uint32(serial),
            Value::Array(_, fields),
        ] = header.as_slice()
        else {
            return Err(());
        };
        let kind = match kind {
            1 => Kind::Call,
            2 => Kind::Return,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => return Ok(None),
        };
        let mut message = Message::new(kind);
        message.serial = *serial;
        let mut signature = String::new();
        for field in fields {
            let Value::Struct(pair) = field else {
                return Err(());
            };
            let [Value::Byte(code), Value::Variant(value)] = pair.as_slice() else {
                return Err(());
            };
            let text = || value.text().map(str::to_owned).ok_or(());
            match code {
                1 => message.path = text()?,
                2 => message.interface = text()?,
                3 => message.member = text()?,
                4 => message.error = text()?,
                5 => match value.as_ref() {
                    Value::Uint32(serial) => message.answers = *serial,
                    _ => return Err(()),
                },
                6 => message.destination = text()?,
                8 => signature = text()?,
                _ => {}
            }
        }
        let prefix = bytes.first_chunk::<PREFIX>().ok_or(())?;
        let body_length = {
            let mut decoder = Decoder::new(&prefix[4..8], little);
            match decoder.value(b"u", 0) {
                Some(Value::Uint32(length)) => length as usize,
                _ => return Err(()),
            }
        };
        let start = bytes.len().checked_sub(body_length).ok_or(())?;
        message.body = decode::values(&signature, &bytes[start..], little).ok_or(())?;
        Ok(Some(message))
    }
}
