//! `features`: what this runtime can do, for whoever drives it.
//!
//! Every list is asked of the code that does the work, by name: of the types
//! that read the configuration, of the table of mount options, of the filter
//! compiler, of the list of what is missing. None is written down here to be
//! believed.

use std::collections::BTreeMap;
use std::process::ExitCode;

use tare_oci::runtime::features::{
    CgroupFeatures, Enabled, Features, IntelRdtFeatures, LinuxFeatures, MemoryPolicyFeatures,
    MountExtensions, SeccompFeatures,
};
use tare_oci::runtime::{
    Hooks, MemoryPolicyFlag, MemoryPolicyMode, NamespaceKind, Seccomp, SeccompAction,
    SeccompArchitecture, SeccompFlag, SeccompOperator, SeccompSyscall, VERSION, words,
};
use tare_sys::seccomp::{Flags, knows};

use super::flags::{Count, Parsed, Verb};
use super::{Error, Globals, print};
use crate::config::{Feature, is_supported};
use crate::rootfs::options::NAMES;
use crate::seccomp::{self, Filter};
use crate::{capability, cgroup};

pub(super) const VERB: Verb = Verb {
    name: "features",
    arguments: "",
    about: "print what this runtime can do, as JSON",
    flags: &[],
    count: Count::Exactly(0),
    has_command: false,
    run,
};

/// The oldest version of the specification whose configurations are read.
const OLDEST: &str = "1.0.0";

fn run(_: &Globals, _: &Parsed) -> Result<ExitCode, Error> {
    let mut text = Vec::new();
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indented);
    // Writing to memory: nothing to go wrong.
    let _ = serde::Serialize::serialize(&features(), &mut serializer);
    text.push(b'\n');
    print(&String::from_utf8_lossy(&text));
    Ok(ExitCode::SUCCESS)
}

fn features() -> Features {
    let hooks = is_supported(Feature::Hooks).then(|| strings(words::<Hooks>()));
    Features {
        version_min: OLDEST.to_owned(),
        version_max: VERSION.to_owned(),
        hooks: Some(hooks.unwrap_or_default()),
        mount_options: Some(strings(&NAMES)),
        linux: Some(linux()),
        annotations: Some(BTreeMap::from(
            [
                ("org.tare.version", env!("CARGO_PKG_VERSION")),
                // Not the specification's, but other runtimes say it too.
                ("org.opencontainers.runc.checkpoint.enabled", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )),
        potentially_unsafe_config_annotations: Some(strings(ANNOTATIONS)),
    }
}

/// Annotations that change what the runtime does: properties of the unit that
/// systemd makes. One that ends in a dot is a prefix.
const ANNOTATIONS: &[&str] = &[cgroup::ANNOTATION_PREFIX];

fn linux() -> LinuxFeatures {
    let enabled = |enabled| {
        Some(Enabled {
            enabled: Some(enabled),
        })
    };
    let rdt = is_supported(Feature::IntelRdt);
    let has_policy = is_supported(Feature::MemoryPolicy);
    let mut namespaces = strings(words::<NamespaceKind>());
    namespaces.sort();
    LinuxFeatures {
        namespaces: Some(namespaces),
        capabilities: Some(strings(&capability::NAMES)),
        cgroup: Some(CgroupFeatures {
            v1: Some(true),
            v2: Some(true),
            systemd: Some(true),
            systemd_user: Some(true),
            rdma: Some(true),
        }),
        seccomp: Some(seccomp_features()),
        apparmor: enabled(true),
        selinux: enabled(true),
        intel_rdt: Some(IntelRdtFeatures {
            enabled: Some(rdt),
            schemata: Some(rdt),
            monitoring: Some(rdt),
        }),
        memory_policy: has_policy.then(|| MemoryPolicyFeatures {
            modes: Some(strings(words::<MemoryPolicyMode>())),
            flags: Some(strings(words::<MemoryPolicyFlag>())),
        }),
        mount_extensions: Some(MountExtensions {
            idmap: enabled(is_supported(Feature::IdMappedMounts)),
        }),
        net_devices: enabled(is_supported(Feature::NetDevices)),
    }
}

fn seccomp_features() -> SeccompFeatures {
    let flags = words::<SeccompFlag>();
    SeccompFeatures {
        enabled: Some(true),
        actions: Some(known(|filter, action: SeccompAction| {
            filter.syscalls[0].action = action;
        })),
        operators: Some(strings(words::<SeccompOperator>())),
        archs: Some(architectures()),
        known_flags: Some(strings(flags)),
        supported_flags: Some(
            flags
                .iter()
                .filter(|name| read(name).is_some_and(is_flag_supported))
                .map(|&name| name.to_owned())
                .collect(),
        ),
    }
}

/// Those architectures whose calls the compiler tells apart: any other makes
/// no difference to what it makes of a filter, nor does the machine's own,
/// which is always among them.
fn architectures() -> Vec<String> {
    let plain = compile(|_| ()).map(|filter| filter.program);
    let mut known: Vec<String> = words::<SeccompArchitecture>()
        .iter()
        .filter(|name| {
            let one = read::<SeccompArchitecture>(name);
            let with = compile(|filter| filter.architectures.extend(one));
            **name == NATIVE || with.map(|filter| filter.program) != plain
        })
        .map(|&name| name.to_owned())
        .collect();
    known.sort();
    known
}

/// The architecture that this program is built for.
const NATIVE: &str = if cfg!(target_arch = "aarch64") {
    "SCMP_ARCH_AARCH64"
} else {
    "SCMP_ARCH_X86_64"
};

/// Whether a filter with a flag can be compiled, and this kernel has the flag.
fn is_flag_supported(flag: SeccompFlag) -> bool {
    let filter = compile(|filter| {
        filter.flags = Some(vec![flag]);
        // Some flags are about calls that somebody is notified of.
        filter.syscalls[0].action = SeccompAction::Notify;
    })
    .or_else(|| compile(|filter| filter.flags = Some(vec![flag])));
    filter.is_some_and(|Filter { flags, .. }| {
        let with_listener = Flags(flags.0 | Flags::NEW_LISTENER);
        knows(flags) || knows(with_listener)
    })
}

/// Those words of a type that a filter can be compiled with.
fn known<T>(set: impl Fn(&mut Seccomp, T)) -> Vec<String>
where
    T: for<'de> serde::Deserialize<'de>,
{
    words::<T>()
        .iter()
        .filter(|name| {
            read::<T>(name)
                .and_then(|value| compile(|filter| set(filter, value)))
                .is_some()
        })
        .map(|&name| name.to_owned())
        .collect()
}

/// A filter with one rule, and a change to it.
fn compile(change: impl FnOnce(&mut Seccomp)) -> Option<Filter> {
    let mut filter = Seccomp {
        default_action: SeccompAction::Allow,
        default_errno_ret: None,
        architectures: Vec::new(),
        flags: None,
        listener_path: Some("/listener".to_owned()),
        listener_metadata: None,
        syscalls: vec![SeccompSyscall {
            names: vec!["getpid".to_owned()],
            action: SeccompAction::Log,
            errno_ret: None,
            args: Vec::new(),
        }],
    };
    change(&mut filter);
    seccomp::compile(&filter).ok()
}

fn read<T: for<'de> serde::Deserialize<'de>>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[cfg(test)]
mod tests;
