//! `tare images`.

use std::collections::BTreeMap;

use tare_engine_api::ImageSummary;

use crate::client::{Query, Request};
use crate::container::list::{FILTER, FORMAT, filters, filters_parameter};
use crate::context::Context;
use crate::each::print;
use crate::failure::Failure;
use crate::format::rows::{Layout, Row};
use crate::format::units::{ago, go_time, progress_size, short_id, size};
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare image ls", "tare image list", "tare images"],
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    summary: "List images",
    flags: &[&[
        Flag::switch(
            "all",
            "Show images without a name that others are made of as well",
        )
        .short('a'),
        Flag::switch("digests", "Show digests"),
        FILTER,
        FORMAT,
        Flag::switch("no-trunc", "Do not shorten what is shown"),
        Flag::switch("quiet", "Show IDs only").short('q'),
    ]],
    arity: Arity::AtMost(1),
    interspersed: true,
    run,
};

const NONE: &str = "<none>";

const HEADINGS: &[(&str, &str)] = &[
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("VirtualSize", "SIZE"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
    ("Containers", "CONTAINERS"),
];

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let quiet = matches.switch("quiet");
    let configured = if quiet || matches.changed("format") {
        None
    } else {
        context.configuration().images_format
    };
    let format = matches.text("format").map(str::to_owned).or(configured);
    let format = format.as_deref().filter(|format| !format.is_empty());
    let mut filters = filters(matches);
    if let Some(name) = matches.arguments.first() {
        filters.add("reference", name.as_str());
    }
    let path = Query::default()
        .set_if("all", matches.switch("all"))
        .set_some("filters", filters_parameter(&filters).as_deref())
        .on("/images/json");
    let images: Vec<ImageSummary> = context.client()?.json(&Request::get(path))?;
    let digests = matches.switch("digests");
    let with_digests = digests || format.is_some_and(|format| format.contains(".Digest"));
    let full = matches.switch("no-trunc");
    let rows: Vec<Row> = images
        .iter()
        .flat_map(|image| rows(image, with_digests, full))
        .collect();
    let columns: &[&str] = if digests {
        &["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"]
    } else {
        &["Repository", "Tag", "ID", "CreatedSince", "Size"]
    };
    let layout = Layout {
        format,
        quiet: quiet.then_some("ID"),
        columns,
        headings: HEADINGS,
    };
    print(&layout.show(&rows)?)?;
    Ok(0)
}

/// A line for each name of an image.
fn rows(image: &ImageSummary, with_digests: bool, full: bool) -> Vec<Row> {
    names(image, with_digests)
        .into_iter()
        .map(|(repository, tag, digest)| {
            let mut row = Row {
                labels: image.labels.clone().unwrap_or_default(),
                ..Row::default()
            };
            row.set(
                "ID",
                if full {
                    image.id.as_str()
                } else {
                    short_id(&image.id)
                },
            );
            row.set("Repository", repository);
            row.set("Tag", tag);
            row.set("Digest", digest);
            row.set("CreatedSince", ago(image.created));
            row.set("CreatedAt", go_time(image.created));
            row.set("Size", size(image.size));
            row.set("VirtualSize", progress_size(image.size));
            let known = |number: i64| {
                if number < 0 {
                    "N/A".to_owned()
                } else {
                    size(number)
                }
            };
            row.set("SharedSize", known(image.shared_size));
            let unique = if image.shared_size < 0 {
                -1
            } else {
                image.size - image.shared_size
            };
            row.set("UniqueSize", known(unique));
            row.set(
                "Containers",
                if image.containers < 0 {
                    "N/A".to_owned()
                } else {
                    image.containers.to_string()
                },
            );
            row
        })
        .collect()
}

/// Repository, tag and digest of each line.
fn names(image: &ImageSummary, with_digests: bool) -> Vec<(String, String, String)> {
    let mut digests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in &image.repo_digests {
        if let Some((repository, digest)) = text.split_once('@')
            && repository != NONE
        {
            digests.entry(repository).or_default().push(digest);
        }
    }
    let mut tags: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in &image.repo_tags {
        // The last colon: one before it belongs to the registry's port.
        if let Some((repository, tag)) = text.rsplit_once(':')
            && repository != NONE
        {
            tags.entry(repository).or_default().push(tag);
        }
    }
    let own = |repository: &str, tag: &str, digest: &str| {
        (repository.to_owned(), tag.to_owned(), digest.to_owned())
    };
    let mut names = Vec::new();
    for (repository, tags) in &tags {
        let digests = digests
            .remove(repository)
            .filter(|_| with_digests)
            .unwrap_or_else(|| vec![NONE]);
        for tag in tags {
            names.extend(digests.iter().map(|digest| own(repository, tag, digest)));
        }
    }
    for (repository, digests) in digests {
        if with_digests {
            names.extend(digests.iter().map(|digest| own(repository, NONE, digest)));
        } else {
            names.push(own(repository, NONE, ""));
        }
    }
    if names.is_empty() {
        names.push(own(NONE, NONE, NONE));
    }
    names
}

#[cfg(test)]
mod tests;
