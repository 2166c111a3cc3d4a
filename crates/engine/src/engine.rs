//! The composition root of the engine's state.

use std::path::PathBuf;
use std::sync::Arc;

use tare_distribution::Client;
use tare_oci::runtime::ResourceLimit;
use tare_storage::Store;

use crate::config::Config;
use crate::containers::Containers;
use crate::error::{Error, Result};
use crate::exec::Execs;
use crate::executable::Executable;
use crate::images::Pulls;
use crate::networks::Networks;
use crate::settings::Settings;

/// A running engine; clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

/// The subsystems, wired once by [`Engine::open`].
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) executable: Executable,
    /// What processes of containers may open when nobody says.
    pub(crate) descriptor_limit: ResourceLimit,
    /// Names this engine in `info`; the same for the life of its data root.
    pub(crate) id: String,
    /// Control group that the containers' are made in.
    pub(crate) cgroup_parent: String,
    pub(crate) store: Arc<Store>,
    pub(crate) registry: Client,
    pub(crate) containers: Containers,
    pub(crate) execs: Execs,
    pub(crate) networks: Networks,
    pub(crate) pulls: Pulls,
}

impl Engine {
    /// Opens the data root, restores what it names, and reconciles the kernel
    /// with it. Containers that run are found again and not disturbed.
    pub async fn open(config: Config) -> Result<Self> {
        let opening = tokio::task::spawn_blocking(move || Self::assemble(config));
        let (engine, records) = opening.await??;
        engine.restore(records).await?;
        Ok(engine)
    }

    fn assemble(config: Config) -> Result<(Self, crate::containers::Records)> {
        let shims = config.exec_root.join("shims");
        std::fs::create_dir_all(&shims)
            .map_err(|error| Error::from(error).context(shims.display().to_string()))?;
        let store = Arc::new(Store::open(&config.data_root).map_err(Error::internal)?);
        crate::containers::migrate(store.database())?;
        let settings = Settings::load(store.database())?;
        let records = crate::containers::load(store.database())?;
        let registry = Client::new(tare_distribution::Config {
            insecure_registries: config.insecure_registries.clone(),
            registry_mirrors: config.registry_mirrors.clone(),
            ..tare_distribution::Config::default()
        })
        .map_err(Error::internal)?;
        let bridge = match config.bridge.as_str() {
            "none" => None,
            name => Some(crate::restore::open_bridge(&config, name)?),
        };
        let networks = Networks::new(bridge, settings.networks, settings.created);
        let inner = Inner {
            id: settings.id,
            cgroup_parent: cgroup_parent(&config),
            descriptor_limit: crate::descriptors::raise(),
            executable: Executable::open(&config.executable)?,
            store,
            registry,
            containers: Containers::default(),
            execs: Execs::default(),
            networks,
            pulls: Pulls::default(),
            config,
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            records,
        ))
    }

    /// Directory of a container's files, its log among them.
    pub(crate) fn container_directory(&self, id: &str) -> PathBuf {
        self.inner.config.data_root.join("containers").join(id)
    }

    /// Directory of a container's shim.
    pub(crate) fn shim_directory(&self, id: &str) -> PathBuf {
        self.inner.config.exec_root.join("shims").join(id)
    }

    /// Whether any container runs.
    pub fn has_running_containers(&self) -> bool {
        self.inner
            .containers
            .all()
            .iter()
            .any(|container| container.is_running())
    }
}

/// `tare` for the engine of the default roots, a name of its own for others,
/// so that several engines never take each other's groups for remains.
fn cgroup_parent(config: &Config) -> String {
    if config.exec_root == Config::default().exec_root {
        return "tare".to_owned();
    }
    let path = config.exec_root.display().to_string();
    format!(
        "tare-{}",
        &tare_oci::Digest::sha256_of(path.as_bytes()).hex()[..12]
    )
}
