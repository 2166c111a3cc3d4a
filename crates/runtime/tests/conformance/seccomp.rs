//! config-linux.md, "Seccomp". Its system calls are those of busybox: `mkdir`
//! and `truncate`, whose second argument is a length of 64 bits.

use serde_json::{Value, json};

use crate::bundle::Bundle;

tests!(seccomp:
    errno_is_eperm_by_default,
    errno_is_the_one_configured,
    the_default_action_has_its_errno,
    kill_ends_the_process,
    trap_sends_a_signal,
    log_and_allow_let_the_call_through,
    trace_without_a_tracer_fails_the_call,
    arguments_are_compared_by_every_operator,
    all_arguments_of_a_rule_have_to_match,
    rules_of_one_call_are_alternatives,
    flags_are_accepted,
    it_is_on_for_exec_as_well,
    it_needs_no_new_privileges_only_without_the_capability,
    an_unknown_call_is_left_out,
    an_unknown_action_is_an_error,
    an_unknown_architecture_is_an_error,
    an_unknown_operator_is_an_error,
    an_unknown_flag_is_an_error,
    an_errno_for_an_action_without_one_is_an_error,
    a_rule_without_names_is_an_error,
    an_argument_out_of_range_is_an_error,
);

/// A profile that allows everything but what its rules say.
fn profile(rules: Value) -> Value {
    json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules})
}

/// A container under a profile.
fn under(script: &str, profile: Value) -> Bundle {
    let mut bundle = Bundle::new(script);
    bundle.set("/linux/seccomp", profile);
    bundle
}

/// What `mkdir` does under a rule for it.
fn mkdir(rule: Value) -> crate::outcome::Outcome {
    let mut rule = rule;
    rule["names"] = json!(["mkdir", "mkdirat"]);
    under(
        "mkdir /made 2>&1; echo $?; test -d /made && echo there",
        profile(json!([rule])),
    )
    .run()
}

/// Seccomp: `SCMP_ACT_ERRNO` returns EPERM when nothing else is said.
fn errno_is_eperm_by_default() {
    let outcome = mkdir(json!({"action": "SCMP_ACT_ERRNO"}));
    assert!(
        outcome.stdout.contains("Operation not permitted"),
        "{outcome:?}"
    );
    assert!(!outcome.stdout.contains("there"));
}

/// Seccomp: `errnoRet` is the error to return.
fn errno_is_the_one_configured() {
    let outcome = mkdir(json!({"action": "SCMP_ACT_ERRNO", "errnoRet": 28}));
    assert!(
        outcome.stdout.contains("No space left on device"),
        "{outcome:?}"
    );
    // An error of 0 is none: the call is not made, and has succeeded.
    let outcome = mkdir(json!({"action": "SCMP_ACT_ERRNO", "errnoRet": 0}));
    assert_eq!(outcome.stdout, "0\n", "{outcome:?}");
}

/// Seccomp: `defaultErrnoRet` is that of the default action.
fn the_default_action_has_its_errno() {
    let mut bundle = under(
        "truncate -s 5 /etc/file || true",
        json!({
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 28,
            "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": EVERYDAY}],
        }),
    );
    bundle.arguments(&["/bin/truncate", "-s", "5", "/etc/file"]);
    let outcome = bundle.run();
    assert_ne!(outcome.code, 0);
    assert!(outcome.stderr.contains("No space left"), "{outcome:?}");
}

/// The calls that runtimes need between loading a profile and the program, and
/// that busybox needs; not those of `truncate` itself.
const EVERYDAY: &[&str] = &[
    "access",
    "arch_prctl",
    "brk",
    "capget",
    "capset",
    "chdir",
    "clock_gettime",
    "clone",
    "clone3",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fchdir",
    "fcntl",
    "fstat",
    "fstatfs",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getrandom",
    "getrlimit",
    "gettid",
    "getuid",
    "ioctl",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pipe2",
    "poll",
    "ppoll",
    "prctl",
    "pread64",
    "prlimit64",
    "read",
    "readlink",
    "readlinkat",
    "recvmsg",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_tid_address",
    "setgid",
    "setgroups",
    "setresgid",
    "setresuid",
    "setuid",
    "sigaltstack",
    "stat",
    "statfs",
    "statx",
    "tgkill",
    "umask",
    "uname",
    "write",
    "writev",
];

