//! A bundle's config.json: read, checked, warned about.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tare_runtime::fuzzing::config(bytes));
