//! Go templates for `--format`, the only module that knows the crate that
//! runs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{Template as Engine, Value};

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// It is not a template.
    #[error("template parsing error: {0}")]
    Parse(gotmpl::TemplateError),
    /// It asks for what is not there.
    #[error("template: :1: executing \"\" at <{template}>: {source}")]
    Execute {
        template: String,
        source: gotmpl::TemplateError,
    },
}

/// A parsed template.
pub(crate) struct Template {
    source: String,
    engine: Engine,
}

impl Template {
    /// Parses a template; `\t` and `\n` written out stand for a tab and a
    /// new line.
    ///
    /// # Errors
    /// A template with a fault in its syntax or an unknown function.
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        let source = source
            .replace("\\t", "\t")
            .replace("\\n", "\n")
            .replace("\\r", "\r");
        let engine = functions(Engine::new(""))
            .missing_key(gotmpl::MissingKey::Error)
            .parse(&method_calls(&source))
            .map_err(TemplateError::Parse)?;
        Ok(Self { source, engine })
    }

    /// The text for one value.
    ///
    /// # Errors
    /// A field that is not there, a function on the wrong kind of value.
    pub(crate) fn execute(&self, value: &Value) -> Result<String, TemplateError> {
        self.engine
            .execute_to_string(value)
            .map_err(|source| TemplateError::Execute {
                template: self.source.clone(),
                source,
            })
    }

    /// The path of a template that does nothing but `{{json .Some.Path}}`.
    pub(crate) fn json_path(&self) -> Option<Vec<&str>> {
        let inner = self.source.strip_prefix("{{")?.strip_suffix("}}")?.trim();
        let path = inner.strip_prefix("json")?.trim();
        let path = path.strip_prefix('.')?;
        if path.is_empty() {
            return Some(Vec::new());
        }
        let parts: Vec<&str> = path.split('.').collect();
        let plain = |part: &&str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric())
        };
        parts.iter().all(plain).then_some(parts)
    }
}

/// `.Label "x"` is a method with an argument, which the engine does not
/// have: it becomes a function of the root.
fn method_calls(source: &str) -> String {
    source.replace(".Label ", "label $ ")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn string(text: impl AsRef<str>) -> Value {
    Value::String(Arc::from(text.as_ref()))
}

fn argument(arguments: &[Value], index: usize) -> gotmpl::Result<&Value> {
    arguments.get(index).ok_or_else(|| {
        gotmpl::TemplateError::Exec(format!(
            "wrong number of arguments: {} given",
            arguments.len()
        ))
    })
}

fn functions(engine: Engine) -> Engine {
    engine
        .func("json", |arguments| {
            Ok(string(to_json(argument(arguments, 0)?)))
        })
        .func("upper", |arguments| {
            Ok(string(text(argument(arguments, 0)?).to_uppercase()))
        })
        .func("lower", |arguments| {
            Ok(string(text(argument(arguments, 0)?).to_lowercase()))
        })
        .func("title", |arguments| {
            Ok(string(title(&text(argument(arguments, 0)?))))
        })
        .func("split", |arguments| {
            let parts: Vec<Value> = text(argument(arguments, 0)?)
                .split(&text(argument(arguments, 1)?))
                .map(string)
                .collect();
            Ok(Value::List(parts.into()))
        })
        .func("join", |arguments| {
            let Value::List(items) = argument(arguments, 0)? else {
                return Err(gotmpl::TemplateError::Exec(
                    "join: the first argument is not a list".to_owned(),
                ));
            };
            let separator = text(argument(arguments, 1)?);
            Ok(string(
                items.iter().map(text).collect::<Vec<_>>().join(&separator),
            ))
        })
        .func("pad", |arguments| {
            let content = text(argument(arguments, 0)?);
            if content.is_empty() {
                return Ok(string(content));
            }
            let count = |index| {
                argument(arguments, index).map(|value| value.as_int().unwrap_or_default().max(0))
            };
            Ok(string(format!(
                "{}{content}{}",
                " ".repeat(count(1)? as usize),
                " ".repeat(count(2)? as usize)
            )))
        })
        .func("truncate", |arguments| {
            let length = argument(arguments, 1)?.as_int().unwrap_or_default().max(0);
            Ok(string(
                text(argument(arguments, 0)?)
                    .chars()
                    .take(length as usize)
                    .collect::<String>(),
            ))
        })
        .func("label", |arguments| {
            let labels = argument(arguments, 0)?
                .field("\u{0}labels")
                .cloned()
                .unwrap_or(Value::Nil);
            let key = text(argument(arguments, 1)?);
            // In the row of headings a label is headed by its own name.
            let heading = || {
                argument(arguments, 0)
                    .ok()?
                    .field("\u{0}heading")
                    .map(|_| string(&key))
            };
            Ok(labels
                .field(&key)
                .cloned()
                .or_else(heading)
                .unwrap_or_else(|| string("")))
        })
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|letter| {
            let first = std::mem::replace(&mut start, !letter.is_alphanumeric());
            if first {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect()
}

/// JSON of the engine's answers as a template sees it.
pub(crate) fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(on) => Value::Bool(*on),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Uint(number),
            (None, None) => Value::Float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => string(text),
        serde_json::Value::Array(items) => {
            Value::List(items.iter().map(from_json).collect::<Vec<_>>().into())
        }
        serde_json::Value::Object(fields) => Value::Map(Arc::new(
            fields
                .iter()
                .map(|(key, value)| (Arc::from(key.as_str()), from_json(value)))
                .collect::<BTreeMap<_, _>>(),
        )),
    }
}

fn to_json(value: &Value) -> String {
    fn convert(value: &Value) -> serde_json::Value {
        match value {
            Value::Bool(on) => (*on).into(),
            Value::Int(number) => (*number).into(),
            Value::Uint(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::String(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(convert).collect(),
            Value::Map(fields) => fields
                .iter()
                .filter(|(key, _)| !key.starts_with('\u{0}'))
                .map(|(key, value)| (key.to_string(), convert(value)))
                .collect(),
            _ => serde_json::Value::Null,
        }
    }
    convert(value).to_string()
}
