//! Values that only the JSON of Go programs has.

use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Go's `struct{}`: written `{}`, read from anything.
///
/// Sets are maps to it: `{"80/tcp": {}}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty {}

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_struct("Empty", 0)?.end()
    }
}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(Self {})
    }
}
