//! Mounts that a client asks for: `Binds`, `Mounts` and `Tmpfs`.
//!
//! Bind mounts of host paths and tmpfs; what needs a volume is refused by name.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use tare_engine_api::{HostConfig, Mount as ApiMount, MountPoint};
use tare_oci::runtime::Mount;

use crate::error::{Error, Result};

/// One requested mount.
pub(crate) enum Requested {
    /// A directory or file of the host.
    Bind {
        source: PathBuf,
        target: String,
        read_only: bool,
        recursive: bool,
        propagation: String,
        /// The mode as the client wrote it, shown by inspect.
        mode: String,
        /// Whether a missing source is made, as a directory.
        create: bool,
    },
    /// A file system in memory.
    Tmpfs {
        target: String,
        options: Vec<String>,
        listed: bool,
    },
}

/// The propagation modes of a bind mount.
const PROPAGATIONS: &[&str] = &[
    "private", "rprivate", "shared", "rshared", "slave", "rslave",
];

/// All mounts that `host_config` asks for, checked; two on one path are refused.
pub(crate) fn requested(host_config: &HostConfig) -> Result<Vec<Requested>> {
    let mut mounts = Vec::new();
    for bind in host_config.binds.iter().flatten() {
        mounts.push(parse_bind(bind)?);
    }
    for mount in &host_config.mounts {
        mounts.push(from_api(mount)?);
    }
    for (target, options) in &host_config.tmpfs {
        mounts.push(Requested::Tmpfs {
            target: check_target(target)?,
            options: tmpfs_options(
                options
                    .split(',')
                    .filter(|option| !option.is_empty())
                    .map(str::to_owned),
            )?,
            listed: false,
        });
    }
    let mut targets = BTreeSet::new();
    for mount in &mounts {
        if !targets.insert(mount.target().to_owned()) {
            return Err(Error::invalid(format!(
                "Duplicate mount point: {}",
                mount.target()
            )));
        }
    }
    Ok(mounts)
}

impl Requested {
    fn target(&self) -> &str {
        match self {
            Self::Bind { target, .. } | Self::Tmpfs { target, .. } => target,
        }
    }

    /// Makes what the client expects to be made on the host.
    pub(crate) fn prepare(&self) -> Result<()> {
        if let Self::Bind { source, create, .. } = self {
            if source.symlink_metadata().is_ok() {
                return Ok(());
            }
            if !create {
                return Err(missing_source(source));
            }
            std::fs::create_dir_all(source).map_err(|error| {
                Error::from(error).context(format!("bind mount source {}", source.display()))
            })?;
        }
        Ok(())
    }

    /// The same for the runtime.
    pub(crate) fn to_oci(&self) -> Mount {
        match self {
            Self::Bind {
                source,
                target,
                read_only,
                recursive,
                propagation,
                ..
            } => {
                let bind = if *recursive { "rbind" } else { "bind" };
                let access = if *read_only { "ro" } else { "rw" };
                Mount {
                    destination: target.into(),
                    kind: Some("bind".to_owned()),
                    source: Some(source.display().to_string()),
                    options: [bind, access, propagation].map(str::to_owned).to_vec(),
                    ..Mount::default()
                }
            }
            Self::Tmpfs {
                target, options, ..
            } => Mount {
                destination: target.into(),
                kind: Some("tmpfs".to_owned()),
                source: Some("tmpfs".to_owned()),
                options: options.clone(),
                ..Mount::default()
            },
        }
    }

    /// The same for inspect; `--tmpfs` is not listed there.
    pub(crate) fn point(&self) -> Option<MountPoint> {
        match self {
            Self::Bind {
                source,
                target,
                read_only,
                propagation,
                mode,
                ..
            } => Some(MountPoint {
                kind: "bind".to_owned(),
                source: source.display().to_string(),
                destination: target.clone(),
                mode: mode.clone(),
                rw: !read_only,
                propagation: propagation.clone(),
                ..MountPoint::default()
            }),
            Self::Tmpfs { target, listed, .. } => listed.then(|| MountPoint {
                kind: "tmpfs".to_owned(),
                destination: target.clone(),
                rw: true,
                ..MountPoint::default()
            }),
        }
    }
}

