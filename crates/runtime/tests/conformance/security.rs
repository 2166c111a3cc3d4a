//! config.md, "Linux Process", and config-linux.md: AppArmor, SELinux,
//! `intelRdt`: what this host cannot do is an error.

use std::path::Path;

use serde_json::json;

use crate::bundle::Bundle;

tests!(security:
    an_apparmor_profile_that_is_not_there_is_an_error,
    a_selinux_label_without_selinux_is_an_error,
    a_mount_label_without_selinux_is_an_error_or_has_no_effect,
    intel_rdt_without_resctrl_is_an_error,
);

/// Valid values: unsupported ones MUST be an error: a profile that is not
/// loaded, and any without AppArmor.
fn an_apparmor_profile_that_is_not_there_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/process/apparmorProfile", json!("conformance-absent"));
    bundle.refused_before_it_runs();
}

/// Valid values: the same for SELinux.
fn a_selinux_label_without_selinux_is_an_error() {
    assert!(!Path::new("/sys/fs/selinux/enforce").exists());
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/process/selinuxLabel",
        json!("system_u:system_r:container_t:s0"),
    );
    bundle.refused_before_it_runs();
}

/// Mount label: without SELinux there is no context to give: the runtime says
/// so, or the mounts are what they would be without it.
fn a_mount_label_without_selinux_is_an_error_or_has_no_effect() {
    let mut bundle = Bundle::new("cat /proc/self/mountinfo");
    bundle.set(
        "/linux/mountLabel",
        json!("system_u:object_r:container_file_t:s0"),
    );
    let outcome = bundle.run();
    if outcome.code == 0 {
        assert!(!outcome.stdout.contains("context="), "{}", outcome.stdout);
    } else {
        outcome.fails();
    }
}

/// IntelRdt: without a mounted resctrl file system, the runtime MUST generate
/// an error.
fn intel_rdt_without_resctrl_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/linux/intelRdt",
        json!({"closID": "conformance", "l3CacheSchema": "L3:0=f"}),
    );
    bundle.refused();
}
