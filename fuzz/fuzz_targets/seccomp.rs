//! A system call filter: compiled.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tare_runtime::fuzzing::seccomp(bytes));
