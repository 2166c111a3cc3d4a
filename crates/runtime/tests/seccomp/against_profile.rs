//! Our default profile, and a file of Docker's, in its own format: rules that
//! hold for some capabilities, architectures and kernels only.

use serde::Deserialize;
use tare_oci::runtime::{Seccomp, SeccompAction, SeccompArchitecture, SeccompSyscall};
use tare_runtime::defaults::{self, IndirectSockets};
use tare_runtime::seccomp::compile;

use super::capability_sets;
use super::compare::differences;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: SeccompAction,
    default_errno_ret: Option<u32>,
    syscalls: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(flatten)]
    syscall: SeccompSyscall,
    #[serde(default)]
    includes: Condition,
    #[serde(default)]
    excludes: Condition,
}

/// Kernels are not looked at: none that runs here is older than what the
/// profile asks for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    caps: Vec<String>,
    arches: Vec<String>,
}

impl Profile {
    fn resolve(self, capabilities: &[&str]) -> Seccomp {
        let has = |name: &String| capabilities.contains(&name.as_str());
        let is_here = |name: &String| name == "amd64";
        let syscalls = self.syscalls.into_iter().filter(|rule| {
            let Rule {
                includes, excludes, ..
            } = rule;
            includes.caps.iter().all(has)
                && (includes.arches.is_empty() || includes.arches.iter().any(is_here))
                && !excludes.caps.iter().any(has)
                && !excludes.arches.iter().any(is_here)
        });
        Seccomp {
            default_action: self.default_action,
            default_errno_ret: self.default_errno_ret,
            architectures: vec![SeccompArchitecture::X86, SeccompArchitecture::X32],
            flags: None,
            listener_path: None,
            listener_metadata: None,
            syscalls: syscalls.map(|rule| rule.syscall).collect(),
        }
    }
}

#[test]
fn the_default_profile_is_that_of_the_given_file() {
    let Some(path) = std::env::var_os("TARE_DOCKER_SECCOMP_PROFILE") else {
        eprintln!("TARE_DOCKER_SECCOMP_PROFILE names no profile to compare with");
        return;
    };
    let text = std::fs::read(path).expect("the profile");
    for capabilities in capability_sets() {
        let profile: Profile = serde_json::from_slice(&text).expect("a profile");
        let theirs = compile(&profile.resolve(&capabilities)).expect("compiles");
        let ours = defaults::seccomp_with(&capabilities, IndirectSockets::Allowed);
        let ours = compile(&ours).expect("compiles");
        let found = differences(&ours.program, &theirs.program);
        assert!(found.is_empty(), "{capabilities:?}: {found:x?}");
    }
}
