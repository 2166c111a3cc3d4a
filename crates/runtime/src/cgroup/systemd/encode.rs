//! Values as bytes, little-endian.

use super::value::{Value, alignment};

/// Bytes that begin at a multiple of eight.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    pub(super) bytes: Vec<u8>,
}

impl Encoder {
    pub(super) fn align(&mut self, boundary: usize) {
        let length = self.bytes.len().next_multiple_of(boundary);
        self.bytes.resize(length, 0);
    }

    fn number(&mut self, bytes: &[u8]) {
        self.align(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn word(&mut self, value: u32) {
        self.number(&value.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        // Bodies are far smaller than 4 GiB: what is longer is refused with
        // the message as a whole.
        self.word(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
    }

    fn signature(&mut self, signature: &str) {
        self.bytes
            .push(u8::try_from(signature.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(signature.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Byte(byte) => self.bytes.push(*byte),
            Value::Bool(value) => self.word(u32::from(*value)),
            Value::Int16(value) => self.number(&value.to_le_bytes()),
            Value::Uint16(value) => self.number(&value.to_le_bytes()),
            Value::Int32(value) => self.number(&value.to_le_bytes()),
            Value::Uint32(value) => self.word(*value),
            Value::Int64(value) => self.number(&value.to_le_bytes()),
            Value::Uint64(value) => self.number(&value.to_le_bytes()),
            Value::Double(value) => self.number(&value.to_le_bytes()),
            Value::String(text) | Value::Path(text) => self.text(text),
            Value::Signature(text) => self.signature(text),
            Value::Array(element, items) => self.array(element, items),
            Value::Struct(fields) => {
                self.align(8);
                for field in fields {
                    self.value(field);
                }
            }
            Value::Entry(pair) => {
                self.align(8);
                self.value(&pair.0);
                self.value(&pair.1);
            }
            Value::Variant(inner) => {
                self.signature(&inner.signature());
                self.value(inner);
            }
        }
    }

    fn array(&mut self, element: &str, items: &[Value]) {
        self.word(0);
        let place = self.bytes.len() - 4;
        // The length leaves out the way to the first element's boundary.
        self.align(alignment(element.bytes().next().unwrap_or(b'y')));
        let start = self.bytes.len();
        for item in items {
            self.value(item);
        }
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[place..place + 4].copy_from_slice(&length.to_le_bytes());
    }
}
