//! `tare exec`.

use tare_engine_api::{ExecConfig, ExecInspectResponse, ExecStartConfig, IdResponse};

use super::options::{OptionError, Surroundings, checks, environment};
use super::session::{self, Signals, Target};
use crate::client::{Request, percent_encoded};
use crate::context::Context;
use crate::each::tell;
use crate::failure::{ENGINE, Failure};
use crate::grammar::{Arity, Command, Flag, Matches};
use crate::stream::Session;
use crate::terminal::{self, RawMode};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container exec", "tare exec"],
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    summary: "Run another command in a running container",
    flags: &[&[
        Flag::switch("detach", "Run the command in the background").short('d'),
        Flag::single(
            "detach-keys",
            "keys",
            "Keys that detach from the command (default ctrl-p,ctrl-q)",
        ),
        Flag::list("env", "name=value", "Set an environment variable")
            .short('e')
            .checked(checks::variable),
        Flag::list("env-file", "path", "Read environment variables from a file"),
        Flag::switch("interactive", "Keep standard input open").short('i'),
        Flag::switch("privileged", "Give the command every privilege of the host"),
        Flag::switch("tty", "Give the command a terminal").short('t'),
        Flag::single(
            "user",
            "user[:group]",
            "Run as this user, by name or number",
        )
        .short('u'),
        Flag::single("workdir", "path", "Work in this directory of the container").short('w'),
    ]],
    arity: Arity::AtLeast(2),
    interspersed: false,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let detach = matches.switch("detach");
    let tty = matches.switch("tty");
    let stdin = matches.switch("interactive") && !detach;
    if stdin && tty && !terminal::stdin_is_terminal() {
        return Err(Failure::new("the input device is not a TTY"));
    }
    let surroundings = Surroundings {
        variable: &|name| std::env::var(name).ok(),
        directory: std::env::current_dir().ok(),
    };
    let env = environment::variables(
        &matches.list("env-file"),
        &matches.list("env"),
        &surroundings,
    )
    .map_err(|OptionError(message)| Failure::new(message))?;
    let (keys_text, keys) =
        session::detach_keys(matches.text("detach-keys"), &context.configuration(), tty)?;
    let console_size = if tty {
        terminal::size().map(|(rows, columns)| [rows.into(), columns.into()])
    } else {
        None
    };
    let config = ExecConfig {
        user: matches.text_or_empty("user"),
        privileged: matches.switch("privileged"),
        tty,
        console_size,
        attach_stdin: stdin,
        attach_stdout: !detach,
        attach_stderr: !detach,
        detach_keys: keys_text,
        env,
        working_dir: matches.text_or_empty("workdir"),
        cmd: matches.arguments[1..].to_vec(),
        detach,
    };
    let client = context.client()?;
    let path = format!(
        "/containers/{}/exec",
        percent_encoded(&matches.arguments[0])
    );
    let exec: IdResponse = client.json(&Request::post(path).json(&config)?)?;
    if exec.id.is_empty() {
        return Err(Failure::new("the engine made an exec without an ID").with_code(ENGINE));
    }
    let start = ExecStartConfig {
        detach,
        tty,
        console_size,
    };
    let start = Request::post(format!("/exec/{}/start", percent_encoded(&exec.id))).json(&start)?;
    if detach {
        client.bytes(&start)?;
        return Ok(0);
    }
    let on_terminal = tty && terminal::stdout_is_terminal();
    let mut signals = Signals::catch(
        client,
        Target::Exec(&exec.id),
        false,
        on_terminal,
        context.debug,
    )?;
    let connection = client.send(&start.upgrade())?.into_connection()?;
    let raw_mode = if tty && stdin {
        Some(RawMode::enter()?)
    } else {
        None
    };
    if on_terminal
        && let Err(error) = session::resize(client, Target::Exec(&exec.id))
        && context.debug
    {
        tell(&format!("tare: {error}"));
    }
    let end = Session::new(connection, tty, stdin.then_some(keys))
        .run(&mut signals)
        .map_err(session::stream_failure);
    drop(raw_mode);
    if let Some(code) = session::ended_early(&end?) {
        return Ok(code);
    }
    let state: ExecInspectResponse = client.json(&Request::get(format!(
        "/exec/{}/json",
        percent_encoded(&exec.id)
    )))?;
    Ok(session::exit_code(state.exit_code.unwrap_or_default()))
}
