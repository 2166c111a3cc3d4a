//! More IDs than the caller's own, by newuidmap and newgidmap.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::mount::{UnmountFlags, mount_bind, unmount};
use serde_json::json;

use crate::caller::{Caller, GID, UID};

tests!(mapped:
    granted_ids_are_the_containers,
    ids_that_were_not_granted_are_refused,
    without_the_program_it_is_named,
);

/// A file of the host that says something else as long as this lives, and in
/// this program's mount namespace only.
struct Instead(&'static str);

impl Instead {
    fn new(caller: &Caller, file: &'static str, text: &str) -> Instead {
        let own = caller.path(&file.replace('/', "-"));
        fs::write(&own, text).expect("a file");
        mount_bind(&own, file).expect("root may");
        Instead(file)
    }
}

impl Drop for Instead {
    fn drop(&mut self) {
        let _ = unmount(self.0, UnmountFlags::DETACH);
    }
}

/// A host on which the user is known and has been granted 1000 IDs.
fn granted(caller: &Caller) -> Vec<Instead> {
    assert!(
        Path::new("/usr/bin/newuidmap").exists(),
        "uidmap must be installed"
    );
    let passwd = fs::read_to_string("/etc/passwd").expect("it is there");
    let grant = "somebody:300000:1000\n";
    vec![
        Instead::new(
            caller,
            "/etc/passwd",
            &format!("{passwd}somebody:x:{UID}:{GID}::/:/bin/sh\n"),
        ),
        Instead::new(caller, "/etc/subuid", grant),
        Instead::new(caller, "/etc/subgid", grant),
    ]
}

fn map(caller: &mut Caller, size: u32) {
    for (name, own) in [("uidMappings", UID), ("gidMappings", GID)] {
        caller.set(
            &format!("/linux/{name}"),
            json!([
                {"containerID": 0, "hostID": own, "size": 1},
                {"containerID": 1, "hostID": 300_000, "size": size},
            ]),
        );
    }
}

fn granted_ids_are_the_containers() {
    let mut caller = Caller::new("touch /tmp/file && chown 5:6 /tmp/file; id -u; id -G; id -g");
    let _host = granted(&caller);
    map(&mut caller, 1000);
    caller.set("/root/readonly", json!(false));
    // Groups can be set: dropping them takes nothing from anybody.
    caller.set(
        "/process/capabilities",
        json!({
            "bounding": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"],
        }),
    );
    caller.set(
        "/process/user",
        json!({"uid": 0, "gid": 0, "additionalGids": [7]}),
    );
    assert_eq!(caller.run().succeeds(), "0\n0 7\n0");
    let file = caller.path("bundle/rootfs/tmp/file");
    let file = file.metadata().expect("it was made");
    assert_eq!((file.uid(), file.gid()), (300_004, 300_005));

    caller.set("/process/args", json!(["/bin/sleep", "1000"]));
    caller.set("/process/user", json!({"uid": 5, "gid": 6}));
    let pid = caller.started();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    assert!(
        status.contains("Uid:\t300004\t300004\t300004\t300004\n"),
        "{status}"
    );
    assert_eq!(caller.exec("id -u").succeeds(), "5");
    let as_root = caller.call(&["exec", "--user", "0:0", &caller.id, "/bin/id", "-u"]);
    assert_eq!(as_root.succeeds(), "0");
}

fn ids_that_were_not_granted_are_refused() {
    let mut caller = Caller::sleeping();
    let _host = granted(&caller);
    map(&mut caller, 1001);
    let message = caller.refused();
    assert!(message.contains("newuidmap"), "{message}");
    assert!(message.contains("not allowed"), "{message}");
    assert!(message.contains("/etc/subuid"), "{message}");
}

fn without_the_program_it_is_named() {
    let mut caller = Caller::sleeping();
    map(&mut caller, 1000);
    let bundle = caller.text("bundle");
    let mut command = caller.runtime(&caller.making("create", &bundle));
    let message = caller.finish(command.env("PATH", "/nowhere")).fails();
    assert!(message.contains("newuidmap"), "{message}");
    assert!(message.contains("package uidmap"), "{message}");
    caller.assert_gone();
}
