//! Annotations that become properties of the unit.

use std::collections::BTreeMap;

use super::Error;
use super::properties::Property;
use super::value::Value;

/// What the keys begin with.
pub const PREFIX: &str = "org.systemd.property.";

/// The longest value.
const MAXIMUM_LENGTH: usize = 4096;

/// Refuses annotations for systemd that make no sense.
///
/// # Errors
/// The first of them.
pub fn check_annotations(annotations: &BTreeMap<String, String>) -> Result<(), Error> {
    annotated(annotations).map(drop)
}

/// The properties that annotations ask for.
pub(in crate::cgroup) fn annotated(
    annotations: &BTreeMap<String, String>,
) -> Result<Vec<Property>, Error> {
    let mut properties = Vec::new();
    for (key, text) in annotations {
        let Some(name) = key.strip_prefix(PREFIX) else {
            continue;
        };
        let bad = |reason: String| Error::Annotation {
            key: key.clone(),
            reason,
        };
        if name.len() < 3 || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(bad(format!("{name:?} is no property")));
        }
        let value = parse(text).ok_or_else(|| {
            bad(format!(
                "{text:?} is no value (as 'text', true, uint64 5, ['a', 'b'])"
            ))
        })?;
        properties.push(match name.strip_suffix("Sec") {
            // Times are set in microseconds, under another name.
            Some(stem) if stem.ends_with(|last: char| last.is_ascii_lowercase()) => {
                let value = microseconds(&value)
                    .ok_or_else(|| bad(format!("{text:?} is no number of seconds")))?;
                (format!("{stem}USec"), Value::Uint64(value))
            }
            _ => (name.to_owned(), value),
        });
    }
    Ok(properties)
}

fn microseconds(seconds: &Value) -> Option<u64> {
    let whole = |value: u64| value.checked_mul(1_000_000);
    match seconds {
        Value::Byte(value) => whole((*value).into()),
        Value::Int16(value) => whole(u64::try_from(*value).ok()?),
        Value::Uint16(value) => whole((*value).into()),
        Value::Int32(value) => whole(u64::try_from(*value).ok()?),
        Value::Uint32(value) => whole((*value).into()),
        Value::Int64(value) => whole(u64::try_from(*value).ok()?),
        Value::Uint64(value) => whole(*value),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be in range"
        )]
        Value::Double(value) if (0.0..1e12).contains(value) => Some((value * 1e6) as u64),
        _ => None,
    }
}

/// Reads a value in GVariant's text format: `true`, `5` (an int32), `1.5`,
/// `'text'`, `uint64 5`, `['a', 'b']`, `@as []`.
pub(super) fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.len() > MAXIMUM_LENGTH {
        return None;
    }
    if let Some(rest) = text.strip_prefix('@') {
        let (signature, rest) = rest.split_once(' ')?;
        let element = signature.strip_prefix('a')?;
        let is_plain = element.len() == 1 && "ybnqiuxtds".contains(element);
        return (is_plain && rest.trim() == "[]")
            .then(|| Value::Array(element.to_owned(), Vec::new()));
    }
    if let Some(inner) = text.strip_prefix('[') {
        return array(inner.strip_suffix(']')?);
    }
    scalar(text, None)
}

fn array(inner: &str) -> Option<Value> {
    // The first element's type is that of all.
    let mut items: Vec<Value> = Vec::new();
    let mut kind = None;
    for part in parts(inner)? {
        let (own, rest) = typed(part);
        kind = own.or(kind);
        items.push(scalar(rest, kind)?);
    }
    let element = items.first()?.signature();
    items
        .iter()
        .all(|item| item.signature() == element)
        .then_some(Value::Array(element, items))
}

/// The parts between commas, those in quotation marks left whole.
fn parts(inner: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), character) if open == character => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, ',') => {
                parts.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(inner[start..].trim());
    quote.is_none().then_some(parts)
}

/// A value's type, where it is named, and the rest.
fn typed(text: &str) -> (Option<&str>, &str) {
    match text.split_once(' ') {
        Some((kind, rest)) if kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (Some(kind), rest.trim())
        }
        _ => (None, text),
    }
}

fn scalar(text: &str, kind: Option<&str>) -> Option<Value> {
    let (own, text) = typed(text);
    let integer = || {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let value = match digits.strip_prefix("0x") {
            Some(digits) => i128::from(u64::from_str_radix(digits, 16).ok()?),
            None => i128::from(digits.parse::<u64>().ok()?),
        };
        Some(if negative { -value } else { value })
    };
    match own.or(kind) {
        Some("byte") => Some(Value::Byte(integer()?.try_into().ok()?)),
        Some("int16") => Some(Value::Int16(integer()?.try_into().ok()?)),
        Some("uint16") => Some(Value::Uint16(integer()?.try_into().ok()?)),
        Some("int32") => Some(Value::Int32(integer()?.try_into().ok()?)),
        Some("uint32") => Some(Value::Uint32(integer()?.try_into().ok()?)),
        Some("int64") => Some(Value::Int64(integer()?.try_into().ok()?)),
        Some("uint64") => Some(Value::Uint64(integer()?.try_into().ok()?)),
        Some("double") => Some(Value::Double(text.parse().ok()?)),
        Some("boolean") | None if text == "true" => Some(Value::Bool(true)),
        Some("boolean") | None if text == "false" => Some(Value::Bool(false)),
        Some("string") | None if text.starts_with(['\'', '"']) => quoted(text).map(Value::String),
        None if text.contains('.') => Some(Value::Double(text.parse().ok()?)),
        None => Some(Value::Int32(integer()?.try_into().ok()?)),
        Some(_) => None,
    }
}

fn quoted(text: &str) -> Option<String> {
    let mut characters = text.chars();
    let quote = characters.next()?;
    let mut found = String::new();
    loop {
        match characters.next()? {
            '\\' => found.push(match characters.next()? {
                'n' => '\n',
                't' => '\t',
                other @ ('\\' | '\'' | '"') => other,
                _ => return None,
            }),
            '\0' => return None,
            character if character == quote => break,
            character => found.push(character),
        }
    }
    characters.next().is_none().then_some(found)
}
