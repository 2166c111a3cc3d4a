//! config.md, "POSIX-platform User", and `oomScoreAdj`.

use std::process::Command;

use serde_json::json;

use crate::bundle::Bundle;

tests!(user:
    uid_and_gid_are_those_of_the_program,
    additional_groups_are_added,
    no_additional_groups_are_none,
    umask_is_that_of_the_program,
    names_of_users_are_not_looked_up,
    oom_score_adj_is_set,
    oom_score_adj_is_not_changed_when_it_is_not_set,
    oom_score_adj_out_of_range_is_an_error,
);

/// User: `uid` and `gid` are those of the process, in every way there is.
fn uid_and_gid_are_those_of_the_program() {
    let mut bundle = Bundle::new("grep -E '^(Uid|Gid):' /proc/self/status");
    bundle.set("/process/user", json!({"uid": 1234, "gid": 4321}));
    assert_eq!(
        bundle.output(),
        "Uid:\t1234\t1234\t1234\t1234\nGid:\t4321\t4321\t4321\t4321"
    );
}

/// User: `additionalGids` are added to the process.
fn additional_groups_are_added() {
    let mut bundle = Bundle::new("grep Groups: /proc/self/status");
    bundle.set(
        "/process/user",
        json!({"uid": 1234, "gid": 4321, "additionalGids": [7, 5000, 8]}),
    );
    let mut groups: Vec<u32> = bundle
        .output()
        .split_whitespace()
        .skip(1)
        .map(|group| group.parse().expect("a number"))
        .collect();
    groups.retain(|group| *group != 4321);
    groups.sort_unstable();
    assert_eq!(groups, [7, 8, 5000]);
}

/// User: without them, none of the runtime's groups is left.
fn no_additional_groups_are_none() {
    let mut bundle = Bundle::new("grep Groups: /proc/self/status");
    bundle.set("/process/user", json!({"uid": 1234, "gid": 4321}));
    bundle.write();
    let path = bundle.text("bundle");
    // The runtime itself has some.
    let output = Command::new("/bin/busybox")
        .args(["setpriv", "--dump"])
        .output();
    assert!(output.is_ok());
    let run = ["run", "--bundle", &path, &bundle.id];
    let text = bundle.runtime.call(&run).succeeds();
    let groups: Vec<&str> = text.split_whitespace().skip(1).collect();
    assert!(groups.is_empty() || groups == ["4321"], "{text}");
}

/// User: `umask` is that of the user.
fn umask_is_that_of_the_program() {
    for umask in [0o077, 0o002, 0] {
        let mut bundle = Bundle::new("umask; touch /file; stat -c %a /file");
        bundle.set("/process/user/umask", json!(umask));
        assert_eq!(
            bundle.output(),
            format!("{umask:04o}\n{:o}", 0o666 & !umask)
        );
    }
}

/// User: symbolic names are left to upper levels.
fn names_of_users_are_not_looked_up() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/process/user", json!({"uid": "root", "gid": 0}));
    bundle.refused();
}

/// Linux Process: if `oomScoreAdj` is set, the runtime MUST set
/// `oom_score_adj`.
fn oom_score_adj_is_set() {
    let mut bundle = Bundle::new("cat /proc/self/oom_score_adj");
    bundle.set("/process/oomScoreAdj", json!(567));
    assert_eq!(bundle.output(), "567");
}

/// Linux Process: if it is not, the runtime MUST NOT change it.
fn oom_score_adj_is_not_changed_when_it_is_not_set() {
    let bundle = Bundle::new("cat /proc/self/oom_score_adj");
    bundle.write();
    let script = format!(
        "echo 321 > /proc/self/oom_score_adj; exec {} --root {} run --bundle {} {}",
        crate::runtime::program().display(),
        bundle.text("state"),
        bundle.text("bundle"),
        bundle.id
    );
    let output = Command::new("/bin/busybox")
        .args(["sh", "-c", &script])
        .output()
        .expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "321\n");
}

/// Valid values: the kernel's range ends at 1000.
fn oom_score_adj_out_of_range_is_an_error() {
    for value in [1001, -1001] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/process/oomScoreAdj", json!(value));
        bundle.refused_before_it_runs();
    }
}
