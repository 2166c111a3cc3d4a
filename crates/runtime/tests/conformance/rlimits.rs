//! config.md, "POSIX process": `rlimits`.

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;

tests!(rlimits:
    soft_and_hard_are_those_configured,
    every_kind_can_be_set,
    others_are_not_changed,
    duplicates_are_an_error,
    an_unknown_type_is_an_error,
    soft_above_hard_is_an_error,
);

/// The line of /proc/PID/limits that a type has, and its two values.
fn line(text: &str, title: &str) -> (String, String) {
    let line = text
        .lines()
        .find(|line| line.starts_with(title))
        .unwrap_or_else(|| panic!("no {title} in {text}"));
    let mut values = line[title.len()..].split_whitespace();
    let mut next = || values.next().expect("a value").to_owned();
    (next(), next())
}

const TITLES: [(&str, &str); 16] = [
    ("RLIMIT_CPU", "Max cpu time"),
    ("RLIMIT_FSIZE", "Max file size"),
    ("RLIMIT_DATA", "Max data size"),
    ("RLIMIT_STACK", "Max stack size"),
    ("RLIMIT_CORE", "Max core file size"),
    ("RLIMIT_RSS", "Max resident set"),
    ("RLIMIT_NPROC", "Max processes"),
    ("RLIMIT_NOFILE", "Max open files"),
    ("RLIMIT_MEMLOCK", "Max locked memory"),
    ("RLIMIT_AS", "Max address space"),
    ("RLIMIT_LOCKS", "Max file locks"),
    ("RLIMIT_SIGPENDING", "Max pending signals"),
    ("RLIMIT_MSGQUEUE", "Max msgqueue size"),
    ("RLIMIT_NICE", "Max nice priority"),
    ("RLIMIT_RTPRIO", "Max realtime priority"),
    ("RLIMIT_RTTIME", "Max realtime timeout"),
];

/// POSIX process: `rlim_cur` and `rlim_max` MUST match the configured values.
fn soft_and_hard_are_those_configured() {
    let mut bundle = Bundle::new("cat /proc/self/limits");
    bundle.push(
        "/process/rlimits",
        json!({"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}),
    );
    bundle.push(
        "/process/rlimits",
        json!({"type": "RLIMIT_CORE", "soft": 0, "hard": 0}),
    );
    let text = bundle.output();
    assert_eq!(line(&text, "Max open files"), ("100".into(), "200".into()));
    assert_eq!(line(&text, "Max core file size"), ("0".into(), "0".into()));
}

/// POSIX process: valid types are those of getrlimit(2). Each is set to what
/// this program has, which is always allowed.
fn every_kind_can_be_set() {
    let own = fs::read_to_string("/proc/self/limits").expect("limits");
    let number = |text: String| match text.as_str() {
        "unlimited" => json!(u64::MAX),
        other => json!(other.parse::<u64>().expect("a number")),
    };
    let mut bundle = Bundle::new("cat /proc/self/limits");
    for (kind, title) in TITLES {
        let (_, hard) = line(&own, title);
        bundle.push(
            "/process/rlimits",
            json!({"type": kind, "soft": number(hard.clone()), "hard": number(hard)}),
        );
    }
    let text = bundle.output();
    for (_, title) in TITLES {
        let (_, hard) = line(&own, title);
        assert_eq!(line(&text, title), (hard.clone(), hard), "{title}");
    }
}

/// What is not configured stays that of the runtime.
fn others_are_not_changed() {
    let own = fs::read_to_string("/proc/self/limits").expect("limits");
    let text = Bundle::new("cat /proc/self/limits").output();
    for (_, title) in TITLES {
        assert_eq!(line(&text, title), line(&own, title), "{title}");
    }
}

/// POSIX process: duplicated entries with the same type MUST be an error.
fn duplicates_are_an_error() {
    let mut bundle = Bundle::sleeping();
    for _ in 0..2 {
        bundle.push(
            "/process/rlimits",
            json!({"type": "RLIMIT_NOFILE", "soft": 100, "hard": 100}),
        );
    }
    bundle.refused();
}

/// POSIX process: values which cannot be mapped to a kernel interface MUST be
/// an error.
fn an_unknown_type_is_an_error() {
    for kind in ["RLIMIT_NONSENSE", "NOFILE", "rlimit_nofile", ""] {
        let mut bundle = Bundle::sleeping();
        bundle.push(
            "/process/rlimits",
            json!({"type": kind, "soft": 1, "hard": 1}),
        );
        bundle.refused();
    }
}

/// Valid values: invalid ones MUST be an error.
fn soft_above_hard_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.push(
        "/process/rlimits",
        json!({"type": "RLIMIT_NOFILE", "soft": 200, "hard": 100}),
    );
    bundle.refused_before_it_runs();
}