/// Seccomp: the actions that kill.
fn kill_ends_the_process() {
    for action in [
        "SCMP_ACT_KILL",
        "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_KILL_PROCESS",
    ] {
        let outcome = mkdir(json!({"action": action}));
        // 128 and SIGSYS.
        assert!(outcome.stdout.contains("159\n"), "{action}: {outcome:?}");
    }
}

/// Seccomp: `SCMP_ACT_TRAP` sends SIGSYS.
fn trap_sends_a_signal() {
    let outcome = mkdir(json!({"action": "SCMP_ACT_TRAP"}));
    assert!(outcome.stdout.contains("159\n"), "{outcome:?}");
}

/// Seccomp: `SCMP_ACT_LOG` and `SCMP_ACT_ALLOW`.
fn log_and_allow_let_the_call_through() {
    let outcome = mkdir(json!({"action": "SCMP_ACT_LOG"}));
    assert_eq!(outcome.stdout, "0\nthere\n", "{outcome:?}");
    let mut bundle = under(
        "truncate -s 5 /file && echo done",
        json!({"defaultAction": "SCMP_ACT_LOG", "syscalls": [
            {"names": ["ftruncate"], "action": "SCMP_ACT_ALLOW"},
        ]}),
    );
    assert_eq!(bundle.set("/hostname", json!("x")).output(), "done");
}

/// Seccomp: `SCMP_ACT_TRACE` asks a tracer; without one the call fails.
fn trace_without_a_tracer_fails_the_call() {
    let outcome = mkdir(json!({"action": "SCMP_ACT_TRACE"}));
    assert!(
        outcome.stdout.contains("Function not implemented"),
        "{outcome:?}"
    );
}

/// Whether a file can be given a length under rules for `ftruncate`.
#[track_caller]
fn lengths(rules: &[Value], lengths: &[u64]) -> Vec<bool> {
    let rules: Vec<Value> = rules
        .iter()
        .map(|arguments| {
            json!({"names": ["ftruncate"], "action": "SCMP_ACT_ERRNO", "args": arguments})
        })
        .collect();
    let words: Vec<String> = lengths.iter().map(u64::to_string).collect();
    let script = format!(
        "for length in {}; do truncate -s $length /dev/shm/file 2>/dev/null && echo yes || echo no; done",
        words.join(" ")
    );
    let text = under(&script, profile(json!(rules))).output();
    text.lines().map(|line| line == "no").collect()
}

/// An argument of `ftruncate`: its length.
fn length(operator: &str, value: u64) -> Value {
    json!([{"index": 1, "value": value, "op": operator}])
}

/// Seccomp: the operators compare all 64 bits.
fn arguments_are_compared_by_every_operator() {
    // The second differs from the first in its upper half only.
    let (low, high) = (1000, (1 << 32) + 1000);
    let all = [999, low, 1001, high];
    for (operator, value, expected) in [
        ("SCMP_CMP_EQ", low, [false, true, false, false]),
        ("SCMP_CMP_NE", low, [true, false, true, true]),
        ("SCMP_CMP_LT", low, [true, false, false, false]),
        ("SCMP_CMP_LE", low, [true, true, false, false]),
        ("SCMP_CMP_GT", low, [false, false, true, true]),
        ("SCMP_CMP_GE", low, [false, true, true, true]),
        ("SCMP_CMP_EQ", high, [false, false, false, true]),
        ("SCMP_CMP_LT", high, [true, true, true, false]),
        ("SCMP_CMP_GE", high, [false, false, false, true]),
    ] {
        let found = lengths(&[length(operator, value)], &all);
        assert_eq!(found, expected, "{operator} {value}");
    }
    // value is the mask, valueTwo what is left under it.
    let masked = json!([{"index": 1, "value": 0xff, "valueTwo": 0xe8, "op": "SCMP_CMP_MASKED_EQ"}]);
    assert_eq!(lengths(&[masked], &all), [false, true, false, true]);
}

/// Seccomp: a rule applies when all its arguments match.
fn all_arguments_of_a_rule_have_to_match() {
    let both = json!([
        {"index": 1, "value": 10, "op": "SCMP_CMP_GE"},
        {"index": 0, "value": 100_000, "op": "SCMP_CMP_LT"},
    ]);
    assert_eq!(lengths(&[both], &[5, 15]), [false, true]);
    let never = json!([
        {"index": 1, "value": 10, "op": "SCMP_CMP_GE"},
        {"index": 0, "value": 100_000, "op": "SCMP_CMP_GT"},
    ]);
    assert_eq!(lengths(&[never], &[5, 15]), [false, false]);
}

