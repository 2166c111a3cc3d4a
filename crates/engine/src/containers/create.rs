//! Creating a container: its configuration completed and checked, its record
//! and its writable layer made.

use std::sync::Arc;

use jiff::Timestamp;
use tare_engine_api::{ContainerCreateRequest, ContainerCreateResponse, HostConfig};
use tare_oci::image::ImageConfig;
use tare_oci::{Platform, Reference};
use tare_runtime::defaults;
use tare_storage::Image;
use tare_storage::snapshot::Error as SnapshotError;

use super::{
    Container, Record, State, bindings, devices, image_defaults, join, logs, mounts, name, record,
    resources, security, supported,
};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// The largest image configuration that is read.
const MOST_CONFIG_BYTES: u64 = 8 << 20;
/// How many made-up names are tried.
const NAME_ATTEMPTS: u32 = 8;

impl Engine {
    /// Creates a container from an image that the store has.
    ///
    /// Everything that can be checked without starting is checked here, so
    /// that a bad request leaves nothing behind.
    pub async fn container_create(
        &self,
        name: Option<String>,
        request: ContainerCreateRequest,
        platform: Option<String>,
    ) -> Result<ContainerCreateResponse> {
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            engine.create(name.as_deref(), request, platform.as_deref())
        })
        .await?
    }

    fn create(
        &self,
        name: Option<&str>,
        request: ContainerCreateRequest,
        platform: Option<&str>,
    ) -> Result<ContainerCreateResponse> {
        let ContainerCreateRequest {
            mut config,
            mut host_config,
            networking_config,
        } = request;
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            name::check(name)?;
        }
        supported::check(&config, &host_config)?;
        let image = self.find_image(&config.image)?;
        check_platform(&config.image, &image, platform)?;
        let defaults = self.image_config(&image)?.config.unwrap_or_default();
        image_defaults::merge(&mut config, &defaults);
        if super::inspect::command(&config).0.is_empty() {
            return Err(Error::invalid("no command specified"));
        }
        if !config.working_dir.is_empty() && !config.working_dir.starts_with('/') {
            return Err(Error::invalid(format!(
                "the working directory '{}' is invalid, it needs to be an absolute path",
                config.working_dir
            )));
        }
        if let Some(signal) = config
            .stop_signal
            .as_deref()
            .filter(|signal| !signal.is_empty())
        {
            crate::signal::parse(signal)?;
        }
        let id = name::new_id()?;
        if config.hostname.is_empty() {
            config.hostname =
                if host_config.network_mode == "host" || host_config.uts_mode == "host" {
                    crate::system::host_name()
                } else {
                    id[..12].to_owned()
                };
        }
        self.complete(&mut host_config)?;
        let endpoints = join::endpoints(&host_config, networking_config.endpoints_config)?;
        let record = Record {
            name: String::new(),
            created: Timestamp::now(),
            image_id: image.id.to_string(),
            platform: "linux".to_owned(),
            config,
            host_config,
            endpoints,
            state: State::default(),
            endpoint: None,
            starts: 0,
            id,
        };
        check(&record, self)?;
        let record = self.reserve(name, record)?;
        match self.make(&record, &image) {
            Ok(container) => Ok(ContainerCreateResponse {
                id: container.id.clone(),
                warnings: join::warnings(&record),
            }),
            Err(error) => {
                self.inner.containers.release_name(&record.name, &record.id);
                Err(error)
            }
        }
    }

    /// The image by name or ID; the embedded one is installed when it is meant.
    fn find_image(&self, name: &str) -> Result<Image> {
        if name.is_empty() {
            return Err(Error::invalid(
                "no image was given: config cannot be empty in order to create a container",
            ));
        }
        let store = &self.inner.store;
        let resolve = || store.resolve(name).and_then(|id| store.image(&id));
        resolve().or_else(|error| {
            let embedded = match Reference::parse_normalized(name) {
                Ok(reference) => self.install_embedded(&reference.with_default_tag())?,
                Err(_) => false,
            };
            let found = if embedded { resolve() } else { Err(error) };
            found.map_err(crate::images::from_store)
        })
    }

    fn image_config(&self, image: &Image) -> Result<ImageConfig> {
        let bytes = self
            .inner
            .store
            .read_blob(&image.id, MOST_CONFIG_BYTES)
            .map_err(Error::internal)?;
        ImageConfig::parse(&bytes)
            .map_err(|error| Error::internal(error).context(format!("image {}", image.id)))
    }

    /// Fills in what the engine decides, so that inspect shows what is in force.
    fn complete(&self, host_config: &mut HostConfig) -> Result<()> {
        let or = |text: &mut String, default: &str| {
            if text.is_empty() {
                default.clone_into(text);
            }
        };
        if host_config.network_mode == "default" {
            host_config.network_mode.clear();
        }
        or(&mut host_config.network_mode, "bridge");
        or(&mut host_config.ipc_mode, "private");
        or(&mut host_config.cgroupns_mode, "private");
        or(&mut host_config.runtime, "tare");
        or(&mut host_config.restart_policy.name, "no");
        if host_config.log_config.kind.is_empty() {
            logs::complete(&mut host_config.log_config);
        }
        resources::complete(host_config);
        if host_config.shm_size == 0 {
            host_config.shm_size = super::spec::SHM_SIZE;
        }
        let unmasked =
            host_config.privileged || security::options(host_config)?.system_paths_unconfined;
        let paths = |default: &[&str]| {
            let shown = if unmasked { &[][..] } else { default };
            Some(shown.iter().map(|path| (*path).to_owned()).collect())
        };
        if host_config.masked_paths.is_none() {
            host_config.masked_paths = paths(&defaults::MASKED_PATHS);
        }
        if host_config.readonly_paths.is_none() {
            host_config.readonly_paths = paths(&defaults::READONLY_PATHS);
        }
        Ok(())
    }

    /// Gives the record a name of its own.
    fn reserve(&self, name: Option<&str>, mut record: Record) -> Result<Record> {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            name::check(name)?.clone_into(&mut record.name);
            self.inner
                .containers
                .reserve_name(&record.name, &record.id)?;
            return Ok(record);
        }
        let mut last = None;
        for attempt in 0..NAME_ATTEMPTS {
            record.name = name::generate(attempt)?;
            match self.inner.containers.reserve_name(&record.name, &record.id) {
                Ok(()) => return Ok(record),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::internal("no name could be made up")))
    }

    /// Makes the writable layer and the record; the record last, because what
    /// has none is garbage.
    fn make(&self, record: &Record, image: &Image) -> Result<Arc<Container>> {
        let store = &self.inner.store;
        store
            .create_snapshot(&record.id, &image.id, record.durability())
            .map_err(|error| match error {
                // It was removed since it was looked up.
                SnapshotError::NoSuchImage { .. } => Error::not_found(error.to_string()),
                _ => Error::internal(error),
            })?;
        if let Err(error) = record::insert(store.database(), record) {
            if let Err(cleanup) = store.remove_snapshot(&record.id, record.durability()) {
                tracing::warn!(container = record.id, %cleanup, "snapshot of a failed create");
            }
            return Err(error);
        }
        Ok(self.inner.containers.insert(record.clone()))
    }
}

