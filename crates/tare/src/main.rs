//! The executable: picks the part by the first argument or by `argv[0]`.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<OsString> = env::args_os().collect();
    let name = args
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .map(OsString::from)
        .unwrap_or_default();
    if name == "tared" {
        return tare_daemon::main(args);
    }
    if name == "tare-runtime" {
        return tare_runtime::command::main(args.split_off(1));
    }
    match args.get(1).and_then(|word| word.to_str()) {
        Some("daemon") => {
            args.remove(1);
            tare_daemon::main(args)
        }
        Some("runtime") => tare_runtime::command::main(args.split_off(2)),
        Some("shim") => tare_shim::main(args.split_off(2)),
        _ => tare_cli::main(args),
    }
}
