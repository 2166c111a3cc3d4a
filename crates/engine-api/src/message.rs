//! Messages: errors, and the progress a pull, push, load or build reports as
//! one JSON object after another.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::or_default;

/// The body of every answer that is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorResponse {
    /// What went wrong, for the user to read.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
}

/// One object of a progress stream; each line of it sets only some fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JsonMessage {
    /// Text to print as it is (a build's output, a load's result).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What happens to the item, such as `Downloading`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How far it is; an empty object where there is no number to give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<ProgressDetail>,
    /// How far it is, drawn as text by old engines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// The item: a layer's short ID or a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why the whole operation failed, with the same text as `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<ErrorDetail>,
    /// Why the whole operation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A result for programs, such as the ID of a built image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux: Option<Value>,
}

impl JsonMessage {
    /// A status line, about one item if `id` names one.
    pub fn status(id: Option<&str>, status: impl Into<String>) -> Self {
        Self {
            id: id.map(str::to_owned),
            status: Some(status.into()),
            ..Self::default()
        }
    }

    /// A status line of one item with its progress in bytes.
    pub fn progress(id: &str, status: impl Into<String>, current: i64, total: i64) -> Self {
        let progress_detail = Some(ProgressDetail {
            current,
            total,
            ..ProgressDetail::default()
        });
        Self {
            progress_detail,
            ..Self::status(Some(id), status)
        }
    }

    /// Text to print as it is.
    pub fn stream(text: impl Into<String>) -> Self {
        Self {
            stream: Some(text.into()),
            ..Self::default()
        }
    }

    /// The line that ends a failed operation.
    pub fn error(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            error_detail: Some(ErrorDetail {
                code: 0,
                message: message.clone(),
            }),
            error: Some(message),
            ..Self::default()
        }
    }
}

/// How far an item is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProgressDetail {
    /// Done so far, in `units`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub current: i64,
    /// To do altogether; 0 when not known.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub total: i64,
    /// What is counted; bytes when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<String>,
}

/// Why an operation failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetail {
    /// An HTTP status, or the exit code of a build's command; 0 for none.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub code: i64,
    /// The text for the user.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}