/// Everything that a start would refuse and that can be known now.
fn check(record: &Record, engine: &Engine) -> Result<()> {
    let host_config = &record.host_config;
    let nameless = |variable: &&String| variable.is_empty() || variable.starts_with('=');
    if let Some(variable) = record.config.env.iter().flatten().find(nameless) {
        return Err(Error::invalid(format!(
            "invalid environment variable: {variable}"
        )));
    }
    if host_config.shm_size < 0 {
        return Err(Error::invalid("SHM size can not be less than 0"));
    }
    bindings::requests(&record.config, host_config)?;
    join::addresses(record)?;
    if join::needs_bridge(record) {
        engine.inner.networks.bridge()?;
    }
    mounts::requested(host_config)?;
    let options = security::options(host_config)?;
    let granted = security::granted(host_config)?;
    security::seccomp(host_config, &options, &granted)?;
    resources::control_group(host_config, devices::collect(host_config)?.rules)?;
    resources::limits(host_config)?;
    resources::oom_score(host_config)?;
    super::spec::user(&record.config.user, host_config)?;
    super::hosts::extra_hosts(record, engine.inner.networks.gateway())?;
    for server in host_config.dns.iter().flatten() {
        if server.parse::<std::net::IpAddr>().is_err() {
            return Err(Error::invalid(format!("invalid DNS address: {server}")));
        }
    }
    logs::config(record, &engine.container_directory(&record.id)).map(drop)
}

fn check_platform(name: &str, image: &Image, wanted: Option<&str>) -> Result<()> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(());
    };
    let wanted: Platform = wanted.parse().map_err(|error: tare_oci::platform::Error| {
        Error::invalid(format!("invalid platform \"{wanted}\": {error}"))
    })?;
    let actual = &image.platform;
    if wanted.rank(actual).is_some() {
        return Ok(());
    }
    Err(Error::not_found(format!(
        "image with reference {name} was found but does not match the specified platform: wanted {wanted}, actual: {actual}"
    )))
}
