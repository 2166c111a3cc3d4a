//! `tare load`.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use super::progress::Display;
use super::pull::Progress;
use crate::client::{Query, Request};
use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare image load", "tare load"],
    usage: "[OPTIONS]",
    summary: "Load images from an archive",
    flags: &[&[
        Flag::single(
            "input",
            "path",
            "Read this archive instead of standard input",
        )
        .short('i'),
        Flag::single(
            "platform",
            "os/architecture",
            "Load the image for this platform only",
        ),
        Flag::switch("quiet", "Do not show the progress").short('q'),
    ]],
    arity: Arity::None,
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let archive: Box<dyn Read> = match matches.text("input").filter(|path| !path.is_empty()) {
        Some(path) => {
            let file = File::open(path)
                .map_err(|error| Failure::new(format!("cannot open {path}: {error}")))?;
            if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
                return Err(Failure::new(format!(
                    "cannot load {path}: it is a directory, not an archive"
                )));
            }
            Box::new(file)
        }
        None if io::stdin().is_terminal() => {
            return Err(Failure::new(
                "requested load from stdin, but stdin is empty",
            ));
        }
        None => Box::new(io::stdin()),
    };
    // A container's platform travels as JSON here, unlike everywhere else.
    let platform = matches.text("platform").map(platform_json).transpose()?;
    let quiet = matches.switch("quiet") || !io::stdout().is_terminal();
    let path = Query::default()
        .set("quiet", if quiet { "1" } else { "0" })
        .set_some("platform", platform.as_deref())
        .on("/images/load");
    let response = context
        .client()?
        .send(&Request::post(path).stream(archive))?;
    // What was loaded is said in any case.
    Display::new(Progress::Stdout).show(response)?;
    Ok(0)
}

fn platform_json(text: &str) -> Result<String, Failure> {
    let platform = text
        .parse::<tare_oci::Platform>()
        .map_err(|error| Failure::new(format!("invalid platform: {error}")))?;
    let mut fields =
        serde_json::json!({ "os": platform.os, "architecture": platform.architecture });
    if let Some(variant) = &platform.variant {
        fields["variant"] = variant.as_str().into();
    }
    Ok(fields.to_string())
}
