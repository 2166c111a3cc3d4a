//! `tare start`.

use tare_engine_api::ContainerInspectResponse;

use super::run;
use super::session::{self, Signals, Streams, Target};
use crate::client::{Client, Request, percent_encoded};
use crate::context::Context;
use crate::each::print;
use crate::each::tell;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};
use crate::stream::Session;
use crate::terminal::{self, RawMode};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container start", "tare start"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    summary: "Start containers that are not running",
    flags: &[&[
        Flag::switch("attach", "Show its output and forward signals").short('a'),
        Flag::single(
            "detach-keys",
            "keys",
            "Keys that detach from the container (default ctrl-p,ctrl-q)",
        ),
        Flag::switch("interactive", "Forward standard input").short('i'),
    ]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run: start,
};

fn start(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let client = context.client()?;
    if !matches.switch("attach") && !matches.switch("interactive") {
        return start_all(client, &matches.arguments);
    }
    match matches.arguments.as_slice() {
        [container] => start_attached(context, matches, client, container),
        _ => Err(Failure::new(
            "you cannot start and attach multiple containers at once",
        )),
    }
}

fn start_all(client: &Client, containers: &[String]) -> Result<u8, Failure> {
    let mut failed = Vec::new();
    for container in containers {
        match run::start(client, container, None) {
            Ok(()) => print(&format!("{container}\n"))?,
            Err(failure) => {
                tell(&failure.message.unwrap_or_default());
                failed.push(container.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(0);
    }
    Err(Failure::new(format!(
        "Error: failed to start containers: {}",
        failed.join(", ")
    )))
}

/// The container as the engine describes it.
pub(super) fn inspect(
    client: &Client,
    container: &str,
) -> Result<ContainerInspectResponse, Failure> {
    Ok(client.json(&Request::get(format!(
        "/containers/{}/json",
        percent_encoded(container)
    )))?)
}

fn start_attached(
    context: &Context,
    matches: &Matches<'_>,
    client: &Client,
    name: &str,
) -> Result<u8, Failure> {
    let container = inspect(client, name)?;
    let tty = container.config.tty;
    let (keys_text, keys) =
        session::detach_keys(matches.text("detach-keys"), &context.configuration(), tty)?;
    let stdin = matches.switch("interactive") && container.config.open_stdin;
    if stdin && tty && !terminal::stdin_is_terminal() {
        return Err(Failure::new("the input device is not a TTY"));
    }
    let streams = Streams {
        stdin,
        stdout: true,
        stderr: true,
    };
    let on_terminal = tty && terminal::stdout_is_terminal();
    let id = container.id.as_str();
    let mut signals = Signals::catch(
        client,
        Target::Container(id),
        !tty,
        on_terminal,
        context.debug,
    )?;
    let condition = if container.host_config.auto_remove {
        "removed"
    } else {
        "next-exit"
    };
    let (connection, wait) =
        session::attach_and_wait(client, id, streams, &keys_text, Some(condition))?;
    let raw_mode = if tty && stdin {
        Some(RawMode::enter()?)
    } else {
        None
    };
    if let Err(failure) = run::start(client, id, Some(&keys_text)) {
        drop(raw_mode);
        return Err(failure);
    }
    if on_terminal {
        session::resize(client, Target::Container(id))?;
    }
    let end = Session::new(connection, tty, stdin.then_some(keys))
        .run(&mut signals)
        .map_err(session::stream_failure);
    drop(raw_mode);
    match session::ended_early(&end?) {
        Some(code) => Ok(code),
        None => session::finish_wait(wait, &mut signals),
    }
}