/// `/host:/container[:options]`.
fn parse_bind(text: &str) -> Result<Requested> {
    let mut parts = text.split(':');
    let (source, target, mode) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(source), Some(target), mode, None) if !source.is_empty() => {
            (source, target, mode.unwrap_or(""))
        }
        (Some(_), None, ..) => return Err(no_volumes(text)),
        _ => {
            return Err(Error::invalid(format!(
                "invalid volume specification: '{text}'"
            )));
        }
    };
    if !source.starts_with('/') {
        return Err(no_volumes(source));
    }
    let (mut read_only, mut propagation) = (false, "rprivate");
    for option in mode.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => read_only = true,
            // Relabelling is for SELinux and means nothing where it is off.
            "rw" | "z" | "Z" => {}
            _ if PROPAGATIONS.contains(&option) => propagation = option,
            _ => return Err(Error::invalid(format!("invalid mode: {mode}"))),
        }
    }
    Ok(Requested::Bind {
        source: PathBuf::from(source),
        target: check_target(target)?,
        read_only,
        recursive: true,
        propagation: propagation.to_owned(),
        mode: mode.to_owned(),
        create: true,
    })
}

fn from_api(mount: &ApiMount) -> Result<Requested> {
    let invalid = |reason: String| {
        Error::invalid(format!(
            "invalid mount config for type \"{}\": {reason}",
            mount.kind
        ))
    };
    let target = check_target(&mount.target).map_err(|error| invalid(error.to_string()))?;
    match mount.kind.as_str() {
        "bind" => {
            let source = PathBuf::from(&mount.source);
            if !source.is_absolute() {
                return Err(invalid(format!(
                    "invalid mount path: '{}' mount path must be absolute",
                    mount.source
                )));
            }
            let options = mount.bind_options.clone().unwrap_or_default();
            if options.read_only_force_recursive {
                return Err(Error::unsupported(
                    "BindOptions.ReadOnlyForceRecursive is not supported by this engine yet",
                ));
            }
            if !options.create_mountpoint && source.symlink_metadata().is_err() {
                return Err(invalid(format!(
                    "bind source path does not exist: {}",
                    mount.source
                )));
            }
            let propagation = match options.propagation.as_str() {
                "" => "rprivate",
                known if PROPAGATIONS.contains(&known) => known,
                other => return Err(invalid(format!("invalid propagation: {other}"))),
            };
            Ok(Requested::Bind {
                source,
                target,
                read_only: mount.read_only,
                recursive: !options.non_recursive,
                propagation: propagation.to_owned(),
                mode: String::new(),
                create: options.create_mountpoint,
            })
        }
        "tmpfs" => {
            let given = mount.tmpfs_options.clone().unwrap_or_default();
            let mut options: Vec<String> =
                given.options.iter().map(|words| words.join("=")).collect();
            if given.size_bytes > 0 {
                options.push(format!("size={}", given.size_bytes));
            }
            if given.mode > 0 {
                options.push(format!("mode={:o}", given.mode));
            }
            if mount.read_only {
                options.push("ro".to_owned());
            }
            Ok(Requested::Tmpfs {
                target,
                options: tmpfs_options(options.into_iter())?,
                listed: true,
            })
        }
        "volume" | "image" | "cluster" | "npipe" => Err(Error::unsupported(format!(
            "mounts of type \"{}\" are not supported by this engine yet",
            mount.kind
        ))),
        _ => Err(invalid("mount type unknown".to_owned())),
    }
}

/// A destination: absolute, and not the root.
fn check_target(target: &str) -> Result<String> {
    let path = Path::new(target);
    if !path.is_absolute() {
        return Err(Error::invalid(format!(
            "invalid mount path: '{target}' mount path must be absolute"
        )));
    }
    if path
        .components()
        .all(|component| matches!(component, Component::RootDir | Component::CurDir))
    {
        return Err(Error::invalid(
            "invalid specification: destination can't be '/'",
        ));
    }
    Ok(target.to_owned())
}

/// Docker's defaults, which options of the client override by their order.
fn tmpfs_options(given: impl Iterator<Item = String>) -> Result<Vec<String>> {
    let mut options = ["noexec", "nosuid", "nodev"].map(str::to_owned).to_vec();
    for option in given {
        if option.contains('\0') {
            return Err(Error::invalid("invalid tmpfs option"));
        }
        options.push(option);
    }
    Ok(options)
}

fn missing_source(source: &Path) -> Error {
    Error::invalid(format!(
        "invalid mount config for type \"bind\": bind source path does not exist: {}",
        source.display()
    ))
}

fn no_volumes(name: &str) -> Error {
    Error::unsupported(format!(
        "volumes are not supported by this engine yet ({name}): give an absolute path of the host, as in /srv/data:/data"
    ))
}
