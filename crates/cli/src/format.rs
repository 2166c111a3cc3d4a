//! What a command shows: tables, templates, JSON, sizes and ages.

pub(crate) mod json;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod template;
#[cfg(test)]
mod tests;
pub(crate) mod units;