/// Seccomp: of several rules for one call, one is enough.
fn rules_of_one_call_are_alternatives() {
    let rules = [length("SCMP_CMP_EQ", 10), length("SCMP_CMP_EQ", 20)];
    assert_eq!(lengths(&rules, &[10, 15, 20]), [true, false, true]);
}

/// Seccomp: `flags` of seccomp(2).
fn flags_are_accepted() {
    for flag in [
        "SECCOMP_FILTER_FLAG_TSYNC",
        "SECCOMP_FILTER_FLAG_LOG",
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    ] {
        let mut profile = profile(json!([{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]));
        profile["flags"] = json!([flag]);
        let text = under("mkdir /made || grep Seccomp: /proc/self/status", profile).output();
        assert_eq!(text, "Seccomp:\t2", "{flag}");
    }
}

/// What `exec` runs is in the same sandbox.
fn it_is_on_for_exec_as_well() {
    let rules = json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]);
    let mut bundle = under("exec sleep 1000", profile(rules));
    bundle.started();
    let outcome = bundle.exec("mkdir /made || echo refused");
    assert_eq!(outcome.succeeds(), "refused");
}

/// Seccomp: a container without the capability to load a program gets it all
/// the same, whether or not `noNewPrivileges` is set.
fn it_needs_no_new_privileges_only_without_the_capability() {
    for value in [true, false] {
        let rules = json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]);
        let mut bundle = under("mkdir /tmp/made || echo refused", profile(rules));
        bundle.set("/process/noNewPrivileges", json!(value));
        bundle.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        std::os::unix::fs::chown(bundle.rootfs("tmp"), Some(1000), None).expect("chown");
        assert_eq!(bundle.output(), "refused", "{value}");
    }
}

/// Seccomp: a call that this architecture does not have has no rule.
fn an_unknown_call_is_left_out() {
    let rules =
        json!([{"names": ["nonsense_call", "mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]);
    let text = under("mkdir /made || echo refused", profile(rules)).output();
    assert_eq!(text, "refused");
}

/// Valid values: others MUST be an error.
fn an_unknown_action_is_an_error() {
    under("true", json!({"defaultAction": "SCMP_ACT_NONSENSE"})).refused();
    let rules = json!([{"names": ["mkdir"], "action": "ALLOW"}]);
    under("true", profile(rules)).refused();
}

/// Valid values: the same for architectures.
fn an_unknown_architecture_is_an_error() {
    let mut profile = profile(json!([{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]));
    profile["architectures"] = json!(["SCMP_ARCH_NONSENSE"]);
    under("true", profile).refused();
}

/// Valid values: the same for operators.
fn an_unknown_operator_is_an_error() {
    let rules = json!([{
        "names": ["mkdir"], "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NONSENSE"}],
    }]);
    under("true", profile(rules)).refused();
}

/// Valid values: the same for flags.
fn an_unknown_flag_is_an_error() {
    let mut profile = profile(json!([{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]));
    profile["flags"] = json!(["SECCOMP_FILTER_FLAG_NONSENSE"]);
    under("true", profile).refused();
}

/// Seccomp: when an action does not support an errno, the runtime MUST fail.
fn an_errno_for_an_action_without_one_is_an_error() {
    for action in ["SCMP_ACT_KILL", "SCMP_ACT_LOG", "SCMP_ACT_TRAP"] {
        let rules = json!([{"names": ["mkdir"], "action": action, "errnoRet": 5}]);
        under("true", profile(rules)).refused();
    }
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 5, "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"},
    ]});
    under("true", profile).refused();
}

/// Seccomp: `names` MUST contain at least one entry.
fn a_rule_without_names_is_an_error() {
    let rules = json!([{"names": [], "action": "SCMP_ACT_ERRNO"}]);
    under("true", profile(rules)).refused();
}

/// Valid values: a call has six arguments.
fn an_argument_out_of_range_is_an_error() {
    let rules = json!([{
        "names": ["mkdir"], "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}],
    }]);
    under("true", profile(rules)).refused();
}
