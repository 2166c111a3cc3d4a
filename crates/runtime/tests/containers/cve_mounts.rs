//! Attacks on the mount tree, each named after the hole that it would go
//! through. Where the hole is a race, another process exchanges what the
//! runtime looks at for a number of rounds.

use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[];
