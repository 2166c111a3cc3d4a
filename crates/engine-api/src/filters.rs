//! The `filters` parameter of lists and prunes: names, each with a set of
//! values, as JSON in two shapes, a map of lists (`{"label":["a","b"]}`) and
//! the older map of sets (`{"label":{"a":true}}`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

/// Filters that cannot be used.
#[derive(Debug, Error)]
pub enum FilterError {
    /// The parameter is not JSON of either shape.
    #[error("invalid filter: {0}")]
    Syntax(#[source] serde_json::Error),
    /// This list has no such filter.
    #[error("invalid filter '{0}'")]
    Unknown(String),
    /// A filter that is true or false has another value.
    #[error("invalid filter '{name}={value}'")]
    Value {
        /// The filter.
        name: String,
        /// What it was given.
        value: String,
    },
}

/// What a list is narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    List(Vec<String>),
    Set(BTreeMap<String, bool>),
}

impl Filters {
    /// Reads the parameter; nothing at all is no filter.
    ///
    /// # Errors
    ///
    /// Fails when it is not JSON of either shape.
    pub fn parse(parameter: &str) -> Result<Self, FilterError> {
        if parameter.is_empty() {
            return Ok(Self::default());
        }
        let filters: Option<BTreeMap<String, Option<Values>>> =
            serde_json::from_str(parameter).map_err(FilterError::Syntax)?;
        let filters = filters
            .unwrap_or_default()
            .into_iter()
            .map(|(name, values)| {
                let values = match values {
                    None => BTreeSet::new(),
                    Some(Values::List(list)) => list.into_iter().collect(),
                    // Go's decoder keeps the keys, whatever they are mapped to.
                    Some(Values::Set(set)) => set.into_keys().collect(),
                };
                (name, values)
            });
        Ok(Self(filters.collect()))
    }

    /// Adds a value to a filter.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.entry(name.into()).or_default().insert(value.into());
    }

    /// The parameter's text, in the shape every engine understands.
    pub fn encode(&self) -> String {
        let sets: BTreeMap<_, BTreeMap<_, _>> = self
            .0
            .iter()
            .map(|(name, values)| (name, values.iter().map(|value| (value, true)).collect()))
            .collect();
        // A map of strings to booleans always has a text.
        serde_json::to_string(&sets).unwrap_or_default()
    }

    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a filter is given.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The values of a filter, none when it is not given.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether a filter is absent or has this very value.
    pub fn matches(&self, name: &str, value: &str) -> bool {
        self.0
            .get(name)
            .is_none_or(|values| values.is_empty() || values.contains(value))
    }

    /// The value of a filter that is true or false; `None` when not given.
    ///
    /// # Errors
    ///
    /// Fails for any other value, and for both at once.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, FilterError> {
        let Some(values) = self.0.get(name) else {
            return Ok(None);
        };
        let has = |texts: &[&str]| texts.iter().any(|text| values.contains(*text));
        match (
            has(&["1", "true", "True", "TRUE", "t", "T"]),
            has(&["0", "false", "False", "FALSE", "f", "F"]),
        ) {
            (true, false) => Ok(Some(true)),
            (false, true) => Ok(Some(false)),
            _ => Err(FilterError::Value {
                name: name.to_owned(),
                value: values.iter().cloned().collect::<Vec<_>>().join(","),
            }),
        }
    }

    /// Refuses filters that a list does not have.
    ///
    /// # Errors
    ///
    /// Fails with the name of the first that is not among `accepted`.
    pub fn accept(&self, accepted: &[&str]) -> Result<(), FilterError> {
        match self
            .0
            .keys()
            .find(|name| !accepted.contains(&name.as_str()))
        {
            Some(name) => Err(FilterError::Unknown(name.clone())),
            None => Ok(()),
        }
    }

    /// Whether labels satisfy the values of a filter: each is `key` or
    /// `key=value`.
    pub fn matches_labels(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.values(name)
            .all(|wanted| match wanted.split_once('=') {
                Some((key, value)) => labels.get(key).is_some_and(|label| label == value),
                None => labels.contains_key(wanted),
            })
    }
}

#[cfg(test)]
mod tests;
