//! The container's user files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tare_runtime::fuzzing::passwd(bytes));
