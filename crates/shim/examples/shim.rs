//! The shim as an executable of its own; the tests use it in place of the
//! engine's executable, of which it is a part.

use std::process::ExitCode;

fn main() -> ExitCode {
    tare_shim::main(std::env::args_os().skip(1))
}
