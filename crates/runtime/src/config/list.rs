//! Lists of CPUs and memory nodes.

use super::Error;
use crate::number_list::Numbers;

/// Checks a list; an empty one is no list of anything.
pub(super) fn check(field: &str, list: &str) -> Result<Numbers, Error> {
    Numbers::parse(list).map_err(|reason| Error::invalid(field, reason))
}
