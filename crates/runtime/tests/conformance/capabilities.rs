//! config.md, "Linux Process": `capabilities` and `noNewPrivileges`.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::Bundle;

tests!(capabilities:
    every_set_is_the_one_configured,
    all_empty_sets_are_empty,
    ambient_ones_reach_a_user_that_is_not_root,
    an_unknown_name_is_warned_of,
    no_new_privileges_is_set,
    no_new_privileges_is_not_set_by_default,
);

/// Numbers of some capabilities.
const CHOWN: u64 = 1 << 0;
const KILL: u64 = 1 << 5;
const SETGID: u64 = 1 << 6;
const SETUID: u64 = 1 << 7;
const NET_BIND_SERVICE: u64 = 1 << 10;

/// A set's mask in the text of /proc/PID/status.
fn mask(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_whitespace().nth(1));
    u64::from_str_radix(value.expect("a set"), 16).expect("a number")
}

fn status(capabilities: Value) -> String {
    let mut bundle = Bundle::sleeping();
    bundle.set("/process/capabilities", capabilities);
    bundle.arguments(&["cat", "/proc/self/status"]);
    bundle.output()
}

/// Linux Process: each of the five sets is kept for the process. For root,
/// execve makes the permitted and effective sets of the bounding and the
/// inheritable one, so those two are the same as these here.
fn every_set_is_the_one_configured() {
    let text = status(json!({
        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_BIND_SERVICE"],
        "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_BIND_SERVICE"],
        "effective": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_BIND_SERVICE"],
        "inheritable": ["CAP_CHOWN", "CAP_KILL"],
        "ambient": ["CAP_KILL"],
    }));
    let all = CHOWN | KILL | SETUID | NET_BIND_SERVICE;
    assert_eq!(mask(&text, "CapBnd:"), all);
    assert_eq!(mask(&text, "CapPrm:"), all);
    assert_eq!(mask(&text, "CapEff:"), all);
    assert_eq!(mask(&text, "CapInh:"), CHOWN | KILL);
    assert_eq!(mask(&text, "CapAmb:"), KILL);
}

/// Linux Process: what is not listed is not kept.
fn all_empty_sets_are_empty() {
    let text = status(json!({}));
    for name in ["CapBnd:", "CapPrm:", "CapEff:", "CapInh:", "CapAmb:"] {
        assert_eq!(mask(&text, name), 0, "{name}");
    }
}

/// Linux Process: the ambient set is what another user's program has.
fn ambient_ones_reach_a_user_that_is_not_root() {
    let three = json!(["CAP_KILL", "CAP_SETGID", "CAP_NET_BIND_SERVICE"]);
    let mut bundle = Bundle::sleeping();
    bundle.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    bundle.set(
        "/process/capabilities",
        json!({
            "bounding": three, "permitted": three, "effective": three,
            "inheritable": three, "ambient": ["CAP_NET_BIND_SERVICE"],
        }),
    );
    bundle.arguments(&["cat", "/proc/self/status"]);
    let text = bundle.output();
    assert_eq!(mask(&text, "CapBnd:"), KILL | SETGID | NET_BIND_SERVICE);
    assert_eq!(mask(&text, "CapAmb:"), NET_BIND_SERVICE);
    assert_eq!(mask(&text, "CapEff:"), NET_BIND_SERVICE);
}

/// Linux Process: a value which cannot be mapped to a kernel interface MUST be
/// logged as a warning; the runtime should not fail.
fn an_unknown_name_is_warned_of() {
    let mut bundle = Bundle::new("grep CapBnd /proc/self/status");
    bundle.set(
        "/process/capabilities/bounding",
        json!(["CAP_KILL", "CAP_NONSENSE"]),
    );
    let log = bundle.text("log");
    bundle.write();
    let path = bundle.text("bundle");
    let run = ["--log", &log, "run", "--bundle", &path, &bundle.id];
    let outcome = bundle.runtime.call(&run);
    let warned = fs::read_to_string(&log).unwrap_or_default() + &outcome.stderr;
    assert!(warned.contains("CAP_NONSENSE"), "{warned}");
    assert_eq!(mask(&outcome.succeeds(), "CapBnd:"), KILL);
}

/// Linux Process: `noNewPrivileges` keeps the process from gaining privileges.
fn no_new_privileges_is_set() {
    let mut bundle = Bundle::new("grep NoNewPrivs /proc/self/status");
    bundle.set("/process/noNewPrivileges", json!(true));
    assert_eq!(bundle.output(), "NoNewPrivs:\t1");
}

/// Linux Process: it is optional, and false then.
fn no_new_privileges_is_not_set_by_default() {
    let bundle = Bundle::new("grep NoNewPrivs /proc/self/status");
    assert_eq!(bundle.output(), "NoNewPrivs:\t0");
}
