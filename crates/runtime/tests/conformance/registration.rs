//! The list of a module's tests, by the names of their functions.

/// `tests!(module: first, second)` defines the module's `TESTS`.
macro_rules! tests {
    ($module:ident: $($name:ident),+ $(,)?) => {
        pub(crate) const TESTS: &[$crate::harness::Test] = &[
            $((concat!(stringify!($module), "::", stringify!($name)), $name)),+
        ];
    };
}
