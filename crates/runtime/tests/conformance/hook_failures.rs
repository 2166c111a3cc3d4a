//! runtime.md, "Lifecycle", steps 3 to 13: what a failing hook stops.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::{Bundle, hook};

tests!(hook_failures:
    during_create_fail_it_and_remove_the_container,
    during_create_keep_later_hooks_from_running,
    during_create_call_the_poststop_hooks,
    of_start_container_fail_start_and_the_program_does_not_run,
    of_poststart_fail_start_and_stop_the_container,
    of_poststop_only_warn_and_the_others_run,
    a_signal_is_a_failure,
    a_missing_program_is_a_failure,
    a_timeout_is_a_failure_and_ends_the_hook,
);

/// The points that `create` passes.
const CREATE: [&str; 3] = ["prestart", "createRuntime", "createContainer"];

fn failing(point: &str, entry: Value) -> Bundle {
    let mut bundle = Bundle::new("echo ran > /ran");
    bundle.push(&format!("/hooks/{point}"), entry);
    bundle
}

/// Lifecycle 3 to 5: if a hook fails, the runtime MUST generate an error, stop
/// the container, and destroy it.
fn during_create_fail_it_and_remove_the_container() {
    for point in CREATE {
        failing(point, hook("exit 3")).refused();
    }
}

/// Lifecycle 3 to 5: nothing between the failure and the destruction happens.
fn during_create_keep_later_hooks_from_running() {
    for point in CREATE {
        let mut bundle = failing(point, hook("exit 3"));
        for later in CREATE {
            let entry = hook(&format!("echo {later} >> {}", bundle.text("log")));
            bundle.push(&format!("/hooks/{later}"), entry);
        }
        bundle.refused();
        let log = fs::read_to_string(bundle.path("log")).unwrap_or_default();
        let before: Vec<_> = CREATE
            .into_iter()
            .take_while(|name| *name != point)
            .collect();
        assert_eq!(log.lines().collect::<Vec<_>>(), before, "{point}");
    }
}

/// Lifecycle 13: the poststop hooks follow the destruction.
fn during_create_call_the_poststop_hooks() {
    for point in CREATE {
        let mut bundle = failing(point, hook("exit 3"));
        let entry = hook(&format!("echo poststop >> {}", bundle.text("log")));
        bundle.push("/hooks/poststop", entry);
        bundle.refused();
        let log = fs::read_to_string(bundle.path("log")).unwrap_or_default();
        assert_eq!(log, "poststop\n", "{point}");
    }
}

/// Lifecycle 7: the same for startContainer: the program never runs, and the
/// container is stopped if not destroyed.
fn of_start_container_fail_start_and_the_program_does_not_run() {
    let mut bundle = failing("startContainer", hook("exit 3"));
    bundle.created();
    bundle.call("start").fails();
    assert!(!bundle.rootfs("ran").exists());
    let status = bundle.status();
    assert!(
        status.is_none() || status.as_deref() == Some("stopped"),
        "{status:?}"
    );
}

/// Lifecycle 9, since 1.2.1: the same for poststart. (Before, it was a warning.)
fn of_poststart_fail_start_and_stop_the_container() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/hooks/poststart", hook("exit 3"));
    bundle.created();
    bundle.call("start").fails();
    let status = bundle.status();
    assert!(
        status.is_none() || status.as_deref() == Some("stopped"),
        "{status:?}"
    );
}

/// Lifecycle 13: if a poststop hook fails, the runtime MUST log a warning, and
/// the remaining hooks and the lifecycle go on.
fn of_poststop_only_warn_and_the_others_run() {
    let mut bundle = failing("poststop", hook("exit 3"));
    let entry = hook(&format!("echo second >> {}", bundle.text("log")));
    bundle.push("/hooks/poststop", entry);
    bundle.started();
    bundle.wait();
    let log = bundle.text("warnings");
    let delete = ["--log", &log, "delete", &bundle.id];
    let outcome = bundle.runtime.call(&delete);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let warned = fs::read_to_string(&log).unwrap_or_default() + &outcome.stderr;
    assert_ne!(warned.trim(), "", "there is no warning");
    assert_eq!(
        fs::read_to_string(bundle.path("log")).expect("it ran"),
        "second\n"
    );
    bundle.assert_gone();
}

/// Lifecycle: a hook that a signal ends has failed.
fn a_signal_is_a_failure() {
    failing("createRuntime", hook("kill -9 $$")).refused();
}

/// Lifecycle: a hook that cannot be executed has failed.
fn a_missing_program_is_a_failure() {
    for point in CREATE {
        failing(point, json!({"path": "/absent/program"})).refused();
    }
}

/// Hooks: `timeout` is the number of seconds before the hook is aborted, which
/// is a failure.
fn a_timeout_is_a_failure_and_ends_the_hook() {
    let entry = json!({
        "path": "/bin/busybox", "args": ["sleep", "1000"], "timeout": 1,
    });
    // It also finds the hook, if it is left.
    failing("createRuntime", entry).refused();
}
