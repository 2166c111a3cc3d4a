//! `tare network ls`.

use tare_engine_api::Network;

use crate::client::{Query, Request};
use crate::container::list::{FILTER, FORMAT, filters, filters_parameter};
use crate::context::Context;
use crate::each::print;
use crate::failure::Failure;
use crate::format::rows::{Layout, Row};
use crate::format::units::{go_timestamp, short_id};
use crate::grammar::{Arity, Command, Flag, Matches};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare network ls", "tare network list"],
    usage: "[OPTIONS]",
    summary: "List networks",
    flags: &[&[
        FILTER,
        FORMAT,
        Flag::switch("no-trunc", "Do not shorten what is shown"),
        Flag::switch("quiet", "Show IDs only").short('q'),
    ]],
    arity: Arity::None,
    interspersed: true,
    run,
};

const HEADINGS: &[(&str, &str)] = &[
    ("ID", "NETWORK ID"),
    ("Name", "NAME"),
    ("Driver", "DRIVER"),
    ("Scope", "SCOPE"),
    ("IPv4", "IPV4"),
    ("IPv6", "IPV6"),
    ("Internal", "INTERNAL"),
    ("Labels", "LABELS"),
    ("CreatedAt", "CREATED AT"),
];

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let quiet = matches.switch("quiet");
    let configured = if quiet || matches.changed("format") {
        None
    } else {
        context.configuration().networks_format
    };
    let format = matches.text("format").map(str::to_owned).or(configured);
    let path = Query::default()
        .set_some("filters", filters_parameter(&filters(matches)).as_deref())
        .on("/networks");
    let mut networks: Vec<Network> = context.client()?.json(&Request::get(path))?;
    networks.sort_by(|left, right| left.name.cmp(&right.name));
    let full = matches.switch("no-trunc");
    let rows: Vec<Row> = networks.iter().map(|network| row(network, full)).collect();
    let layout = Layout {
        format: format.as_deref().filter(|format| !format.is_empty()),
        quiet: quiet.then_some("ID"),
        columns: &["ID", "Name", "Driver", "Scope"],
        headings: HEADINGS,
    };
    print(&layout.show(&rows)?)?;
    Ok(0)
}

fn row(network: &Network, full: bool) -> Row {
    let labels: std::collections::BTreeMap<String, String> = network.labels.clone();
    let mut row = Row {
        labels,
        ..Row::default()
    };
    row.set(
        "ID",
        if full {
            network.id.as_str()
        } else {
            short_id(&network.id)
        },
    );
    row.set("Name", network.name.as_str());
    row.set("Driver", network.driver.as_str());
    row.set("Scope", network.scope.as_str());
    row.set("IPv4", network.enable_ipv4.to_string());
    row.set("IPv6", network.enable_ipv6.to_string());
    row.set("Internal", network.internal.to_string());
    row.set("CreatedAt", go_timestamp(&network.created));
    let labels = row
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(",");
    row.set("Labels", labels);
    row
}
