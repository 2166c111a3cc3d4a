//! Control groups made by the host's systemd.
//!
//! Says nothing where systemd does not run: there its part is played by a bus
//! in the library's own tests.

use std::fs;
use std::path::Path;

use tare_oci::runtime::{Memory, Pids, Resources, Spec};
use tare_runtime::Container;
use tare_runtime::cgroup::{Cgroup, Driver};

use crate::harness::Test;
use crate::sandbox::{Running, Sandbox, pipes};

pub(crate) const TESTS: &[Test] = &[
    ("systemd::a_scope_is_the_container", scope),
    ("systemd::a_container_that_fails_leaves_no_unit", failure),
];

fn has_systemd() -> bool {
    let has = Path::new("/run/systemd/private").exists();
    if !has {
        eprintln!("systemd does not run here");
    }
    has
}

fn start(sandbox: &Sandbox, spec: &Spec) -> Result<Running, tare_runtime::Error> {
    let (stdio, output) = pipes();
    let mut container = Container::builder(&sandbox.id, spec)
        .rootfs(sandbox.rootfs())
        .stdio(stdio)
        .cgroup_driver(Driver::Systemd)
        .create()?;
    container.start()?;
    Ok(Running { container, output })
}

fn spec(sandbox: &Sandbox, program: &[&str]) -> Spec {
    let mut spec = sandbox.spec(program);
    let linux = spec.linux.as_mut().expect("linux");
    linux.cgroups_path = Some(format!("tare-test.slice:run:{}", sandbox.id));
    linux.resources.get_or_insert_default().pids = Some(Pids { limit: 44 });
    spec.annotations.insert(
        "org.systemd.property.CollectMode".to_owned(),
        "'inactive-or-failed'".to_owned(),
    );
    spec
}

fn scope() {
    if !has_systemd() {
        return;
    }
    let sandbox = Sandbox::new();
    let running = start(&sandbox, &spec(&sandbox, &["sleep", "1000"])).expect("starts");
    let path = format!("/tare.slice/tare-test.slice/run-{}.scope", sandbox.id);
    let groups = fs::read_to_string(format!("/proc/{}/cgroup", running.container.pid));
    let groups = groups.expect("groups");
    assert!(
        groups.lines().all(|line| line.ends_with(&path)
            // Not every hierarchy of the host is mounted in a namespace of it.
            || line.ends_with(":/")
            || !line.contains("0::")),
        "{groups}"
    );
    let place = running.container.cgroup.place();
    assert_eq!(place.path, path);
    let cgroup = Cgroup::reopen(&place).expect("groups");
    assert_eq!(cgroup.pids().expect("processes"), [running.container.pid]);
    if cgroup.usage().expect("usage").pids.limit != 0 {
        assert_eq!(cgroup.usage().expect("usage").pids.limit, 44);
        let change = Resources {
            pids: Some(Pids { limit: 55 }),
            memory: Some(Memory {
                limit: Some(64 << 20),
                swap: Some(64 << 20),
                ..Memory::default()
            }),
            ..Resources::default()
        };
        cgroup.apply(&change).expect("changes");
        let usage = cgroup.usage().expect("usage");
        assert_eq!(usage.pids.limit, 55);
        assert_eq!(usage.memory.usage.limit, 64 << 20);
    }
    running.stop();
    assert!(!cgroup.exists());
    cgroup.remove().expect("removing again is fine");
    // The name is free again.
    let again = start(&sandbox, &spec(&sandbox, &["true"])).expect("starts");
    assert_eq!(again.finish().code, 0);
    assert!(!cgroup.exists());
}

fn failure() {
    if !has_systemd() {
        return;
    }
    let sandbox = Sandbox::new();
    let path = format!("/tare.slice/tare-test.slice/run-{}.scope", sandbox.id);
    let cgroup = Cgroup::open(&path).expect("groups");
    assert!(start(&sandbox, &spec(&sandbox, &["/not/there"])).is_err());
    assert!(!cgroup.exists());
    let mut refused = spec(&sandbox, &["true"]);
    refused.annotations.insert(
        "org.systemd.property.NoSuchThing".to_owned(),
        "true".to_owned(),
    );
    let error = match start(&sandbox, &refused) {
        Ok(_) => panic!("runs"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("NoSuchThing"), "{error}");
    assert!(!cgroup.exists());
}
