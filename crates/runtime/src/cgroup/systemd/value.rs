//! Values of the D-Bus type system.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cgroup) enum Value {
    /// `y`
    Byte(u8),
    /// `b`
    Bool(bool),
    /// `n`
    Int16(i16),
    /// `q`
    Uint16(u16),
    /// `i`
    Int32(i32),
    /// `u`
    Uint32(u32),
    /// `x`
    Int64(i64),
    /// `t`
    Uint64(u64),
    /// `d`
    Double(f64),
    /// `s`
    String(String),
    /// `o`
    Path(String),
    /// `g`
    Signature(String),
    /// `a` and the elements' signature.
    Array(String, Vec<Value>),
    /// `(...)`
    Struct(Vec<Value>),
    /// `{..}`, an element of an array only.
    Entry(Box<(Value, Value)>),
    /// `v`
    Variant(Box<Value>),
}

impl Value {
    pub(super) fn string(text: impl Into<String>) -> Value {
        Value::String(text.into())
    }

    /// An array of strings.
    pub(super) fn strings(texts: &[&str]) -> Value {
        let items = texts.iter().map(|text| Value::string(*text)).collect();
        Value::Array("s".to_owned(), items)
    }

    /// An array of bytes.
    pub(super) fn bytes(bytes: &[u8]) -> Value {
        let items = bytes.iter().map(|byte| Value::Byte(*byte)).collect();
        Value::Array("y".to_owned(), items)
    }

    /// The text of a string or path.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::String(text) | Value::Path(text) | Value::Signature(text) => Some(text),
            Value::Variant(inner) => inner.text(),
            _ => None,
        }
    }

    /// The signature.
    pub(super) fn signature(&self) -> String {
        let plain = match self {
            Value::Byte(_) => "y",
            Value::Bool(_) => "b",
            Value::Int16(_) => "n",
            Value::Uint16(_) => "q",
            Value::Int32(_) => "i",
            Value::Uint32(_) => "u",
            Value::Int64(_) => "x",
            Value::Uint64(_) => "t",
            Value::Double(_) => "d",
            Value::String(_) => "s",
            Value::Path(_) => "o",
            Value::Signature(_) => "g",
            Value::Variant(_) => "v",
            Value::Array(element, _) => return format!("a{element}"),
            Value::Struct(fields) => {
                let inner: String = fields.iter().map(Value::signature).collect();
                return format!("({inner})");
            }
            Value::Entry(pair) => {
                return format!("{{{}{}}}", pair.0.signature(), pair.1.signature());
            }
        };
        plain.to_owned()
    }
}

/// The boundary that values of a type begin at.
pub(super) fn alignment(signature: u8) -> usize {
    match signature {
        b'n' | b'q' => 2,
        b'b' | b'i' | b'u' | b's' | b'o' | b'a' => 4,
        b'x' | b't' | b'd' | b'(' | b'{' => 8,
        _ => 1,
    }
}
