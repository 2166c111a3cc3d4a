//! System calls that the standard library and rustix lack; the only crate with unsafe code.
