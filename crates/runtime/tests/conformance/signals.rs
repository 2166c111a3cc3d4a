//! runtime.md, "Kill".

use crate::bundle::Bundle;

tests!(signals:
    needs_an_id,
    of_an_unknown_container_is_an_error,
    sends_the_signal_that_is_named,
    is_term_when_none_is_named,
    an_unknown_signal_is_an_error_without_effect,
    nought_is_no_signal_and_asks_whether_it_runs,
    of_a_created_container_stops_it,
    of_a_stopped_container_is_an_error_without_effect,
    a_container_that_ends_by_itself_is_stopped,
);

/// Kill: it MUST be an error when no ID is given.
fn needs_an_id() {
    let bundle = Bundle::sleeping();
    bundle.runtime.call(&["kill"]).fails();
}

/// Kill: a container that does not exist MUST be an error.
fn of_an_unknown_container_is_an_error() {
    let bundle = Bundle::sleeping();
    bundle.kill("KILL").fails();
}

/// Kill: the signal that was specified MUST be sent to the container's
/// process. It has its number, and its name with or without SIG.
fn sends_the_signal_that_is_named() {
    for (signal, name) in [("10", "USR1"), ("USR2", "USR2"), ("SIGHUP", "HUP")] {
        let mut bundle = Bundle::new(
            "for name in USR1 USR2 HUP; do trap \"echo $name > /got\" $name; done
            echo ready > /ready
            while true; do sleep 0.01; done",
        );
        bundle.started();
        bundle.read_eventually("ready");
        bundle.kill(signal).succeeds();
        assert_eq!(bundle.read_eventually("got"), name);
        assert_eq!(bundle.state()["status"], "running");
    }
}

/// Kill on the command line of runc: TERM is the signal by default.
fn is_term_when_none_is_named() {
    let mut bundle = Bundle::new(
        "trap 'echo TERM > /got; exit' TERM; echo ready > /ready; while true; do sleep 0.01; done",
    );
    bundle.started();
    bundle.read_eventually("ready");
    bundle.call("kill").succeeds();
    bundle.wait();
    assert_eq!(bundle.read_eventually("got"), "TERM");
}

/// runc's command line: as kill(2) has it.
fn nought_is_no_signal_and_asks_whether_it_runs() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    bundle.kill("0").succeeds();
    assert_eq!(bundle.state()["status"], "running");
    bundle.stop();
    bundle.kill("0").fails();
}

/// Errors: an error leaves everything as it was.
fn an_unknown_signal_is_an_error_without_effect() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    for signal in ["NONSENSE", "SIG", "1000", "-1"] {
        let outcome = bundle.kill(signal);
        assert_eq!(outcome.code, 1, "{signal:?}: {outcome:?}");
        assert_eq!(bundle.state()["status"], "running", "{signal}");
    }
}

/// Kill: a created container can be sent signals, and its end makes it
/// `stopped`; its program never runs.
fn of_a_created_container_stops_it() {
    let mut bundle = Bundle::new("echo ran > /ran");
    bundle.created();
    bundle.stop();
    assert!(!bundle.rootfs("ran").exists());
    bundle.call("start").fails();
    assert_eq!(bundle.state()["status"], "stopped");
}

/// Kill: a signal to a container that is neither `created` nor `running` MUST
/// have no effect on it and MUST be an error.
fn of_a_stopped_container_is_an_error_without_effect() {
    let mut bundle = Bundle::new("true");
    bundle.started();
    bundle.wait();
    bundle.kill("TERM").fails();
    bundle.kill("KILL").fails();
    assert_eq!(bundle.state()["status"], "stopped");
}

/// Kill: when the process has stopped for whatever reason, the status MUST be
/// `stopped`.
fn a_container_that_ends_by_itself_is_stopped() {
    for script in ["exit 0", "exit 7", "kill -9 $$", "kill -SEGV $$"] {
        let mut bundle = Bundle::new(script);
        bundle.set(
            "/linux/namespaces",
            serde_json::json!([
                {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
            ]),
        );
        bundle.started();
        bundle.wait();
    }
}
