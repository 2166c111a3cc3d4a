//! `tare kill`.

use crate::client::{Query, Request, percent_encoded};
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container kill", "tare kill"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    summary: "Send a signal to running containers, KILL unless told otherwise",
    flags: &[&[Flag::single("signal", "signal", "Signal to send instead of KILL").short('s')]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let signal = matches.text("signal");
    each(
        context.client()?,
        &matches.arguments,
        |client, name| {
            let path = Query::default()
                .set_some("signal", signal)
                .on(format_args!("/containers/{}/kill", percent_encoded(name)));
            client
                .bytes(&Request::post(path))
                .map(|_| format!("{name}\n"))
        },
        |_| false,
    )
}
