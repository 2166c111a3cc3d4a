//! `tare ps`.

use tare_engine_api::{ContainerSummary, Filters, Port};

use crate::client::{Query, Request};
use crate::context::Context;
use crate::each::print;
use crate::failure::Failure;
use crate::format::rows::{Layout, Row};
use crate::format::units::{ago, ellipsis, go_time, quoted, short_id, size};
use crate::grammar::values::integer;
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &[
        "tare container ls",
        "tare container list",
        "tare container ps",
        "tare ps",
    ],
    usage: "[OPTIONS]",
    summary: "List containers",
    flags: &[&[
        Flag::switch("all", "Show stopped containers as well").short('a'),
        FILTER,
        FORMAT,
        Flag::single(
            "last",
            "number",
            "Show this many of the newest containers, stopped ones as well",
        )
        .short('n')
        .checked(integer),
        Flag::switch("latest", "Show the newest container, stopped or not").short('l'),
        Flag::switch("no-trunc", "Do not shorten what is shown"),
        Flag::switch("quiet", "Show IDs only").short('q'),
        Flag::switch("size", "Show how much disk they use").short('s'),
    ]],
    arity: Arity::None,
    interspersed: true,
    run,
};

/// `--filter`, as every list has it.
pub(crate) const FILTER: Flag =
    Flag::list("filter", "name=value", "Show only what fits the filter")
        .short('f')
        .checked(filter);

/// `--format`, as every list has it.
pub(crate) const FORMAT: Flag = Flag::single(
    "format",
    "format",
    "Show as \"table\", as \"json\", or each by a Go template; \"table TEMPLATE\" makes a table of the template's columns",
);

fn filter(value: &str) -> Result<String, String> {
    match value.split_once('=') {
        Some((name, text)) => Ok(format!("{}={}", name.trim().to_lowercase(), text.trim())),
        None => Err(format!(
            "invalid argument {value:?}: bad format of filter (expected name=value)"
        )),
    }
}

/// Every `--filter` as the API wants them.
pub(crate) fn filters(matches: &Matches<'_>) -> Filters {
    let mut filters = Filters::default();
    for text in matches.list("filter") {
        let (name, value) = text.split_once('=').unwrap_or((text.as_str(), ""));
        filters.add(name, value);
    }
    filters
}

/// The parameter, when there are filters at all.
pub(crate) fn filters_parameter(filters: &Filters) -> Option<String> {
    (!filters.is_empty()).then(|| filters.encode())
}

const HEADINGS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("RunningFor", "CREATED"),
    ("Ports", "PORTS"),
    ("State", "STATE"),
    ("Status", "STATUS"),
    ("Size", "SIZE"),
    ("Names", "NAMES"),
    ("Labels", "LABELS"),
    ("Mounts", "MOUNTS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Networks", "NETWORKS"),
    ("Platform", "PLATFORM"),
];

const COLUMNS: &[&str] = &[
    "ID",
    "Image",
    "Command",
    "RunningFor",
    "Status",
    "Ports",
    "Names",
];
const COLUMNS_WITH_SIZE: &[&str] = &[
    "ID",
    "Image",
    "Command",
    "RunningFor",
    "Status",
    "Ports",
    "Names",
    "Size",
];

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let quiet = matches.switch("quiet");
    let configured = if quiet || matches.changed("format") {
        None
    } else {
        context.configuration().ps_format
    };
    let format = matches.text("format").map(str::to_owned).or(configured);
    let format = format.as_deref().filter(|format| !format.is_empty());
    let with_size = matches.switch("size");
    let last = if matches.switch("latest") {
        Some(1)
    } else {
        matches.number("last").filter(|last| *last > 0)
    };
    // A template may ask for the size without the flag.
    let ask_size = with_size
        || format.is_some_and(|format| format.contains(".Size") || format.contains("json ."));
    let filters = filters(matches);
    let path = Query::default()
        .set_if("all", matches.switch("all"))
        .set_some("limit", last.map(|last| last.to_string()).as_deref())
        .set_if("size", ask_size)
        .set_some("filters", filters_parameter(&filters).as_deref())
        .on("/containers/json");
    let containers: Vec<ContainerSummary> = context.client()?.json(&Request::get(path))?;
    let full = matches.switch("no-trunc");
    let rows: Vec<Row> = containers
        .iter()
        .map(|container| row(container, full, ask_size))
        .collect();
    let layout = Layout {
        format,
        quiet: quiet.then_some("ID"),
        columns: if with_size {
            COLUMNS_WITH_SIZE
        } else {
            COLUMNS
        },
        headings: HEADINGS,
    };
    print(&layout.show(&rows)?)?;
    Ok(0)
}

