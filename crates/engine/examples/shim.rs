//! A shim and nothing else, for this crate's tests: they have no `tare`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tare_shim::main(std::env::args_os().skip(1))
}
