//! Making a container up to the point where its program could run.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tare_oci::runtime::{Linux, NamespaceKind, Resources, Spec};
use tare_sys::SingleThreaded;
use tare_sys::namespace::Kinds;

use super::spawn::{Birth, Way, spawn};
use super::{Builder, Container, Stdio, make_undumpable};
use crate::cgroup::{Cgroup, Driver};
use crate::conditions::Conditions;
use crate::config::Context;
use crate::error::Error;
use crate::handshake::ParentEnd;
use crate::init::{Inside, Plan, kinds};
use crate::listener::Agent;
use crate::net_device;
use crate::plan::{self, Namespaces};
use crate::process::{Prepared, Streams};
use crate::resctrl::{self, Resctrl};
use crate::rootfs::{self, CgroupHierarchyView, CgroupView, Rootfs};
use crate::user_namespace;

pub(super) fn create(builder: Builder<'_>) -> Result<Container, Error> {
    let proof = SingleThreaded::verify().map_err(Error::Clone)?;
    let Builder {
        id,
        spec,
        rootfs,
        namespaces,
        stdio,
        identity,
        bundle,
        driver,
        gate,
        preserved,
        rootless,
        new_keyring,
        cache,
    } = builder;
    let context = Context {
        rootless: !rustix::process::geteuid().is_root(),
        given: &[],
        root_given: rootfs.is_some(),
        keeps_listener: gate.is_none(),
    };
    plan::check(spec, &namespaces, context)?;
    let spec = &*plan::with_absolute_sources(spec, &bundle);
    let resources = plan::resources(spec);
    crate::cgroup::check(&resources)?;
    if driver == Driver::Systemd {
        crate::cgroup::check_annotations(&spec.annotations).map_err(crate::cgroup::Error::from)?;
    }
    let linux_default = Linux::default();
    let linux = spec.linux.as_ref().unwrap_or(&linux_default);
    let process = plan::process(spec)?;
    let namespaces = Namespaces::plan(spec, namespaces)?;
    let seccomp = plan::seccomp(spec);
    let has_user_namespace = namespaces.all.contains(Kinds::USER);
    // What the container's own privileges do not reach is done for it from
    // outside, as far as the caller's own do.
    let by_parent = has_user_namespace && rustix::process::geteuid().is_root();
    let mounted_by_parent = by_parent && may_mount();
    let prepared = Prepared::new(process, &identity, seccomp.is_some())?
        .preserve(preserved)
        .limits_by_parent(by_parent)
        .rootless(rootless);
    let streams = match stdio {
        Some(stdio) => Streams::new(stdio),
        None => Stdio::inherit(process.terminal).and_then(Streams::new),
    }
    .map_err(Error::Clone)?;
    let rootfs = match rootfs {
        Some(rootfs) => rootfs,
        None => Rootfs::Path(bundle.join(root_path(spec)?)),
    };
    let mounts = rootfs::prepare(spec, mounted_by_parent, &bundle).map_err(Error::Process)?;
    let root = if mounted_by_parent && !rootfs.is_mounted_by_parent() {
        Some(rootfs.mount(spec).map_err(Error::Process)?)
    } else {
        None
    };
    make_undumpable()?;

    let conditions = Conditions::of(linux);
    let resctrl = match &linux.intel_rdt {
        Some(rdt) => Some(Resctrl::find()?.make(rdt, id)?),
        None => None,
    };
    let mut cgroup = Cgroup::create(&plan::cgroup_path(spec, id, driver), id, driver, rootless)
        .inspect_err(|_| drop(resctrl.as_ref().map(resctrl::Place::remove)))?;
    let view = cgroup_view(&cgroup, namespaces.all.contains(Kinds::CGROUP));
    let entries = cgroup.entries();
    let hooks = spec.hooks.clone().unwrap_or_default();
    let through = namespaces.need_a_way_through();
    let init = Plan {
        id,
        spec,
        rootfs: &rootfs,
        prepared: &prepared,
        conditions: &conditions,
        cgroup_entries: &entries,
        cgroup_view: &view,
        new_keyring,
        bundle: &bundle,
        gate: gate.as_ref().map(AsFd::as_fd),
        waits_to_go: namespaces.cloned.contains(Kinds::USER)
            || cgroup.adopts()
            // Where the child mounts its root itself it asks for nothing else
            // before it sets kernel parameters, which may be an interface's.
            || !linux.net_devices.is_empty(),
        inside: if through { Inside::Joined } else { Inside::Not },
        scored_by_parent: by_parent,
        namespaces: &namespaces,
        mounts: &mounts,
        root: root.as_ref().map(AsFd::as_fd),
    };
    let spawned = cgroup
        .close_devices(&resources)
        .and_then(|()| cgroup.clone_target())
        .map_err(Error::from)
        .and_then(|group| {
            let first = || {
                prepared.apply_score(by_parent)?;
                if init.joins_mounts() {
                    prepared.apply_label()?;
                }
                Ok(())
            };
            let birth = Birth {
                new: namespaces.cloned,
                group: group.as_ref().map(AsFd::as_fd),
                way: if through {
                    Way::Through {
                        first: &first,
                        namespaces: namespaces
                            .join
                            .iter()
                            .map(|(kind, namespace)| (namespace.as_fd(), kinds(*kind)))
                            .collect(),
                        bare: None,
                    }
                } else {
                    Way::Itself(namespaces.joined_pid().map(AsFd::as_fd))
                },
            };
            spawn(proof, birth, streams, |channel, streams| {
                init.run(proof, channel, streams)
            })
        });
    let (child, channel) = match spawned {
        Ok(spawned) => spawned,
        Err(error) => {
            // The first error is the one to report.
            let _ = cgroup.remove();
            let _ = resctrl.as_ref().map(resctrl::Place::remove);
            return Err(error);
        }
    };
    cgroup.follow(child.pid);
    let mut container = Container {
        pid: child.pid,
        pidfd: child.pidfd,
        console: None,
        listener: None,
        cgroup,
        id: id.to_owned(),
        bundle: bundle.clone(),
        annotations: spec.annotations.clone(),
        hooks,
        namespaces: namespaces.all,
        agent: seccomp.and_then(Agent::of),
        filter: Vec::new(),
        channel: None,
        host_mounts: (!namespaces.all.contains(Kinds::MOUNT)).then(|| rootfs.place().to_owned()),
        conditions: conditions.clone(),
        resctrl,
        // A PID namespace that was there before has programs of others.
        has_tracers: (prepared.may_trace() || namespaces.joined_pid().is_some())
            && !has_user_namespace
            && namespaces.all.contains(Kinds::PID),
    };
    let mut net_devices = None;
    // The root is mounted while the child enters its groups and namespaces,
    // and the filter is compiled and the limits are set while it makes its
    // mounts; it runs no program before it is told to.
    let finished = container
        .classify(container.pid)
        .and_then(|()| {
            // First of all: kernel parameters may be those of the interfaces.
            net_devices = move_net_devices(proof, &container, linux, &namespaces)?;
            let_go(&container, &channel, linux, &resources, &init)
        })
        .and_then(|()| give_root(&channel, &rootfs, spec))
        .and_then(|()| {
            container.filter = plan::filter(seccomp, cache.as_ref())?;
            container.cgroup.set_up(&resources)?;
            if by_parent {
                prepared.score_from_outside(container.pid)?;
            }
            container.wait_ready(&channel)
        })
        .and_then(|console| {
            if by_parent {
                prepared.limit_from_outside(container.pid)?;
            }
            prepared.schedule_from_outside(container.pid)?;
            if gate.is_some() {
                channel.start(&container.filter).map_err(Error::Handshake)?;
                container.hand_over_listener(&channel)?;
            }
            Ok(console)
        });
    match finished {
        Ok(console) => {
            container.console = console;
            container.channel = gate.is_none().then_some(channel);
            Ok(container)
        }
        Err(error) => {
            // While their namespace is there.
            if let Some(mut moved) = net_devices {
                moved.put_back();
            }
            container.destroy();
            Err(error)
        }
    }
}

