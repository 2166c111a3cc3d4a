//! Values from bytes of either order. Every length is checked against the
//! bytes that are there, and nesting is bounded.

use super::value::{Value, alignment};

/// How deep values may be nested; the protocol's own bound is 64.
const MAXIMUM_DEPTH: u32 = 32;

/// Reads the values of a signature from a message's body.
pub(super) fn values(signature: &str, body: &[u8], little: bool) -> Option<Vec<Value>> {
    let mut decoder = Decoder::new(body, little);
    let mut rest = signature.as_bytes();
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (one, others) = split(rest)?;
        values.push(decoder.value(one, 0)?);
        rest = others;
    }
    Some(values)
}

/// The first complete type of a signature, and the rest.
pub(super) fn split(signature: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = length(signature, 0)?;
    Some(signature.split_at(length))
}

fn length(signature: &[u8], depth: u32) -> Option<usize> {
    if depth > MAXIMUM_DEPTH {
        return None;
    }
    match signature.first()? {
        b'a' => Some(1 + length(&signature[1..], depth + 1)?),
        open @ (b'(' | b'{') => {
            let close = if *open == b'(' { b')' } else { b'}' };
            let mut at = 1;
            while *signature.get(at)? != close {
                at += length(&signature[at..], depth + 1)?;
            }
            // Empty ones would let an array of no bytes have any length.
            (at > 1).then_some(at + 1)
        }
        b'y' | b'b' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b's' | b'o' | b'g'
        | b'v' => Some(1),
        _ => None,
    }
}

pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    little: bool,
}

impl<'a> Decoder<'a> {
    /// Of bytes that begin at a multiple of eight.
    pub(super) fn new(bytes: &'a [u8], little: bool) -> Self {
        Decoder {
            bytes,
            at: 0,
            little,
        }
    }

    fn align(&mut self, boundary: usize) {
        self.at = self.at.next_multiple_of(boundary);
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.align(N);
        let mut bytes: [u8; N] = self.take(N)?.try_into().ok()?;
        if !self.little {
            bytes.reverse();
        }
        Some(bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.number().map(u32::from_le_bytes)
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let text = self.take(length)?.to_vec();
        (self.take(1)? == [0]).then_some(())?;
        String::from_utf8(text).ok()
    }

    pub(super) fn value(&mut self, signature: &[u8], depth: u32) -> Option<Value> {
        if depth > MAXIMUM_DEPTH {
            return None;
        }
        Some(match signature.first()? {
            b'y' => Value::Byte(self.take(1)?[0]),
            b'b' => match self.word()? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                _ => return None,
            },
            b'n' => Value::Int16(i16::from_le_bytes(self.number()?)),
            b'q' => Value::Uint16(u16::from_le_bytes(self.number()?)),
            b'i' => Value::Int32(i32::from_le_bytes(self.number()?)),
            b'u' => Value::Uint32(self.word()?),
            b'x' => Value::Int64(i64::from_le_bytes(self.number()?)),
            b't' => Value::Uint64(u64::from_le_bytes(self.number()?)),
            b'd' => Value::Double(f64::from_le_bytes(self.number()?)),
            b's' | b'o' => {
                let length = self.word()? as usize;
                let text = self.text(length)?;
                match signature[0] {
                    b's' => Value::String(text),
                    _ => Value::Path(text),
                }
            }
            b'g' => Value::Signature(self.signature()?),
            b'v' => {
                let inner = self.signature()?;
                let (one, rest) = split(inner.as_bytes())?;
                rest.is_empty().then_some(())?;
                Value::Variant(Box::new(self.value(one, depth + 1)?))
            }
            b'a' => self.array(&signature[1..], depth)?,
            b'(' => {
                self.align(8);
                let mut rest = signature.get(1..signature.len() - 1)?;
                let mut fields = Vec::new();
                while !rest.is_empty() {
                    let (one, others) = split(rest)?;
                    fields.push(self.value(one, depth + 1)?);
                    rest = others;
                }
                Value::Struct(fields)
            }
            b'{' => {
                self.align(8);
                let (key, rest) = split(signature.get(1..signature.len() - 1)?)?;
                let key = self.value(key, depth + 1)?;
                let (value, rest) = split(rest)?;
                rest.is_empty().then_some(())?;
                Value::Entry(Box::new((key, self.value(value, depth + 1)?)))
            }
            _ => return None,
        })
    }

    fn signature(&mut self) -> Option<String> {
        let length = usize::from(self.take(1)?[0]);
        self.text(length)
    }

    fn array(&mut self, element: &[u8], depth: u32) -> Option<Value> {
        let length = self.word()? as usize;
        self.align(alignment(*element.first()?));
        let end = self.at.checked_add(length)?;
        (end <= self.bytes.len()).then_some(())?;
        let mut items = Vec::new();
        while self.at < end {
            items.push(self.value(element, depth + 1)?);
        }
        (self.at == end).then_some(())?;
        let element = String::from_utf8(element.to_vec()).ok()?;
        Some(Value::Array(element, items))
    }
}