/// One container's line.
pub(super) fn row(container: &ContainerSummary, full: bool, with_size: bool) -> Row {
    let mut row = Row {
        labels: container.labels.clone(),
        ..Row::default()
    };
    row.set(
        "ID",
        if full {
            container.id.as_str()
        } else {
            short_id(&container.id)
        },
    );
    row.set("Names", names(container, full));
    row.set("Image", image(container, full));
    row.set(
        "Command",
        quoted(&if full {
            container.command.clone()
        } else {
            ellipsis(&container.command, 20)
        }),
    );
    row.set("CreatedAt", go_time(container.created));
    row.set("RunningFor", ago(container.created));
    row.set("Ports", ports(&container.ports));
    row.set("State", container.state.as_str());
    row.set("Status", container.status.as_str());
    row.set(
        "Size",
        if with_size {
            sizes(container)
        } else {
            "0B".to_owned()
        },
    );
    row.set(
        "Labels",
        container
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(","),
    );
    let mounts = container.mounts.iter().map(|mount| {
        let name = if mount.name.is_empty() {
            &mount.source
        } else {
            &mount.name
        };
        if full {
            name.clone()
        } else {
            ellipsis(name, 15)
        }
    });
    row.set("Mounts", mounts.collect::<Vec<_>>().join(","));
    row.set(
        "LocalVolumes",
        container
            .mounts
            .iter()
            .filter(|mount| mount.driver == "local")
            .count()
            .to_string(),
    );
    row.set(
        "Networks",
        container
            .network_settings
            .networks
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(","),
    );
    row
}

fn names(container: &ContainerSummary, full: bool) -> String {
    container
        .names
        .iter()
        .map(|name| name.strip_prefix('/').unwrap_or(name))
        // Links are names with a path; the table leaves them out.
        .filter(|name| full || !name.contains('/'))
        .collect::<Vec<_>>()
        .join(",")
}

fn image(container: &ContainerSummary, full: bool) -> String {
    if container.image.is_empty() {
        return "<no image>".to_owned();
    }
    if full {
        return container.image.clone();
    }
    if short_id(&container.image_id) == short_id(&container.image) {
        return short_id(&container.image_id).to_owned();
    }
    match container.image.split_once('@') {
        Some((name, _)) if !name.is_empty() => name.to_owned(),
        _ => container.image.clone(),
    }
}

fn sizes(container: &ContainerSummary) -> String {
    let written = size(container.size_rw.unwrap_or_default());
    match container.size_root_fs.unwrap_or_default() {
        0 => written,
        total => format!("{written} (virtual {})", size(total)),
    }
}

/// Ports with consecutive ones of one kind drawn together:
/// `0.0.0.0:80-82->80-82/tcp`.
pub(super) fn ports(ports: &[Port]) -> String {
    let mut ports: Vec<&Port> = ports.iter().collect();
    ports.sort_by_key(|port| (port.private_port, &port.ip, port.public_port, &port.kind));
    let mut groups: Vec<((&str, &str), i64, i64)> = Vec::new();
    let mut finished = Vec::new();
    let mut mappings = Vec::new();
    for port in ports {
        if !port.ip.is_empty() && port.public_port != port.private_port {
            mappings.push(format!(
                "{}->{}/{}",
                host_and_port(&port.ip, &port.public_port.to_string()),
                port.private_port,
                port.kind
            ));
            continue;
        }
        let key = (port.ip.as_str(), port.kind.as_str());
        match groups.iter_mut().find(|(known, _, _)| *known == key) {
            None => groups.push((key, port.private_port, port.private_port)),
            Some((_, _, last)) if port.private_port == *last + 1 => *last = port.private_port,
            Some(group) => {
                finished.push(group_text(*group));
                *group = (key, port.private_port, port.private_port);
            }
        }
    }
    finished.extend(groups.into_iter().map(group_text));
    finished.extend(mappings);
    finished.join(", ")
}

fn group_text(((address, kind), first, last): ((&str, &str), i64, i64)) -> String {
    let range = if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    };
    if address.is_empty() {
        return format!("{range}/{kind}");
    }
    format!("{}->{range}/{kind}", host_and_port(address, &range))
}

fn host_and_port(address: &str, port: &str) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

#[cfg(test)]
mod tests;
