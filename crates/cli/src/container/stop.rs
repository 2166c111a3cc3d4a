//! `tare stop`.

use crate::client::{Query, Request, percent_encoded};
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::grammar::values::integer;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container stop", "tare stop"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    summary: "Ask running containers to stop, and kill those that do not",
    flags: &[&[
        Flag::single(
            "signal",
            "signal",
            "Signal to send instead of the container's own",
        )
        .short('s'),
        Flag::alias("time", "timeout"),
        Flag::single(
            "timeout",
            "seconds",
            "Time to wait before the container is killed",
        )
        .short('t')
        .checked(integer),
    ]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let (signal, timeout) = (matches.text("signal"), matches.text("timeout"));
    each(
        context.client()?,
        &matches.arguments,
        |client, name| {
            let path = Query::default()
                .set_some("signal", signal)
                .set_some("t", timeout)
                .on(format_args!("/containers/{}/stop", percent_encoded(name)));
            client
                .bytes(&Request::post(path))
                .map(|_| format!("{name}\n"))
        },
        |_| false,
    )
}
