//! Mounts whose sources are opened by the process that creates the container,
//! with its privileges: those with owners translated, and what a container in
//! a user namespace of its own is shown of the host, whose directories its
//! root may have no way through.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tare_oci::runtime::{IdMapping, Mount, NamespaceKind, Spec};

use super::bind;
use super::mounts::{describe, kind};
use super::options::MountOptions;
use crate::failure::{Failure, Step};
use crate::user_namespace;

/// Opens the sources; the result has one entry for each mount, in order.
pub(crate) fn prepare(
    spec: &Spec,
    has_user_namespace: bool,
    bundle: &Path,
) -> Result<Vec<Option<OwnedFd>>, Failure> {
    let mut namespaces = Namespaces::default();
    spec.mounts
        .iter()
        .map(|mount| open(mount, spec, has_user_namespace, bundle, &mut namespaces))
        .collect()
}

fn open(
    mount: &Mount,
    spec: &Spec,
    has_user_namespace: bool,
    bundle: &Path,
    namespaces: &mut Namespaces,
) -> Result<Option<OwnedFd>, Failure> {
    let options = MountOptions::parse(&mount.options);
    let has_mappings = !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty();
    // As runc: mappings alone ask for it, too.
    let id_map = options.id_map.or(has_mappings.then_some(false));
    if id_map.is_none() && !has_user_namespace {
        return Ok(None);
    }
    let refuse = |text: String| {
        Failure::sentence(
            Step::Mount,
            format!("error mounting {}: {text}", describe(mount)),
        )
    };
    if kind(mount, &options) != "bind" {
        if id_map.is_some() {
            return Err(refuse(
                "id-mapped mounts are only supported for bind-mounts".to_owned(),
            ));
        }
        return Ok(None);
    }
    if options.remount {
        return Ok(None);
    }
    let failed = |error: std::io::Error| Failure::new(Step::Mount, describe(mount), error);
    bind::check(&options).map_err(refuse)?;
    let tree = bind::open(mount, &options, bundle).map_err(|error| failed(error.into()))?;
    if let Some(recursive) = id_map {
        let namespace = namespaces.find(mount, spec).map_err(|error| match error {
            Missing::Sentence(text) => refuse(text.to_owned()),
            Missing::Failed(error) => failed(error),
            Missing::Made(error) => refuse(error.to_string()),
        })?;
        tare_sys::mount::set_id_mapping(tree.as_fd(), recursive, namespace.as_fd()).map_err(
            |error| {
                Failure::new(
                    Step::Mount,
                    format!("{}: translating its owners", describe(mount)),
                    error,
                )
            },
        )?;
    }
    Ok(Some(tree))
}

/// Why there is no user namespace for a mount.
enum Missing {
    Sentence(&'static str),
    Failed(std::io::Error),
    Made(user_namespace::Error),
}

type Mappings = (Vec<IdMapping>, Vec<IdMapping>);

/// User namespaces with mappings, each made once.
#[derive(Default)]
struct Namespaces {
    made: Vec<(Mappings, OwnedFd)>,
    joined: Option<OwnedFd>,
}

impl Namespaces {
    fn find(&mut self, mount: &Mount, spec: &Spec) -> Result<&OwnedFd, Missing> {
        let linux = spec.linux.as_ref();
        let mappings = if mount.uid_mappings.is_empty() && mount.gid_mappings.is_empty() {
            let joined = linux
                .iter()
                .flat_map(|linux| &linux.namespaces)
                .find(|namespace| namespace.kind == NamespaceKind::User)
                .and_then(|namespace| namespace.path.as_deref())
                .filter(|path| !path.is_empty());
            if let Some(path) = joined {
                if self.joined.is_none() {
                    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                    let opened = rustix::fs::open(path, flags, Mode::empty());
                    self.joined = Some(opened.map_err(|error| Missing::Failed(error.into()))?);
                }
                return self
                    .joined
                    .as_ref()
                    .ok_or(Missing::Sentence("its user namespace is gone"));
            }
            linux.map_or_else(Mappings::default, |linux| {
                (linux.uid_mappings.clone(), linux.gid_mappings.clone())
            })
        } else {
            (mount.uid_mappings.clone(), mount.gid_mappings.clone())
        };
        if mappings.0.is_empty() || mappings.1.is_empty() {
            return Err(Missing::Sentence(
                "id-mapped mounts need uidMappings and gidMappings, of the mount or of the container's user namespace",
            ));
        }
        let index = match self.made.iter().position(|(made, _)| *made == mappings) {
            Some(index) => index,
            None => {
                let namespace =
                    user_namespace::make(&mappings.0, &mappings.1).map_err(Missing::Made)?;
                self.made.push((mappings, namespace));
                self.made.len() - 1
            }
        };
        Ok(&self.made[index].1)
    }
}
