//! Listing containers.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;
use tare_engine_api::{
    ContainerSummary, ContainerSummaryHostConfig, ContainerSummaryNetworkSettings, Filters,
};
use tare_network::Protocol;

use super::{Container, Record, Status, bindings, human};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// What a list is to contain.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Also containers that do not run.
    pub all: bool,
    /// Only the newest so many, running or not.
    pub limit: Option<i64>,
    /// With the sizes of their file systems.
    pub size: bool,
    /// Docker's filters.
    pub filters: Filters,
}

/// The filters that mean something here; others are refused by name.
const FILTERS: &[&str] = &[
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name",
    "network", "publish", "since", "status", "volume",
];

impl Engine {
    /// The containers that `options` asks for, newest first.
    pub async fn container_list(&self, options: ListOptions) -> Result<Vec<ContainerSummary>> {
        let selection = Selection::new(self, &options)?;
        let mut containers = self.inner.containers.all();
        let mut records: Vec<_> = containers
            .drain(..)
            .map(|container| (container.record(), container))
            .filter(|(record, _)| selection.holds(record))
            .collect();
        records.sort_by(|(a, _), (b, _)| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        if let Some(limit) = options
            .limit
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0)
        {
            records.truncate(limit);
        }
        let now = Timestamp::now();
        let mut names = BTreeMap::new();
        let mut summaries = Vec::with_capacity(records.len());
        for (record, container) in records {
            let image = self.image_name(&record, &mut names);
            let mut summary = self.summarise(&record, image, now);
            if options.size {
                let (writable, root) = match self.container_sizes(&container).await {
                    Ok(sizes) => sizes,
                    // It has been removed since the list was begun.
                    Err(_) if container.phase.borrow().removed => continue,
                    Err(error) => return Err(error),
                };
                summary.size_rw = Some(writable).filter(|size| *size > 0);
                summary.size_root_fs = Some(root);
            }
            summaries.push(summary);
        }
        Ok(summaries)
    }

    /// The image's name as the client gave it, or its ID once the name means
    /// another image.
    fn image_name(
        &self,
        record: &Record,
        known: &mut BTreeMap<(String, String), String>,
    ) -> String {
        let key = (record.config.image.clone(), record.image_id.clone());
        known
            .entry(key)
            .or_insert_with(|| match self.inner.store.resolve(&record.config.image) {
                Ok(id) if id.as_str() == record.image_id => record.config.image.clone(),
                _ => record.image_id.clone(),
            })
            .clone()
    }

    fn summarise(&self, record: &Record, image: String, now: Timestamp) -> ContainerSummary {
        let (path, arguments) = super::inspect::command(&record.config);
        let command: Vec<_> = std::iter::once(path)
            .chain(arguments)
            .map(|word| quote_if_needed(&word))
            .collect();
        let bound = record
            .endpoint
            .as_ref()
            .map_or(&[][..], |endpoint| &endpoint.ports);
        ContainerSummary {
            id: record.id.clone(),
            names: vec![format!("/{}", record.name)],
            image,
            image_id: record.image_id.clone(),
            command: command.join(" "),
            created: record.created.as_second(),
            ports: bindings::summary(&record.config, bound),
            labels: record.config.labels.clone(),
            state: record.state.status.as_str().to_owned(),
            status: status_line(record, now),
            host_config: ContainerSummaryHostConfig {
                network_mode: record.host_config.network_mode.clone(),
                ..Default::default()
            },
            network_settings: ContainerSummaryNetworkSettings {
                networks: self.endpoint_settings(record),
            },
            mounts: super::inspect::mount_points(record),
            ..ContainerSummary::default()
        }
    }
}

/// `Up 5 seconds`, `Exited (0) 2 minutes ago`, `Created`, ….
fn status_line(record: &Record, now: Timestamp) -> String {
    let since = |then: Option<Timestamp>| {
        human::duration(then.map_or(0, |then| now.as_second() - then.as_second()))
    };
    match record.state.status {
        Status::Running => format!("Up {}", since(record.state.started)),
        Status::Exited => {
            format!(
                "Exited ({}) {} ago",
                record.state.exit_code,
                since(record.state.finished)
            )
        }
        Status::Created | Status::Starting => "Created".to_owned(),
        Status::Removing => "Removal In Progress".to_owned(),
    }
}

