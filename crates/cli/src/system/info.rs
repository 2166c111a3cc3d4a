//! `tare info`.

use std::fmt::Write;

use serde_json::json;
use tare_engine_api::SystemInfo;

use crate::client::Request;
use crate::context::Context;
use crate::each::print;
use crate::each::tell;
use crate::failure::Failure;
use crate::format::template::{Template, from_json};
use crate::format::units::binary_size;
use crate::grammar::{Arity, Command, Matches};
use crate::inspect::FORMAT;

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare system info", "tare info"],
    usage: "[OPTIONS]",
    summary: "Show what the engine is and has",
    flags: &[&[FORMAT]],
    arity: Arity::None,
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let answer = context
        .client()
        .and_then(|client| Ok(client.json::<serde_json::Value>(&Request::get("/info"))?));
    let (json, failure) = match answer {
        Ok(json) => (Some(json), None),
        Err(error) => (None, Some(error)),
    };
    let format = matches.text("format").filter(|format| !format.is_empty());
    match format {
        None => {
            let info = json
                .map(serde_json::from_value::<SystemInfo>)
                .transpose()
                .map_err(|error| {
                    Failure::new(format!(
                        "the engine's answer to GET /info cannot be understood: {error}"
                    ))
                })?;
            print(&client_text(context.debug))?;
            if let Some(info) = &info {
                print(&server_text(info))?;
                for warning in info.warnings.iter().flatten() {
                    tell(&warning);
                }
            } else {
                print("\nServer:\n")?;
            }
        }
        Some(format) => {
            let mut all = json.unwrap_or_else(|| json!({}));
            all["ClientInfo"] = json!({
                "Debug": context.debug,
                "Version": env!("CARGO_PKG_VERSION"),
                "Os": std::env::consts::OS,
                "Context": "default",
            });
            if format == "json" {
                print(&format!("{all}\n"))?;
            } else {
                print(&(Template::parse(format)?.execute(&from_json(&all))? + "\n"))?;
            }
        }
    }
    failure.map_or(Ok(0), Err)
}

fn client_text(debug: bool) -> String {
    format!(
        "Client:\n Version:    {}\n Context:    default\n Debug Mode: {debug}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Lines as Docker has them; what the engine does not say is left out.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// ` Label: value`, unless there is no value.
    fn pair(&mut self, indent: usize, label: &str, value: &str) {
        if !value.is_empty() {
            self.plain(indent, &format!("{label}: {value}"));
        }
    }

    /// A line of its own.
    fn plain(&mut self, indent: usize, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:indent$}{text}", "");
    }

    /// A heading with a line for each item, unless there is none.
    fn block<'i>(&mut self, heading: &str, items: impl Iterator<Item = &'i str>) {
        for (index, item) in items.enumerate() {
            if index == 0 {
                self.plain(1, &format!("{heading}:"));
            }
            self.plain(2, item);
        }
    }
}

fn server_text(info: &SystemInfo) -> String {
    let mut lines = Lines {
        text: "\nServer:\n".to_owned(),
    };
    engine(info, &mut lines);
    host(info, &mut lines);
    lines.text
}

fn engine(info: &SystemInfo, lines: &mut Lines) {
    lines.pair(1, "Containers", &info.containers.to_string());
    lines.pair(2, "Running", &info.containers_running.to_string());
    lines.pair(2, "Paused", &info.containers_paused.to_string());
    lines.pair(2, "Stopped", &info.containers_stopped.to_string());
    lines.pair(1, "Images", &info.images.to_string());
    lines.pair(1, "Server Version", &info.server_version);
    lines.pair(1, "Storage Driver", &info.driver);
    for [name, value] in &info.driver_status {
        lines.pair(2, name, value);
    }
    lines.pair(1, "Logging Driver", &info.logging_driver);
    lines.pair(1, "Cgroup Driver", &info.cgroup_driver);
    lines.pair(1, "Cgroup Version", &info.cgroup_version);
    lines.plain(1, "Plugins:");
    lines.pair(2, "Volume", &info.plugins.volume.join(" "));
    lines.pair(2, "Network", &info.plugins.network.join(" "));
    lines.pair(
        2,
        "Authorization",
        &info
            .plugins
            .authorization
            .clone()
            .unwrap_or_default()
            .join(" "),
    );
    lines.pair(2, "Log", &info.plugins.log.join(" "));
    lines.pair(1, "Swarm", &info.swarm.local_node_state);
    lines.pair(
        1,
        "Runtimes",
        &info
            .runtimes
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" "),
    );
    lines.pair(1, "Default Runtime", &info.default_runtime);
    lines.pair(1, "Init Binary", &info.init_binary);
    lines.pair(1, "containerd version", &info.containerd_commit.id);
    lines.pair(1, "runc version", &info.runc_commit.id);
    lines.pair(1, "init version", &info.init_commit.id);
    if !info.security_options.is_empty() {
        lines.plain(1, "Security Options:");
    }
    for option in &info.security_options {
        // `name=seccomp,profile=builtin`: the name, then what it is set to.
        for pair in option.split(',') {
            match pair.split_once('=') {
                Some(("name", name)) => lines.plain(2, name),
                Some(("profile", profile)) => lines.pair(3, "Profile", profile),
                Some((key, value)) => lines.pair(3, key, value),
                None => lines.plain(2, pair),
            }
        }
    }
}

fn host(info: &SystemInfo, lines: &mut Lines) {
    lines.pair(1, "Kernel Version", &info.kernel_version);
    lines.pair(1, "Operating System", &info.operating_system);
    lines.pair(1, "OSType", &info.os_type);
    lines.pair(1, "Architecture", &info.architecture);
    lines.pair(1, "CPUs", &info.ncpu.to_string());
    lines.pair(1, "Total Memory", &binary_size(info.mem_total));
    lines.pair(1, "Name", &info.name);
    lines.pair(1, "ID", &info.id);
    lines.pair(1, "Docker Root Dir", &info.docker_root_dir);
    lines.pair(1, "Debug Mode", &info.debug.to_string());
    lines.pair(1, "HTTP Proxy", &info.http_proxy);
    lines.pair(1, "HTTPS Proxy", &info.https_proxy);
    lines.pair(1, "No Proxy", &info.no_proxy);
    lines.block("Labels", info.labels.iter().map(String::as_str));
    lines.pair(1, "Experimental", &info.experimental_build.to_string());
    let insecure = info
        .registry_config
        .index_configs
        .values()
        .filter(|index| !index.secure);
    let insecure = insecure.map(|index| index.name.as_str());
    let ranges = info
        .registry_config
        .insecure_registry_cidrs
        .iter()
        .map(String::as_str);
    lines.block("Insecure Registries", insecure.chain(ranges));
    lines.block(
        "Registry Mirrors",
        info.registry_config
            .mirrors
            .iter()
            .flatten()
            .map(String::as_str),
    );
    lines.pair(
        1,
        "Live Restore Enabled",
        &info.live_restore_enabled.to_string(),
    );
    lines.pair(1, "Product License", &info.product_license);
}
