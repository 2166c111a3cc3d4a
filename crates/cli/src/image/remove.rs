//! `tare rmi`.

use tare_engine_api::ImageDeleteResponseItem;

use crate::client::{Query, Request, percent_encoded};
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare image rm", "tare image remove", "tare rmi"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    summary: "Remove images",
    flags: &[&[
        Flag::switch(
            "force",
            "Remove the image even if it has several names or stopped containers",
        )
        .short('f'),
        Flag::switch("no-prune", "Keep parents that have no name"),
    ]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let (force, no_prune) = (matches.switch("force"), matches.switch("no-prune"));
    let client = context.client()?;
    // One after the other: two names may be of one image.
    let mut code = 0;
    for name in &matches.arguments {
        let result = each(
            client,
            std::slice::from_ref(name),
            |client, name| {
                let path = Query::default()
                    .set_if("force", force)
                    .set_if("noprune", no_prune)
                    .on(format_args!("/images/{}", percent_encoded(name)));
                let done: Vec<ImageDeleteResponseItem> = client.json(&Request::delete(path))?;
                Ok(done.iter().map(line).collect())
            },
            |error| force && error.status() == Some(404),
        );
        match result {
            Ok(_) => {}
            Err(Failure {
                message: None,
                code: failed,
            }) => code = failed,
            Err(failure) => return Err(failure),
        }
    }
    if code == 0 {
        Ok(0)
    } else {
        Err(Failure::silent(code))
    }
}

fn line(item: &ImageDeleteResponseItem) -> String {
    if item.deleted.is_empty() {
        format!("Untagged: {}\n", item.untagged)
    } else {
        format!("Deleted: {}\n", item.deleted)
    }
}