/// Whether root may mount: in a user namespace without a mount namespace of its
/// own it may not.
fn may_mount() -> bool {
    use rustix::mount::{OpenTreeFlags, open_tree};
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    !user_namespace::is_limited() || open_tree(rustix::fs::CWD, c"/", flags).is_ok()
}

/// Moves the configured interfaces into the container's network namespace.
fn move_net_devices(
    proof: SingleThreaded,
    container: &Container,
    linux: &Linux,
    namespaces: &Namespaces,
) -> Result<Option<net_device::Moved>, Error> {
    if linux.net_devices.is_empty() {
        return Ok(None);
    }
    let joined = namespaces
        .join
        .iter()
        .find(|(kind, _)| *kind == NamespaceKind::Network);
    let new;
    let namespace = match joined {
        Some((_, namespace)) => namespace.as_fd(),
        None => {
            let path = format!("/proc/{}/ns/net", container.pid);
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            new = rustix::fs::open(path.as_str(), flags, Mode::empty()).map_err(|error| {
                Error::configuration("linux.netDevices", format!("{path}: {error}"))
            })?;
            new.as_fd()
        }
    };
    net_device::move_all(proof, &linux.net_devices, namespace).map(Some)
}

/// What a new user namespace and a service manager need of the parent before
/// the child can go on.
fn let_go(
    container: &Container,
    channel: &ParentEnd,
    linux: &Linux,
    resources: &Resources,
    init: &Plan<'_>,
) -> Result<(), Error> {
    if !init.waits_to_go {
        return Ok(());
    }
    if init.namespaces.cloned.contains(Kinds::USER) {
        user_namespace::write_maps(container.pid, &linux.uid_mappings, &linux.gid_mappings)?;
    }
    if container.cgroup.adopts() {
        container
            .cgroup
            .adopt(container.pid, resources, &container.annotations)?;
    }
    channel.go().map_err(Error::Handshake)
}

