//! `tare version`.

use std::fmt::Write;

use serde_json::json;
use tare_engine_api::SystemVersion;

use crate::client::Request;
use crate::context::Context;
use crate::each::print;
use crate::failure::Failure;
use crate::format::table::aligned;
use crate::format::template::{Template, from_json};
use crate::grammar::{Arity, Command, Matches};
use crate::inspect::FORMAT;

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &[],
    usage: "[OPTIONS]",
    summary: "Show the versions of the client and the engine",
    flags: &[&[FORMAT]],
    arity: Arity::None,
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let answer = context
        .client()
        .and_then(|client| Ok(client.json::<SystemVersion>(&Request::get("/version"))?));
    let (server, failure) = match answer {
        Ok(server) => (Some(server), None),
        Err(error) => (None, Some(error)),
    };
    let format = matches.text("format").filter(|format| !format.is_empty());
    match format {
        None => print(&text(&context.api_version(), server.as_ref()))?,
        Some("json") => print(&format!(
            "{}\n",
            value(&context.api_version(), server.as_ref())
        ))?,
        Some(format) => {
            let template = Template::parse(format)?;
            // Without an engine its part of a template has nothing to say.
            if let (Some(_), true) = (&failure, format.contains(".Server")) {
                return failure.map_or(Ok(0), Err);
            }
            let text =
                template.execute(&from_json(&value(&context.api_version(), server.as_ref())))?;
            print(&(text + "\n"))?;
        }
    }
    failure.map_or(Ok(0), Err)
}

fn value(api_version: &str, server: Option<&SystemVersion>) -> serde_json::Value {
    json!({
        "Client": {
            "Version": env!("CARGO_PKG_VERSION"),
            "ApiVersion": api_version,
            "DefaultAPIVersion": tare_engine_api::API_VERSION,
            "Os": std::env::consts::OS,
            "Arch": architecture(),
            "Context": "default",
        },
        "Server": server,
    })
}

/// As Go names it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn text(api_version: &str, server: Option<&SystemVersion>) -> String {
    let negotiated = if api_version == tare_engine_api::API_VERSION {
        api_version.to_owned()
    } else {
        format!(
            "{api_version} (downgraded from {})",
            tare_engine_api::API_VERSION
        )
    };
    let mut lines = vec![
        "Client:".to_owned(),
        format!(" Version:\t{}", env!("CARGO_PKG_VERSION")),
        format!(" API version:\t{negotiated}"),
        format!(" OS/Arch:\t{}/{}", std::env::consts::OS, architecture()),
        " Context:\tdefault".to_owned(),
    ];
    let mut text = String::new();
    if let Some(server) = server {
        let name = if server.platform.name.is_empty() {
            "Server:".to_owned()
        } else {
            format!("Server: {}", server.platform.name)
        };
        lines.push(String::new());
        lines.push(name);
        lines.push(" Engine:".to_owned());
        let mut push = |label: &str, value: String| {
            if !value.is_empty() {
                lines.push(format!("  {label}:\t{value}"));
            }
        };
        push("Version", server.version.clone());
        push(
            "API version",
            format!(
                "{} (minimum version {})",
                server.api_version, server.min_api_version
            ),
        );
        push("Git commit", server.git_commit.clone());
        push("Built", server.build_time.clone());
        push("OS/Arch", format!("{}/{}", server.os, server.arch));
        push("Experimental", server.experimental.to_string());
        for component in server
            .components
            .iter()
            .filter(|component| component.name != "Engine")
        {
            lines.push(format!(" {}:", component.name));
            lines.push(format!("  Version:\t{}", component.version));
            lines.extend(
                component
                    .details
                    .get("GitCommit")
                    .map(|commit| format!("  GitCommit:\t{commit}")),
            );
        }
    }
    // The labels of each block have a column of their own width; Docker's
    // is as wide as the widest of all.
    for line in aligned_labels(&lines) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text
}

fn aligned_labels(lines: &[String]) -> Vec<String> {
    let width = lines
        .iter()
        .filter_map(|line| line.split_once('\t'))
        .map(|(label, _)| label.len())
        .max()
        .unwrap_or(0);
    lines
        .iter()
        .map(|line| match line.split_once('\t') {
            Some((label, value)) => aligned(&[format!("{label:width$}\t{value}")])
                .trim_end()
                .to_owned(),
            None => line.clone(),
        })
        .collect()
}
