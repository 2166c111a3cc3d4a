//! Runs a program in a container on a directory of yours:
//!
//! ```sh
//! cargo run -p tare-runtime --example run -- /path/to/rootfs /bin/sh -c 'id; ps'
//! ```

use std::error::Error;
use std::os::fd::AsFd;

use rustix::process::{WaitId, WaitIdOptions};
use tare_oci::runtime::{Capabilities, Linux, Process, Root, Spec};
use tare_runtime::{Container, Rootfs, defaults};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rootfs = arguments.next().ok_or("usage: run <rootfs> <program> …")?;
    let capabilities = defaults::CAPABILITIES.map(str::to_owned).to_vec();
    let spec = Spec {
        version: "1.2.0".to_owned(),
        process: Some(Process {
            args: arguments.collect(),
            env: vec!["PATH=/usr/bin:/bin".to_owned()],
            cwd: "/".to_owned(),
            capabilities: Some(Capabilities {
                bounding: capabilities.clone(),
                effective: capabilities.clone(),
                permitted: capabilities,
                ..Capabilities::default()
            }),
            ..Process::default()
        }),
        root: Some(Root::default()),
        hostname: Some("example".to_owned()),
        mounts: defaults::mounts(64 << 20),
        linux: Some(Linux {
            namespaces: defaults::namespaces(),
            seccomp: Some(defaults::seccomp(&defaults::CAPABILITIES)),
            masked_paths: defaults::MASKED_PATHS.map(str::to_owned).to_vec(),
            readonly_paths: defaults::READONLY_PATHS.map(str::to_owned).to_vec(),
            ..Linux::default()
        }),
        ..Spec::default()
    };
    // The program has this process's own standard streams.
    let id = format!("example-{}", std::process::id());
    let mut container = Container::builder(&id, &spec)
        .rootfs(Rootfs::Path(rootfs.into()))
        .create()?;
    container.start()?;
    let wait = WaitId::PidFd(container.pidfd.as_fd());
    let status = rustix::process::waitid(wait, WaitIdOptions::EXITED)?;
    for failure in container.destroy() {
        eprintln!("{failure}");
    }
    println!(
        "exit status: {:?}",
        status.and_then(|status| status.exit_status())
    );
    Ok(())
}