fn give_root(channel: &ParentEnd, rootfs: &Rootfs, spec: &Spec) -> Result<(), Error> {
    if !rootfs.is_mounted_by_parent() {
        return Ok(());
    }
    let mount = rootfs.mount(spec).map_err(Error::Process)?;
    channel.give_root(mount).map_err(Error::Handshake)
}

fn root_path(spec: &Spec) -> Result<&Path, Error> {
    match &spec.root {
        Some(root) if !root.path.is_empty() => Ok(Path::new(&root.path)),
        _ => Err(Error::configuration("root.path", "is missing")),
    }
}

fn cgroup_view(cgroup: &Cgroup, own_namespace: bool) -> CgroupView {
    let layout = cgroup.layout();
    CgroupView {
        hierarchies: layout
            .hierarchies
            .iter()
            .map(|hierarchy| CgroupHierarchyView {
                name: hierarchy.name(),
                controllers: hierarchy.controllers.clone(),
                path: cgroup.directory(hierarchy),
            })
            .collect(),
        // With the host's cgroup namespace the whole hierarchy is seen, as
        // with runc.
        unified: match &layout.unified {
            Some(_) if !layout.hierarchies.is_empty() => None,
            Some(mount) if !own_namespace => Some(mount.clone()),
            _ => cgroup.unified_directory(),
        },
    }
}

impl Stdio {
    /// The caller's own streams.
    fn inherit(terminal: bool) -> std::io::Result<Stdio> {
        if terminal {
            return Ok(Stdio::Terminal);
        }
        let own = |stream: std::os::fd::BorrowedFd<'_>| -> std::io::Result<OwnedFd> {
            Ok(rustix::io::fcntl_dupfd_cloexec(stream, 3)?)
        };
        Ok(Stdio::Pipes {
            stdin: own(std::io::stdin().as_fd())?,
            stdout: own(std::io::stdout().as_fd())?,
            stderr: own(std::io::stderr().as_fd())?,
        })
    }
}

impl Namespaces {
    /// Whether no single process can get into all of them: see
    /// [`super::spawn`].
    fn need_a_way_through(&self) -> bool {
        let joins = |kind: NamespaceKind| self.join.iter().any(|(joined, _)| *joined == kind);
        joins(NamespaceKind::User)
            // From there root of a user namespace cannot come back.
            || joins(NamespaceKind::Pid) && user_namespace::is_limited()
            || self.cloned.contains(Kinds::USER)
                && self
                    .join
                    .iter()
                    .any(|(kind, _)| *kind != NamespaceKind::Pid)
    }
}
