//! End-to-end tests by the API's nouns.

mod containers;
