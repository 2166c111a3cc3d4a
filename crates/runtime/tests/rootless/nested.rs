//! Root of a user namespace that is somebody else's, as whoever drives a
//! runtime without root often is.

use std::process::Command;

use serde_json::json;

use crate::caller::{Caller, UID};
use crate::outcome::Outcome;

tests!(nested:
    a_container_in_the_same_namespace_runs,
    a_container_in_a_namespace_of_its_own_runs,
    exec_is_in_the_container,
    a_pid_namespace_is_joined,
    the_state_is_where_the_user_may_write,
);

/// The runtime in a user namespace in which the caller is root, with mounts
/// that are its own.
fn inside(caller: &Caller, script: &str) -> Outcome {
    let mut command: Command = caller.command("unshare");
    command
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "/bin/sh",
            "-c",
            script,
        ])
        .env("RUNTIME", caller.path("program/tare-runtime"))
        .env("STATE", caller.path("state"))
        .env("BUNDLE", caller.path("bundle"))
        .env("OUTPUT", caller.path("state/output"))
        .env("ID", &caller.id);
    caller.finish(&mut command)
}

/// The configuration for a container whose root is the namespace's.
fn same_namespace(caller: &mut Caller) {
    caller.set(
        "/linux/namespaces",
        json!([{"type": "mount"}, {"type": "pid"}, {"type": "uts"}, {"type": "ipc"}]),
    );
    caller.set("/linux/uidMappings", json!([]));
    caller.set("/linux/gidMappings", json!([]));
}

const RUN: &str = r#""$RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID""#;

fn a_container_in_the_same_namespace_runs() {
    let mut caller =
        Caller::new("id -u; cat /proc/self/uid_map; head -c 1 /dev/zero | wc -c; exit 5");
    same_namespace(&mut caller);
    caller.write();
    let outcome = inside(&caller, RUN);
    assert_eq!(outcome.code, 5, "{outcome:?}");
    let words: Vec<&str> = outcome.stdout.split_whitespace().collect();
    assert_eq!(words, ["0", "0", &UID.to_string(), "1", "1"]);
    caller.assert_gone();
}

fn a_container_in_a_namespace_of_its_own_runs() {
    let mut caller = Caller::new("id -u; exit 6");
    for name in ["uidMappings", "gidMappings"] {
        caller.set(
            &format!("/linux/{name}"),
            json!([{"containerID": 0, "hostID": 0, "size": 1}]),
        );
    }
    caller.set("/process/oomScoreAdj", json!(-500));
    caller.write();
    let outcome = inside(&caller, RUN);
    assert_eq!((outcome.code, &*outcome.stdout), (6, "0\n"), "{outcome:?}");
    caller.assert_gone();
}

fn exec_is_in_the_container() {
    for own_namespace in [true, false] {
        let mut caller = Caller::sleeping();
        if own_namespace {
            for name in ["uidMappings", "gidMappings"] {
                caller.set(
                    &format!("/linux/{name}"),
                    json!([{"containerID": 0, "hostID": 0, "size": 1}]),
                );
            }
        } else {
            same_namespace(&mut caller);
        }
        caller.write();
        let script = r#"set -e
            "$RUNTIME" --root "$STATE" run --detach --bundle "$BUNDLE" "$ID" > "$OUTPUT" 2>&1
            "$RUNTIME" --root "$STATE" exec "$ID" /bin/sh -c 'id -u; hostname'
            "$RUNTIME" --root "$STATE" delete --force "$ID""#;
        let outcome = inside(&caller, script);
        assert_eq!(outcome.succeeds(), "0\ntare");
        caller.assert_gone();
    }
}

/// Another container's, as in a pod.
fn a_pid_namespace_is_joined() {
    let mut caller = Caller::new("cat /proc/1/cmdline; exit 4");
    same_namespace(&mut caller);
    let pid = caller.config.pointer_mut("/linux/namespaces/1");
    *pid.expect("it is there") = json!({"type": "pid", "path": "/proc/self/fd/9"});
    caller.write();
    let script = r#"unshare --pid --fork --kill-child sleep 1000 & other=$!
        until child=$(cat /proc/$other/task/$other/children) && test -n "$child"; do :; done
        exec 9< /proc/${child% }/ns/pid
        "$RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID"
        code=$?
        kill -KILL $child
        wait $other
        exit $code"#;
    let outcome = inside(&caller, script);
    assert_eq!(
        (outcome.code, &*outcome.stdout),
        (4, "sleep\x001000\0"),
        "{outcome:?}"
    );
}

/// /run is the host's.
fn the_state_is_where_the_user_may_write() {
    let mut caller = Caller::new("id -u");
    same_namespace(&mut caller);
    caller.write();
    let script = r#"XDG_RUNTIME_DIR="$STATE" "$RUNTIME" run --bundle "$BUNDLE" "$ID""#;
    assert_eq!(inside(&caller, script).succeeds(), "0");
    assert!(caller.path("state/tare-runtime").exists());
    // Without one, where everybody may.
    let script = r#"TMPDIR="$STATE" "$RUNTIME" run --bundle "$BUNDLE" "$ID""#;
    assert_eq!(inside(&caller, script).succeeds(), "0");
    assert!(caller.path("state/tare-runtime-0").exists());
    // A /run that is the namespace's own.
    let script = r#"mount -t tmpfs none /run
        USER=root XDG_RUNTIME_DIR=/nowhere "$RUNTIME" run --bundle "$BUNDLE" "$ID"
        test -d /run/tare-runtime && echo there"#;
    assert_eq!(inside(&caller, script).succeeds(), "0\nthere");
}