/// Docker quotes arguments that have spaces.
fn quote_if_needed(word: &str) -> String {
    if word.contains(' ') {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

/// Whether a name has `pattern` in it: anywhere, or where `^` and `$` say. The
/// name's slash may be written or not.
fn name_matches(pattern: &str, name: &str) -> bool {
    let (first, pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    match (first, pattern.strip_suffix('$')) {
        (true, Some(whole)) => name == whole,
        (true, None) => name.starts_with(pattern),
        (false, Some(end)) => name.ends_with(end),
        (false, None) => name.contains(pattern),
    }
}

/// `80`, `80/udp` or `8000-9000/tcp`.
fn port_range(text: &str) -> Result<(RangeInclusive<u16>, Protocol)> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (first, protocol_read) = bindings::parse_port(&format!("{first}/{protocol}"))?;
    let (last, _) = bindings::parse_port(&format!("{last}/{protocol}"))?;
    Ok((first..=last, protocol_read))
}

/// The filters with their references resolved.
struct Selection<'a> {
    options: &'a ListOptions,
    images: Vec<String>,
    before: Option<Timestamp>,
    since: Option<Timestamp>,
    exit_codes: Vec<i64>,
    /// Whether only a swarm's tasks, or only others, are shown.
    tasks: Option<bool>,
}

impl<'a> Selection<'a> {
    fn new(engine: &Engine, options: &'a ListOptions) -> Result<Self> {
        let filters = &options.filters;
        filters
            .accept(FILTERS)
            .map_err(|error| Error::invalid(error.to_string()))?;
        for status in filters.values("status") {
            if !matches!(
                status,
                "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead"
            ) {
                return Err(Error::invalid(format!("invalid filter 'status={status}'")));
            }
        }
        for health in filters.values("health") {
            if !matches!(health, "none" | "starting" | "healthy" | "unhealthy") {
                return Err(Error::invalid(format!("invalid filter 'health={health}'")));
            }
        }
        for name in ["publish", "expose"] {
            for port in filters.values(name) {
                port_range(port)
                    .map_err(|error| error.context(format!("invalid filter '{name}={port}'")))?;
            }
        }
        let tasks = filters
            .boolean("is-task")
            .map_err(|error| Error::invalid(error.to_string()))?;
        for name in filters.values("name") {
            if name.contains(|c| "*+?()[]{}|\\".contains(c)) {
                return Err(Error::invalid(format!(
                    "invalid filter 'name={name}': of regular expressions only ^ and $ are supported by this engine yet"
                )));
            }
        }
        let exit_codes = filters
            .values("exited")
            .map(|code| {
                code.parse()
                    .map_err(|_| Error::invalid(format!("invalid filter 'exited={code}': strconv.Atoi: parsing {code:?}: invalid syntax")))
            })
            .collect::<Result<_>>()?;
        let created = |name: &str| -> Result<Option<Timestamp>> {
            let find = |reference: &str| {
                engine
                    .inner
                    .containers
                    .find(reference)
                    .map(|found| found.record().created)
            };
            filters.values(name).map(find).next().transpose()
        };
        let images = filters
            .values("ancestor")
            .filter_map(|name| engine.inner.store.resolve(name).ok())
            .map(|id| id.to_string())
            .collect();
        Ok(Self {
            options,
            images,
            before: created("before")?,
            since: created("since")?,
            exit_codes,
            tasks,
        })
    }

    fn holds(&self, record: &Record) -> bool {
        let filters = &self.options.filters;
        let any = |name: &str, test: &dyn Fn(&str) -> bool| {
            let mut values = filters.values(name).peekable();
            values.peek().is_none() || values.any(test)
        };
        let status = record.state.status.as_str();
        let shown = self.options.all
            || self.options.limit.is_some_and(|limit| limit > 0)
            || record.state.status == Status::Running
            || filters.contains("status")
            || filters.contains("exited")
            || self.before.is_some()
            || self.since.is_some();
        let port = |field: &str| {
            any(field, &|value| {
                let Ok((wanted, protocol)) = port_range(value) else {
                    return false;
                };
                let bound = record
                    .endpoint
                    .as_ref()
                    .map_or(&[][..], |endpoint| &endpoint.ports);
                match field {
                    "publish" => bound.iter().any(|binding| {
                        protocol == binding.protocol
                            && (wanted.contains(&binding.host_port)
                                || wanted.contains(&binding.container_port))
                    }),
                    _ => record.config.exposed_ports.keys().any(|key| {
                        bindings::parse_port(key)
                            .is_ok_and(|(exposed, of)| wanted.contains(&exposed) && of == protocol)
                    }),
                }
            })
        };
        shown
            && any("id", &|value| record.id.starts_with(value))
            && any("name", &|value| name_matches(value, &record.name))
            && any("status", &|value| value == status)
            && any("network", &|value| record.host_config.network_mode == value)
            && filters.matches_labels("label", &record.config.labels)
            && (!filters.contains("ancestor") || self.images.contains(&record.image_id))
            && (self.exit_codes.is_empty()
                || (record.state.status == Status::Exited
                    && self.exit_codes.contains(&record.state.exit_code)))
            && self.before.is_none_or(|before| record.created < before)
            && self.since.is_none_or(|since| record.created > since)
            && any("volume", &|value| {
                super::inspect::mount_points(record)
                    .iter()
                    .any(|mount| mount.name == value || mount.destination == value)
            })
            // Neither health checks nor tasks exist here.
            && any("health", &|value| value == "none")
            && self.tasks != Some(true)
            && port("publish")
            && port("expose")
    }
}

impl Engine {
    /// Bytes in the container's own layer, and with its image's.
    pub(crate) async fn container_sizes(&self, container: &Arc<Container>) -> Result<(i64, i64)> {
        let (engine, id, image) = (
            self.clone(),
            container.id.clone(),
            container.record().image_id,
        );
        tokio::task::spawn_blocking(move || {
            let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            let store = &engine.inner.store;
            let writable = size(store.snapshot_size(&id).map_err(Error::internal)?);
            let image = store
                .resolve(&image)
                .and_then(|id| store.image(&id))
                .map_or(0, |image| size(image.size));
            Ok((writable, writable.saturating_add(image)))
        })
        .await?
    }
}

#[cfg(test)]
mod tests;
