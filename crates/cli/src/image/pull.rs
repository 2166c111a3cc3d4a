//! `tare pull`, and the pull that `run` and `create` do.

use tare_oci::Reference;

use super::progress::Display;
use super::spinner;
use crate::client::{Client, Query, Request};
use crate::context::Context;
use crate::credentials;
use crate::each::print;
use crate::failure::Failure;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare image pull", "tare pull"],
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    summary: "Fetch an image from a registry",
    flags: &[&[
        Flag::switch("all-tags", "Download every tag of the repository").short('a'),
        Flag::switch("disable-content-trust", ""),
        Flag::single(
            "platform",
            "os/architecture",
            "Download the image for this platform",
        ),
        Flag::switch("quiet", "Show the image's name only").short('q'),
    ]],
    arity: Arity::Exactly(1),
    interspersed: true,
    run,
};

/// Where the progress of a pull is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nowhere.
    Quiet,
    /// On standard output, as `pull` does.
    Stdout,
    /// On standard error, where it does not mix with the container's output.
    Stderr,
}

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let reference = Reference::parse_normalized(&matches.arguments[0])
        .map_err(|error| Failure::new(error.to_string()))?;
    let all = matches.switch("all-tags");
    if all && !reference.is_name_only() {
        return Err(Failure::new("tag can't be used with --all-tags/-a"));
    }
    if all {
        return Err(Failure::new(
            "--all-tags is not supported by this engine yet: pull the tags one by one",
        ));
    }
    let quiet = matches.switch("quiet");
    if reference.is_name_only() && !quiet {
        print(&format!(
            "Using default tag: {}\n",
            tare_oci::reference::DEFAULT_TAG
        ))?;
    }
    let reference = reference.with_default_tag();
    let platform = matches
        .text("platform")
        .or(context.default_platform.as_deref());
    let progress = if quiet {
        Progress::Quiet
    } else {
        Progress::Stdout
    };
    pull(context, context.client()?, &reference, platform, progress)?;
    print(&format!("{reference}\n"))?;
    Ok(0)
}

/// Pulls an image and shows how it goes.
///
/// # Errors
/// What the engine or the registry says.
pub(crate) fn pull(
    context: &Context,
    client: &Client,
    reference: &Reference,
    platform: Option<&str>,
    progress: Progress,
) -> Result<(), Failure> {
    let tag = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Some(digest.to_string()),
        (None, tag) => tag.map(str::to_owned),
    };
    let path = Query::default()
        .set("fromImage", &reference.name())
        .set_some("tag", tag.as_deref())
        .set_some("platform", platform)
        .on("/images/create");
    let mut request = Request::post(path);
    if let Some(header) = credentials::header_for(&context.configuration(), reference)? {
        request = request.header("X-Registry-Auth", header);
    }
    let asking = format!("Asking {}", reference.domain());
    let response = spinner::during(progress, &asking, || client.send(&request))?;
    Display::new(progress).show(response)
}
