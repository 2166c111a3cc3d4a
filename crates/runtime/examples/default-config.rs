//! Prints the config.json of a container with everything that
//! [`tare_runtime::defaults`] gives it, for any OCI runtime:
//!
//! ```sh
//! cargo run -p tare-runtime --example default-config > bundle/config.json
//! ```

use tare_oci::runtime::{Capabilities, Linux, Process, Resources, Root, Spec, VERSION};
use tare_runtime::defaults::{self, IndirectSockets};

/// Bytes of /dev/shm.
const SHM_SIZE: u64 = 64 << 20;

fn main() -> Result<(), serde_json::Error> {
    let capabilities = defaults::CAPABILITIES.map(str::to_owned).to_vec();
    let spec = Spec {
        version: VERSION.to_owned(),
        process: Some(Process {
            args: vec!["/bin/true".to_owned()],
            env: vec!["PATH=/usr/sbin:/usr/bin:/sbin:/bin".to_owned()],
            cwd: "/".to_owned(),
            capabilities: Some(Capabilities {
                bounding: capabilities.clone(),
                effective: capabilities.clone(),
                permitted: capabilities,
                ..Capabilities::default()
            }),
            ..Process::default()
        }),
        root: Some(Root {
            path: "rootfs".to_owned(),
            readonly: false,
        }),
        hostname: Some("container".to_owned()),
        mounts: defaults::mounts(SHM_SIZE),
        linux: Some(Linux {
            resources: Some(Resources {
                devices: defaults::device_rules(),
                ..Resources::default()
            }),
            namespaces: defaults::namespaces(),
            // No agent of ours holds the listener that the other choice needs.
            seccomp: Some(defaults::seccomp_with(
                &defaults::CAPABILITIES,
                IndirectSockets::Allowed,
            )),
            masked_paths: defaults::MASKED_PATHS.map(str::to_owned).to_vec(),
            readonly_paths: defaults::READONLY_PATHS.map(str::to_owned).to_vec(),
            ..Linux::default()
        }),
        ..Spec::default()
    };
    println!("{}", serde_json::to_string_pretty(&spec)?);
    Ok(())
}
