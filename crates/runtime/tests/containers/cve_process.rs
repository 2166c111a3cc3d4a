//! Attacks on processes on their way into a container, each named after the
//! hole that it would go through. Those that need the command line use it: the
//! executable is part of what is attacked.

mod bundle;
mod capabilities;
mod descriptors;
mod entering;
mod executable;
mod users;

use crate::harness::Test;

/// All tests.
pub(crate) fn tests() -> Vec<Test> {
    [
        capabilities::TESTS,
        descriptors::TESTS,
        entering::TESTS,
        executable::TESTS,
        users::TESTS,
    ]
    .concat()
}
