//! The shim as an executable of its own, for the tests: what is shipped has it
//! as a part of the one executable.

use std::process::ExitCode;

fn main() -> ExitCode {
    tare_shim::main(std::env::args_os().skip(1))
}
