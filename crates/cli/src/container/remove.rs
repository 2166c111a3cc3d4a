//! `tare rm`.

use crate::client::{Query, Request, percent_encoded};
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container rm", "tare container remove", "tare rm"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    summary: "Remove containers",
    flags: &[&[
        Flag::switch("force", "Kill a running container and remove it").short('f'),
        Flag::switch("link", "Remove the link of this name, not a container").short('l'),
        Flag::switch(
            "volumes",
            "Remove the container's anonymous volumes as well",
        )
        .short('v'),
    ]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let [force, link, volumes] = ["force", "link", "volumes"].map(|flag| matches.switch(flag));
    each(
        context.client()?,
        &matches.arguments,
        |client, name| {
            let path = Query::default()
                .set_if("force", force)
                .set_if("link", link)
                .set_if("v", volumes)
                .on(format_args!(
                    "/containers/{}",
                    percent_encoded(name.trim_matches('/'))
                ));
            client
                .bytes(&Request::delete(path))
                .map(|_| format!("{name}\n"))
        },
        // What is not there is removed already.
        |error| force && error.status() == Some(404),
    )
}
