//! Mounts and their options.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tare_runtime::fuzzing::mounts(bytes));
