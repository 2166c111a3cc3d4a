//! `tare inspect`, for containers, images and networks, and the same for
//! each of them alone. What the engine sent is shown as it was sent.

use std::io::Write;

use crate::client::{ClientError, Request, percent_encoded};
use crate::context::Context;
use crate::failure::{Failure, GENERAL};
use crate::format::json::{at, compact, indented};
use crate::format::template::{Template, from_json};
use crate::grammar::{Arity, Command, Flag, Matches};

/// What can be inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
}

impl Kind {
    fn path(self, name: &str) -> String {
        let name = percent_encoded(name);
        match self {
            Self::Container => format!("/containers/{name}/json"),
            Self::Image => format!("/images/{name}/json"),
            Self::Network => format!("/networks/{name}"),
        }
    }

    /// What an error calls it.
    fn noun(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Network => "network",
        }
    }
}

/// `--format` of one object.
pub(crate) const FORMAT: Flag = Flag::single(
    "format",
    "format",
    "Show as \"json\" on one line, or by a Go template",
)
.short('f');

const SIZE: Flag = Flag::switch("size", "Show how much disk a container uses").short('s');

/// `tare inspect`.
pub(crate) const COMMAND: Command = Command {
    aliases: &[],
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    summary: "Show everything about containers, images or networks",
    flags: &[&[
        FORMAT,
        SIZE,
        Flag::single(
            "type",
            "kind",
            "Look for this kind only: container, image or network",
        ),
    ]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run,
};

/// `tare container inspect`.
pub(crate) const CONTAINER: Command = Command {
    aliases: &[],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    summary: "Show everything about one or more containers",
    flags: &[&[FORMAT, SIZE]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run: |context, matches| show(context, matches, &[Kind::Container], size_query(matches)),
};

/// `tare image inspect`.
pub(crate) const IMAGE: Command = Command {
    aliases: &[],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    summary: "Show everything about one or more images",
    flags: &[&[FORMAT]],
    arity: Arity::AtLeast(1),
    interspersed: true,
    run: |context, matches| show(context, matches, &[Kind::Image], ""),
};

fn size_query(matches: &Matches<'_>) -> &'static str {
    if matches.switch("size") {
        "?size=true"
    } else {
        ""
    }
}

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let kinds: &[Kind] = match matches.text("type").unwrap_or_default() {
        "" => &[Kind::Container, Kind::Image, Kind::Network],
        "container" => &[Kind::Container],
        "image" => &[Kind::Image],
        "network" => &[Kind::Network],
        known @ ("config" | "node" | "plugin" | "secret" | "service" | "task" | "volume") => {
            return Err(Failure::new(format!(
                "inspecting a {known} is not supported yet"
            )));
        }
        other => {
            return Err(Failure::new(format!(
                "unknown type: {other:?}: must be one of \"container\", \"image\", \"network\""
            )));
        }
    };
    show(context, matches, kinds, size_query(matches))
}

/// Shows each name in the order given; every one that is missing is told.
pub(crate) fn show(
    context: &Context,
    matches: &Matches<'_>,
    kinds: &[Kind],
    query: &str,
) -> Result<u8, Failure> {
    let format = matches.text("format").filter(|format| !format.is_empty());
    let template = match format {
        None | Some("json") => None,
        Some(format) => Some(Template::parse(format)?),
    };
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for name in &matches.arguments {
        match find(context, kinds, name, query) {
            Ok(json) => found.push(json),
            Err(failure) => errors.push(failure.message.unwrap_or_default()),
        }
    }
    let mut shown = String::new();
    match (&template, format) {
        (Some(template), _) => {
            for json in &found {
                match line(template, json) {
                    Ok(text) => shown.push_str(&(text + "\n")),
                    Err(failure) => errors.push(failure.message.unwrap_or_default()),
                }
            }
        }
        (None, Some(_)) => shown.extend(found.iter().map(|json| compact(json) + "\n")),
        (None, None) if found.is_empty() => shown.push_str("[]\n"),
        (None, None) => {
            shown.push_str("[\n    ");
            shown.push_str(
                &found
                    .iter()
                    .map(|json| indented(json, "    "))
                    .collect::<Vec<_>>()
                    .join(",\n    "),
            );
            shown.push_str("\n]\n");
        }
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(shown.as_bytes())?;
    stdout.flush()?;
    if errors.is_empty() {
        return Ok(0);
    }
    Err(Failure::new(errors.join("\n")).with_code(GENERAL))
}

fn line(template: &Template, json: &str) -> Result<String, Failure> {
    // A value picked out and nothing else keeps its keys in order.
    if let Some(path) = template.json_path()
        && let Some(value) = at(json, &path)
    {
        return Ok(compact(value));
    }
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| {
        Failure::new(format!("the engine's answer cannot be understood: {error}"))
    })?;
    Ok(template.execute(&from_json(&value))?)
}

fn find(context: &Context, kinds: &[Kind], name: &str, query: &str) -> Result<String, Failure> {
    let client = context.client()?;
    for kind in kinds {
        let query = if *kind == Kind::Image { "" } else { query };
        match client.bytes(&Request::get(kind.path(name) + query)) {
            Ok(bytes) => {
                return String::from_utf8(bytes)
                    .map(|json| json.trim().to_owned())
                    .map_err(|_| Failure::new("the engine's answer is not text"));
            }
            Err(ClientError::Refused { status: 404, .. }) => {}
            // Not a valid name for this kind is not there for this kind.
            Err(ClientError::Refused { status: 400, .. }) if kinds.len() > 1 => {}
            Err(error) => return Err(error.into()),
        }
    }
    let noun = if let [kind] = kinds {
        kind.noun()
    } else {
        "object"
    };
    Err(Failure::new(format!("Error: No such {noun}: {name}")))
}
