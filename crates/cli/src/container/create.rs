//! `tare create`, and the creation that `run` begins with.

use std::fs::OpenOptions;
use std::io::Write;

use tare_engine_api::{ContainerCreateRequest, ContainerCreateResponse};
use tare_oci::Reference;

use super::flags;
use super::options::{OptionError, Surroundings, create_request};
use crate::client::{Client, ClientError, Query, Request};
use crate::context::Context;
use crate::each::print;
use crate::each::tell;
use crate::failure::{ENGINE, Failure};
use crate::grammar::{Arity, Command, Matches};
use crate::image::pull;

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container create", "tare create"],
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    summary: "Create a container without starting it",
    flags: &[flags::CONTAINER],
    arity: Arity::AtLeast(1),
    interspersed: false,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let plan = Plan::new(context, matches)?;
    let id = plan.create(context, context.client()?)?;
    print(&format!("{id}\n"))?;
    Ok(0)
}

/// When to pull the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PullPolicy {
    Always,
    Missing,
    Never,
}

/// A container to be created, checked as far as the client can.
pub(crate) struct Plan {
    /// The request.
    pub(crate) request: ContainerCreateRequest,
    name: Option<String>,
    platform: Option<String>,
    reference: Option<Reference>,
    pull: PullPolicy,
    quiet: bool,
}

impl Plan {
    /// Reads the flags.
    ///
    /// # Errors
    /// What the engine need not be asked about.
    pub(crate) fn new(context: &Context, matches: &Matches<'_>) -> Result<Self, Failure> {
        let verb = matches.path.rsplit(' ').next().unwrap_or_default();
        let usage = |message: String| {
            Failure::new(format!(
                "tare: {message}\n\nRun 'tare {verb} --help' for more information"
            ))
            .with_code(ENGINE)
        };
        let pull = match matches.text("pull").unwrap_or("missing") {
            "always" => PullPolicy::Always,
            "missing" | "" => PullPolicy::Missing,
            "never" => PullPolicy::Never,
            other => {
                return Err(usage(format!(
                    "invalid pull option: '{other}': must be one of \"always\", \"missing\" or \"never\""
                )));
            }
        };
        let surroundings = Surroundings {
            variable: &|name| std::env::var(name).ok(),
            directory: std::env::current_dir().ok(),
        };
        let request = create_request(matches, &surroundings)
            .map_err(|OptionError(message)| usage(message))?;
        let reference = match parse_image(&request.config.image) {
            Ok(reference) => reference,
            Err(message) => return Err(usage(message)),
        };
        Ok(Self {
            request,
            name: matches.text("name").map(str::to_owned),
            platform: matches
                .text("platform")
                .map(str::to_owned)
                .or_else(|| context.default_platform.clone()),
            reference,
            pull,
            quiet: matches.switch("quiet"),
        })
    }

    /// Creates the container, pulling its image when it has to.
    pub(crate) fn create(&self, context: &Context, client: &Client) -> Result<String, Failure> {
        let id_file = &self.request.host_config.container_id_file;
        if !id_file.is_empty() && std::fs::symlink_metadata(id_file).is_ok() {
            return Err(Failure::new(format!(
                "container ID file found, make sure the other container isn't running or delete {id_file}"
            )));
        }
        if let (PullPolicy::Always, Some(reference)) = (self.pull, &self.reference) {
            self.pull(context, client, reference)?;
        }
        let answer: ContainerCreateResponse = match (client.json(&self.request()?), &self.reference)
        {
            (Err(ClientError::Refused { status: 404, .. }), Some(reference))
                if self.pull == PullPolicy::Missing =>
            {
                if !self.quiet {
                    tell(&format!(
                        "Unable to find image '{}' locally",
                        reference.familiar()
                    ));
                }
                self.pull(context, client, reference)?;
                client.json(&self.request()?)?
            }
            (answer, _) => answer?,
        };
        for warning in &answer.warnings {
            tell(&format!("WARNING: {warning}"));
        }
        if !id_file.is_empty() {
            write_id(id_file, &answer.id).map_err(|error| {
                Failure::new(format!(
                    "failed to write the container ID file {id_file}: {error}"
                ))
            })?;
        }
        Ok(answer.id)
    }

    fn request(&self) -> Result<Request, ClientError> {
        let path = Query::default()
            .set_some("name", self.name.as_deref())
            .set_some("platform", self.platform.as_deref())
            .on("/containers/create");
        Request::post(path).json(&self.request)
    }

    fn pull(
        &self,
        context: &Context,
        client: &Client,
        reference: &Reference,
    ) -> Result<(), Failure> {
        let progress = if self.quiet {
            pull::Progress::Quiet
        } else {
            pull::Progress::Stderr
        };
        pull::pull(
            context,
            client,
            reference,
            self.platform.as_deref(),
            progress,
        )
    }
}

/// The reference to pull when the image is missing; `None` for an image ID,
/// which no registry knows.
fn parse_image(image: &str) -> Result<Option<Reference>, String> {
    if image.starts_with("sha256:")
        || (image.len() == 64 && image.bytes().all(|digit| digit.is_ascii_hexdigit()))
    {
        return Ok(None);
    }
    Reference::parse_normalized(image)
        .map(|reference| Some(reference.with_default_tag()))
        .map_err(|error| error.to_string())
}

fn write_id(path: &str, id: &str) -> std::io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?
        .write_all(id.as_bytes())
}
