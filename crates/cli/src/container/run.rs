//! `tare run`: create, attach, wait and start, in this order, so that no
//! output and no exit is missed.

use super::create::Plan;
use super::flags;
use super::session::{self, Signals, Streams, Target};
use crate::client::{Client, Query, Request, percent_encoded};
use crate::context::Context;
use crate::each::print;
use crate::each::tell;
use crate::failure::{ENGINE, Failure, NOT_EXECUTABLE, NOT_FOUND};
use crate::grammar::{Arity, Command, Matches};
use crate::stream::Session;
use crate::terminal::{self, RawMode};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container run", "tare run"],
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    summary: "Create a container from an image and run it",
    flags: &[flags::CONTAINER, flags::RUN],
    arity: Arity::AtLeast(1),
    interspersed: false,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let mut plan = Plan::new(context, matches)?;
    let detach = matches.switch("detach");
    let config = &mut plan.request.config;
    if detach {
        if matches.changed("attach") {
            return Err(Failure::new("tare: conflicting options: cannot specify both --attach and --detach\n\nRun 'tare run --help' for more information").with_code(ENGINE));
        }
        config.attach_stdin = false;
        config.attach_stdout = false;
        config.attach_stderr = false;
        config.stdin_once = false;
    } else if config.attach_stdin && config.tty && !terminal::stdin_is_terminal() {
        return Err(Failure::new("the input device is not a TTY"));
    }
    if config.tty
        && let Some((rows, columns)) = terminal::size()
    {
        plan.request.host_config.console_size = [rows.into(), columns.into()];
    }
    let client = context.client().map_err(engine_failure)?;
    let id = plan.create(context, client).map_err(engine_failure)?;
    if detach {
        start(client, &id, None).map_err(engine_failure)?;
        print(&format!("{id}\n"))?;
        return Ok(0);
    }
    run_attached(context, matches, client, &plan, &id)
}

fn run_attached(
    context: &Context,
    matches: &Matches<'_>,
    client: &Client,
    plan: &Plan,
    id: &str,
) -> Result<u8, Failure> {
    let config = &plan.request.config;
    let streams = Streams {
        stdin: config.attach_stdin,
        stdout: config.attach_stdout,
        stderr: config.attach_stderr,
    };
    let configuration = context.configuration();
    let (keys_text, keys) =
        session::detach_keys(matches.text("detach-keys"), &configuration, config.tty)
            .map_err(engine_failure)?;
    let on_terminal = config.tty && terminal::stdout_is_terminal();
    let mut signals = Signals::catch(
        client,
        Target::Container(id),
        matches.switch_default_on("sig-proxy"),
        on_terminal,
        context.debug,
    )?;

    let condition = if plan.request.host_config.auto_remove {
        "removed"
    } else {
        "next-exit"
    };
    let (connection, wait) =
        session::attach_and_wait(client, id, streams, &keys_text, Some(condition))
            .map_err(|error| engine_failure(error.into()))?;
    let raw_mode = if config.tty && streams.stdin {
        Some(RawMode::enter()?)
    } else {
        None
    };
    if let Err(failure) = start(client, id, Some(&keys_text)) {
        drop(raw_mode);
        if plan.request.host_config.auto_remove && failure.message.is_some() {
            // The engine removes it; whoever runs the same name next must
            // not meet it.
            drop(session::finish_wait(wait, &mut signals));
        }
        return Err(engine_failure(failure));
    }
    if on_terminal
        && let Err(error) = session::resize(client, Target::Container(id))
        && context.debug
    {
        tell(&format!("tare: {error}"));
    }
    let mut session = Session::new(connection, config.tty, streams.stdin.then_some(keys));
    let end = session.run(&mut signals).map_err(session::stream_failure);
    drop(raw_mode);
    if let Some(code) = session::ended_early(&end?) {
        return Ok(code);
    }
    session::finish_wait(wait, &mut signals)
}

/// Starts a created container.
pub(super) fn start(client: &Client, id: &str, detach_keys: Option<&str>) -> Result<(), Failure> {
    let path = Query::default()
        .set_some("detachKeys", detach_keys)
        .on(format_args!("/containers/{}/start", percent_encoded(id)));
    client.bytes(&Request::post(path))?;
    Ok(())
}

/// An error of the engine with the exit code that Docker's users know.
pub(super) fn engine_failure(failure: Failure) -> Failure {
    let Some(message) = failure.message else {
        return failure;
    };
    let lower = message.to_lowercase();
    let contains = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    let code = if contains(&[
        "executable file not found",
        "no such file or directory",
        "system cannot find the file specified",
    ]) {
        NOT_FOUND
    } else if contains(&["permission denied", "is a directory"]) {
        NOT_EXECUTABLE
    } else {
        ENGINE
    };
    let prefixed = if message.starts_with("tare:") {
        message
    } else {
        format!("tare: {message}")
    };
    Failure {
        message: Some(prefixed),
        code,
    }
}
