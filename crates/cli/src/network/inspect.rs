//! `tare network inspect`.

use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};
use crate::inspect::{self, Kind};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &[],
    usage: "[OPTIONS] NETWORK [NETWORK...]",
    summary: "Show everything about one or more networks",
    flags: &[&[
        inspect::FORMAT,
        Flag::switch("verbose", "Show what helps to find faults").short('v'),
    ]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let query = if matches.switch("verbose") {
        "?verbose=true"
    } else {
        ""
    };
    inspect::show(context, matches, &[Kind::Network], query)
}
