//! The runtime's command line, which whatever drives `runc` can drive: the same
//! commands, flags, output and exit codes.
//!
//! A command is one file here. Each is a process of its own that ends when its
//! work is done; what containers are there is in [`crate::state`].

mod checkpoint;
mod console;
mod create;
mod criu;
mod delete;
mod error;
mod events;
mod exec;
mod features;
mod flags;
mod foreground;
mod kill;
mod launch;
mod list;
mod log;
mod overwrite;
mod pause;
mod ps;
mod restore;
mod run;
mod spec;
mod start;
mod state;
mod update;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use error::Error;
use flags::{Flag, Verb};
use log::Log;

use crate::state::Store;
use crate::user_namespace;

/// All commands, in the order in which they are listed.
const VERBS: [&Verb; 17] = [
    &checkpoint::VERB,
    &create::VERB,
    &delete::VERB,
    &events::VERB,
    &exec::VERB,
    &features::VERB,
    &kill::VERB,
    &list::VERB,
    &pause::PAUSE,
    &ps::VERB,
    &restore::VERB,
    &pause::RESUME,
    &run::VERB,
    &spec::VERB,
    &start::VERB,
    &state::VERB,
    &update::VERB,
];

/// Flags before the command.
const GLOBAL: [Flag; 9] = [
    Flag::switch("debug", "say more in the log"),
    Flag::value(
        "log",
        "FILE",
        "write the log there instead of standard error",
    ),
    Flag::value("log-format", "text|json", "how the log is written"),
    Flag::value(
        "root",
        "DIR",
        "where the state of containers is kept; gone after a restart of the host",
    ),
    Flag::switch(
        "systemd-cgroup",
        "have systemd make control groups; cgroupsPath is then slice:prefix:name",
    ),
    Flag::value(
        "rootless",
        "true|false|auto",
        "leave out what needs privilege and was not asked for",
    ),
    Flag::value("criu", "PATH", "the criu to use"),
    Flag::switch("version", "print the version").short('v'),
    Flag::switch("help", "print this help").short('h'),
];

/// What holds for every command.
struct Globals {
    store: Store,
    log: Log,
    systemd_cgroup: bool,
    rootless: bool,
    /// The criu to use.
    criu: PathBuf,
    /// The arguments as they came, to execute the same again.
    arguments: Vec<OsString>,
}

/// Runs the command line: `[global flags] command [flags] arguments`.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut log = Log::default();
    match run(arguments, &mut log) {
        Ok(code) => code,
        Err(error) => {
            log.error(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: Vec<OsString>, log: &mut Log) -> Result<ExitCode, Error> {
    let words = flags::words(&arguments)?;
    let (global, rest) = flags::parse_before(&GLOBAL, &words)?;
    *log = Log::open(&global)?;
    if global.has("version") {
        print(&version());
        return Ok(ExitCode::SUCCESS);
    }
    let Some((name, rest)) = rest.split_first() else {
        print(&flags::overview(&GLOBAL, &VERBS));
        return Ok(ExitCode::SUCCESS);
    };
    if global.has("help") || name == "help" {
        let verb = rest.first().and_then(|name| find(name));
        print(&verb.map_or_else(|| flags::overview(&GLOBAL, &VERBS), Verb::help));
        return Ok(ExitCode::SUCCESS);
    }
    let verb = find(name).ok_or_else(|| Error::UnknownCommand(name.clone()))?;
    let parsed = verb.parse(rest)?;
    if parsed.has("help") {
        print(&verb.help());
        return Ok(ExitCode::SUCCESS);
    }
    // Root of a user namespace is somebody who is not root outside.
    let is_root = rustix::process::geteuid().is_root() && !user_namespace::is_limited();
    let globals = Globals {
        store: match global.value("root") {
            Some(root) => Store::new(PathBuf::from(root)),
            None => default_store(is_root),
        },
        log: log.clone(),
        systemd_cgroup: global.has("systemd-cgroup"),
        rootless: match global.value("rootless") {
            None | Some("auto") => !is_root,
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                return Err(Error::Usage(format!(
                    "--rootless takes true, false or auto, not {other:?}"
                )));
            }
        },
        criu: PathBuf::from(global.value("criu").unwrap_or("criu")),
        arguments,
    };
    (verb.run)(&globals, &parsed)
}

fn find(name: &str) -> Option<&'static Verb> {
    VERBS.into_iter().find(|verb| verb.name == name)
}

/// State is for as long as the host runs: below /run, or what stands for it for
/// somebody who is not root. There others may have been first. Root of a user
/// namespace may be either, a user who looks like root or the root of a
/// container with a /run of its own; the rules are runc's.
fn default_store(is_root: bool) -> Store {
    let is_root_inside = !is_root && rustix::process::geteuid().is_root();
    let user = std::env::var_os("USER");
    let is_called_root = user.is_some_and(|user| user == "root");
    let own = std::env::var_os("XDG_RUNTIME_DIR")
        .filter(|directory| !(directory.is_empty() || is_root_inside && is_called_root));
    let has_run = || rustix::fs::access("/run", rustix::fs::Access::WRITE_OK).is_ok();
    match own {
        _ if is_root => Store::new(PathBuf::from("/run/tare-runtime")),
        Some(directory) => Store::private(PathBuf::from(directory).join("tare-runtime")),
        None if is_root_inside && has_run() => Store::new(PathBuf::from("/run/tare-runtime")),
        None => Store::private(std::env::temp_dir().join(format!(
            "tare-runtime-{}",
            rustix::process::geteuid().as_raw()
        ))),
    }
}

fn version() -> String {
    format!(
        "tare-runtime version {}\nspec: {}\n",
        env!("CARGO_PKG_VERSION"),
        tare_oci::runtime::VERSION
    )
}

/// Prints to standard output. Nobody may be there to read it.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}
