//! The tare command line: Docker's grammar over the Engine API.
//!
//! [`main`] reads the global flags, finds the command in constant tables,
//! parses its flags and runs it. Everything is synchronous and, but for
//! requests about several names at once, in one thread; nothing is set up
//! that the command does not need, so that a start costs about a
//! millisecond.

mod autostart;
mod client;
mod commands;
mod configuration;
mod container;
mod context;
mod credentials;
mod each;
mod failure;
mod format;
mod grammar;
mod image;
mod inspect;
mod network;
mod signals;
mod stream;
mod system;
mod terminal;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use commands::{Named, Noun};
use context::{Context, Environment, Global, screen_width};
use each::print;
use failure::{ENGINE, Failure, GENERAL};
use grammar::{Arity, Command, Matches, Parsed, UsageError, command_page, nearest, noun_page};

/// Runs the client with the process's arguments, the first of which is its
/// name, and returns the process's exit code.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let outcome = words(args).and_then(|words| dispatch(&words));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            if let Some(message) = failure.message {
                // A reader that has gone cannot be told anything.
                drop(writeln!(std::io::stderr(), "{message}"));
            }
            ExitCode::from(failure.code)
        }
    }
}

/// The arguments as text; the API has no way to carry anything else.
fn words(args: Vec<OsString>) -> Result<Vec<String>, Failure> {
    args.into_iter()
        .skip(1)
        .enumerate()
        .map(|(index, word)| {
            word.into_string().map_err(|word| {
                Failure::new(format!(
                    "tare: argument {} is not valid UTF-8: {}",
                    index + 1,
                    word.to_string_lossy()
                ))
                .with_code(ENGINE)
            })
        })
        .collect()
}

fn dispatch(words: &[String]) -> Result<u8, Failure> {
    if words
        .first()
        .is_some_and(|word| word == autostart::TRAMPOLINE)
    {
        return Err(autostart::become_engine());
    }
    // Global flags stop at the first word that is none: the command.
    let front = match grammar::parse(&FRONT, "tare", words) {
        Ok(Parsed::Run(front)) => front,
        Ok(Parsed::Help) => return help(&[]),
        Err(error) => {
            return Err(Failure::new(format!(
                "tare: {error}\n\nRun 'tare --help' for more information"
            ))
            .with_code(ENGINE));
        }
    };
    if front.switch("version") {
        print(&format!("Tare version {}\n", env!("CARGO_PKG_VERSION")))?;
        return Ok(0);
    }
    let words = front.arguments.as_slice();
    match commands::find(words) {
        None => help(&[]),
        Some(Named::Command(command, used)) => run(&front, command, &words[..used], &words[used..]),
        Some(Named::Noun(noun)) => noun_help(noun),
        Some(Named::UnknownVerb(noun, verb)) => Err(unknown_verb(noun, &verb)),
        Some(Named::Unknown(word)) if word == "help" => help(&words[1..]),
        Some(Named::Unknown(word)) => Err(unknown_command(&word)),
    }
}

/// The words in front of the command, parsed as a command of their own.
const FRONT: Command = Command {
    aliases: &[],
    usage: "[OPTIONS] COMMAND",
    summary: "",
    flags: &[commands::GLOBAL],
    arity: Arity::AtLeast(0),
    interspersed: false,
    run: |_, _| Ok(0),
};

fn global(front: &Matches<'_>) -> Result<Global, Failure> {
    let hosts = front.list("host");
    if hosts.len() > 1 {
        return Err(Failure::new("tare: specify only one -H"));
    }
    for flag in ["tls", "tlsverify", "tlscacert", "tlscert", "tlskey"] {
        if front.changed(flag) && front.text(flag) != Some("false") {
            return Err(Failure::new(format!(
                "tare: --{flag}: TLS is not supported yet; use a unix socket"
            )));
        }
    }
    let debug = front.switch("debug") || front.text("log-level") == Some("debug");
    Ok(Global {
        host: hosts.into_iter().next().filter(|host| !host.is_empty()),
        context: front
            .text("context")
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        config: front.text("config").map(str::to_owned),
        debug,
    })
}

fn run(
    front: &Matches<'_>,
    command: &Command,
    named: &[String],
    rest: &[String],
) -> Result<u8, Failure> {
    let path = format!("tare {}", named.join(" "));
    let matches = match grammar::parse(command, &path, rest) {
        Ok(Parsed::Run(matches)) => matches,
        Ok(Parsed::Help) => {
            print(&command_page(command, &path, screen_width()))?;
            return Ok(0);
        }
        Err(error) => return Err(usage_failure(&error, command, &path)),
    };
    // What keeps `run` from running at all is the engine's kind of failure.
    let refused = if path.ends_with(" run") {
        ENGINE
    } else {
        GENERAL
    };
    let context = Context::new(
        global(front).map_err(|failure| failure.with_code(refused))?,
        Environment::read(),
    )
    .map_err(|error| Failure::new(format!("tare: {error}")).with_code(refused))?;
    (command.run)(&context, &matches)
}

fn usage_failure(error: &UsageError, command: &Command, path: &str) -> Failure {
    let code = match error {
        UsageError::Arguments { .. } => GENERAL,
        _ => ENGINE,
    };
    let similar = match error {
        UsageError::UnknownFlag(name) => nearest(name, command.flags().map(|flag| flag.long)),
        _ => None,
    };
    let hint = similar
        .map(|flag| format!(" (did you mean --{flag}?)"))
        .unwrap_or_default();
    let usage = command.usage;
    Failure::new(format!(
        "tare: {error}{hint}\n\nUsage:  {path} {usage}\n\nRun '{path} --help' for more information"
    ))
    .with_code(code)
}

fn help(words: &[String]) -> Result<u8, Failure> {
    let width = screen_width();
    match commands::find(words) {
        None => print(&commands::main_page(width))?,
        Some(Named::Command(command, used)) => {
            print(&command_page(
                command,
                &format!("tare {}", words[..used].join(" ")),
                width,
            ))?;
        }
        Some(Named::Noun(noun)) => return noun_help(noun),
        Some(Named::UnknownVerb(noun, verb)) => return Err(unknown_verb(noun, &verb)),
        Some(Named::Unknown(word)) => return Err(unknown_command(&word)),
    }
    Ok(0)
}

fn noun_help(noun: &Noun) -> Result<u8, Failure> {
    print(&noun_page(noun.name, noun.summary, noun.verbs))?;
    Ok(0)
}

fn unknown_command(word: &str) -> Failure {
    let suggestion = nearest(word, commands::first_words())
        .map(|known| format!("\n\nDid you mean this?\n  tare {known}"))
        .unwrap_or_default();
    Failure::new(format!(
        "tare: '{word}' is not a tare command.{suggestion}\n\nRun 'tare --help' for the list"
    ))
}

fn unknown_verb(noun: &Noun, verb: &str) -> Failure {
    let known = noun.verbs.iter().map(|(name, _)| *name);
    let suggestion = nearest(verb, known)
        .map(|known| format!("\n\nDid you mean this?\n  tare {} {known}", noun.name))
        .unwrap_or_default();
    Failure::new(format!(
        "tare: '{} {verb}' is not a tare command.{suggestion}\n\nRun 'tare {} --help' for the list",
        noun.name, noun.name
    ))
}

#[cfg(test)]
mod tests;
