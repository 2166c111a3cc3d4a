//! What Go programs write for "nothing": null, in the place of any value.

use serde::{Deserialize, Deserializer};

/// Reads a value that may be null, which is the same as absent, as it is for
/// Go's decoder and so for everything that writes configurations.
pub(super) fn is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
