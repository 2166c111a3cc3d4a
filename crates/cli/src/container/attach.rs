//! `tare attach`.

use super::session::{self, Signals, Streams, Target};
use super::start::inspect;
use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};
use crate::stream::Session;
use crate::terminal::{self, RawMode};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container attach", "tare attach"],
    usage: "[OPTIONS] CONTAINER",
    summary: "Attach standard input, output and error to a running container",
    flags: &[&[
        Flag::single(
            "detach-keys",
            "keys",
            "Keys that detach from the container (default ctrl-p,ctrl-q)",
        ),
        Flag::switch("no-stdin", "Do not forward standard input"),
        Flag::switch(
            "sig-proxy",
            "Forward signals to the container (default true)",
        ),
    ]],
    arity: Arity::Exactly(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let client = context.client()?;
    let container = inspect(client, &matches.arguments[0])?;
    let state = &container.state;
    if !state.running {
        return Err(Failure::new(
            "cannot attach to a stopped container, start it first",
        ));
    }
    if state.paused {
        return Err(Failure::new(
            "cannot attach to a paused container, unpause it first",
        ));
    }
    if state.restarting {
        return Err(Failure::new(
            "cannot attach to a restarting container, wait until it is running",
        ));
    }
    let tty = container.config.tty;
    let (keys_text, keys) =
        session::detach_keys(matches.text("detach-keys"), &context.configuration(), tty)?;
    let stdin = container.config.open_stdin && !matches.switch("no-stdin");
    if stdin && tty && !terminal::stdin_is_terminal() {
        return Err(Failure::new("the input device is not a TTY"));
    }
    let id = container.id.as_str();
    let on_terminal = tty && terminal::stdout_is_terminal();
    let forward = matches.switch_default_on("sig-proxy") && !tty;
    let mut signals = Signals::catch(
        client,
        Target::Container(id),
        forward,
        on_terminal,
        context.debug,
    )?;
    let streams = Streams {
        stdin,
        stdout: true,
        stderr: true,
    };
    let (connection, wait) = session::attach_and_wait(client, id, streams, &keys_text, None)?;
    let raw_mode = if tty && stdin {
        Some(RawMode::enter()?)
    } else {
        None
    };
    if on_terminal {
        // A program in the container redraws when its size changes.
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
