use std::process::Command;

use tare_sys::seccomp::load;

use super::*;
use crate::config;
use crate::rootfs::options::MountOptions;

fn lists() -> (Features, LinuxFeatures, SeccompFeatures) {
    let features = features();
    let linux = features.linux.clone().expect("Linux");
    let seccomp = linux.seccomp.clone().expect("filters");
    (features, linux, seccomp)
}

/// Reads and checks a configuration that uses a member of a list.
fn accepts(properties: &str) {
    let document = format!(r#"{{"ociVersion":"{VERSION}",{properties}}}"#);
    let spec = config::parse(document.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let context = config::Context {
        root_given: true,
        ..config::Context::default()
    };
    config::validate(&spec, &context).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config::warnings(&spec), [""; 0], "{properties}");
}

#[test]
fn every_member_of_a_list_is_understood_in_a_configuration() {
    let (features, linux, seccomp) = lists();
    let hooks = features.hooks.expect("hooks");
    assert_eq!(hooks.len(), 6);
    for hook in hooks {
        accepts(&format!(
            r#""hooks":{{"{hook}":[{{"path":"/x","timeout":1}}]}}"#
        ));
    }
    for kind in linux.namespaces.expect("namespaces") {
        let mappings = r#""uidMappings":[{"containerID":0,"hostID":1,"size":1}],
            "gidMappings":[{"containerID":0,"hostID":1,"size":1}],"#;
        let mappings = if kind == "user" { mappings } else { "" };
        accepts(&format!(
            r#""linux":{{{mappings}"namespaces":[{{"type":"{kind}"}}]}}"#
        ));
    }
    for name in linux.capabilities.expect("capabilities") {
        accepts(&format!(
            r#""process":{{"cwd":"/","args":["a"],"capabilities":{{"bounding":["{name}"]}}}}"#
        ));
    }
    let filter = |rest: &str| {
        accepts(&format!(
            r#""linux":{{"seccomp":{{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s",{rest}}}}}"#
        ));
    };
    for action in seccomp.actions.expect("actions") {
        filter(&format!(
            r#""syscalls":[{{"names":["getpid"],"action":"{action}"}}]"#
        ));
    }
    for operator in seccomp.operators.expect("operators") {
        filter(&format!(
            r#""syscalls":[{{"names":["getpid"],"action":"SCMP_ACT_LOG",
            "args":[{{"index":0,"value":0,"op":"{operator}"}}]}}]"#
        ));
    }
    for architecture in seccomp.archs.expect("architectures") {
        filter(&format!(r#""architectures":["{architecture}"]"#));
    }
    for flag in seccomp.known_flags.expect("flags") {
        filter(&format!(r#""flags":["{flag}"]"#));
    }
}

#[test]
fn mount_options_are_none_that_are_left_to_file_systems() {
    let options = features().mount_options.expect("options");
    for known in ["ro", "rro", "rbind", "rslave", "nosymfollow", "tmpcopyup"] {
        assert!(options.iter().any(|option| option == known), "{known}");
    }
    for option in options {
        let parsed = MountOptions::parse(&[&option]);
        assert_eq!(parsed.data, [], "{option}");
    }
}

#[test]
fn the_kernel_takes_filters_with_every_supported_flag() {
    let supported = lists().2.supported_flags.expect("flags");
    assert!(
        supported
            .iter()
            .any(|flag| flag == "SECCOMP_FILTER_FLAG_LOG")
    );
    for name in &supported {
        let flag = read::<SeccompFlag>(name).expect("a flag");
        // All threads, and listeners, are more than a test should have.
        if matches!(
            flag,
            SeccompFlag::ThreadSync | SeccompFlag::WaitKillableReceive
        ) {
            continue;
        }
        let filter = compile(|filter| filter.flags = Some(vec![flag])).expect("compiles");
        let loaded = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true)?;
            load(&filter.program, filter.flags)
        });
        let loaded = loaded.join().expect("no panic");
        assert!(loaded.is_ok(), "{name}: {loaded:?}");
    }
}

/// What runc says that it understands is understood here, and under the same
/// names.
#[test]
fn what_runc_understands_is_understood() {
    let output = Command::new("runc").arg("features").output();
    let output = output.expect("runc must be installed");
    let runcs: Features = serde_json::from_slice(&output.stdout).expect("runc's features");
    let (own, linux, seccomp) = lists();
    assert_eq!(own.version_min, runcs.version_min);
    assert_eq!(own.hooks, runcs.hooks);
    let lacks = |own: &Option<Vec<String>>, runcs: &Option<Vec<String>>| -> Vec<String> {
        let own = own.as_ref().expect("a list");
        let runcs = runcs.as_ref().expect("a list");
        let lacking = runcs.iter().filter(|name| !own.contains(name));
        lacking.cloned().collect()
    };
    assert_eq!(lacks(&own.mount_options, &runcs.mount_options), [""; 0]);
    let runcs = runcs.linux.expect("Linux");
    assert_eq!(linux.capabilities, runcs.capabilities);
    assert_eq!(lacks(&linux.namespaces, &runcs.namespaces), [""; 0]);
    let runcs = runcs.seccomp.expect("filters");
    assert_eq!(lacks(&seccomp.actions, &runcs.actions), [""; 0]);
    assert_eq!(lacks(&seccomp.operators, &runcs.operators), [""; 0]);
}
