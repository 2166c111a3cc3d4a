//! The runtime's command line as an executable of its own, for the tests: what
//! is shipped has it as a part of the one executable.

use std::process::ExitCode;

fn main() -> ExitCode {
    tare_runtime::command::main(std::env::args_os().skip(1))
}
