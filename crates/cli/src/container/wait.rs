//! `tare wait`.

use tare_engine_api::ContainerWaitResponse;

use crate::client::{Request, percent_encoded};
use crate::context::Context;
use crate::each::print;
use crate::each::tell;
use crate::failure::{Failure, GENERAL};
use crate::grammar::{Arity, Command, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container wait", "tare wait"],
    usage: "CONTAINER [CONTAINER...]",
    summary: "Wait until containers have ended and print their exit codes",
    flags: &[],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let client = context.client()?;
    let mut failed = false;
    for name in &matches.arguments {
        let request = Request::post(format!("/containers/{}/wait", percent_encoded(name)));
        match client.json::<ContainerWaitResponse>(&request) {
            Ok(ContainerWaitResponse {
                error: Some(error), ..
            }) if !error.message.is_empty() => {
                failed = true;
                tell(&error.message);
            }
            Ok(answer) => print(&format!("{}\n", answer.status_code))?,
            Err(error) => {
                failed = true;
                tell(&error);
            }
        }
    }
    if failed {
        Err(Failure::silent(GENERAL))
    } else {
        Ok(0)
    }
}
