//! Commands that meet each other, or a state that somebody has spoilt.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::bundle::{Bundle, hook};
use crate::{cgroups, runtime, subtree};

tests!(races:
    of_two_creators_of_one_id_one_wins,
    of_two_starts_one_wins,
    of_two_deletes_nothing_is_left,
    of_many_updates_one_is_kept_whole,
    delete_of_a_container_that_is_run_does_not_hide_its_end,
    a_container_that_is_being_created_is_not_deleted,
    a_waiting_process_that_is_stopped_holds_nobody_up,
    nobody_else_can_start_a_container,
    a_link_in_the_way_of_the_pid_file_is_not_followed,
    a_state_directory_that_was_deleted_is_an_unknown_container,
    a_state_file_that_is_damaged_is_an_error_and_can_be_deleted,
    create_without_a_root_directory_makes_it,
);

/// Create: the ID is unique, though two want it at once.
fn of_two_creators_of_one_id_one_wins() {
    for _ in 0..5 {
        let bundle = Bundle::new("echo ran >> /ran");
        bundle.write();
        let path = bundle.text("bundle");
        let create = ["create", "--bundle", &path, &bundle.id];
        let started: Vec<_> = (0..4)
            .map(|_| bundle.runtime.start(&mut bundle.runtime.command(&create)))
            .collect();
        let outcomes: Vec<_> = started.into_iter().map(|one| one.finish()).collect();
        let won = outcomes.iter().filter(|outcome| outcome.code == 0).count();
        assert_eq!(won, 1, "{outcomes:?}");
        assert_eq!(bundle.state()["status"], "created");
        bundle.call("start").succeeds();
        bundle.wait();
        assert_eq!(bundle.read_eventually("ran"), "ran");
        bundle.call("delete").succeeds();
        bundle.assert_gone();
    }
}

/// Start: the program runs once, though two start it at once.
fn of_two_starts_one_wins() {
    for _ in 0..5 {
        let mut bundle = Bundle::new("echo ran >> /ran; exec sleep 1000");
        bundle.created();
        let start = ["start", &bundle.id];
        let started: Vec<_> = (0..3)
            .map(|_| bundle.runtime.start(&mut bundle.runtime.command(&start)))
            .collect();
        let outcomes: Vec<_> = started.into_iter().map(|one| one.finish()).collect();
        let won = outcomes.iter().filter(|outcome| outcome.code == 0).count();
        assert_eq!(won, 1, "{outcomes:?}");
        assert_eq!(bundle.read_eventually("ran"), "ran");
    }
}

/// Delete: whoever is later finds nothing to do.
fn of_two_deletes_nothing_is_left() {
    for _ in 0..5 {
        let mut bundle = Bundle::sleeping();
        bundle.started();
        let delete = ["delete", "--force", &bundle.id];
        let started: Vec<_> = (0..3)
            .map(|_| bundle.runtime.start(&mut bundle.runtime.command(&delete)))
            .collect();
        let outcomes: Vec<_> = started.into_iter().map(|one| one.finish()).collect();
        assert!(
            outcomes.iter().any(|outcome| outcome.code == 0),
            "{outcomes:?}"
        );
        bundle.assert_gone();
    }
}

/// What has no state is unknown; what it left is not this command's to guess.
fn a_state_directory_that_was_deleted_is_an_unknown_container() {
    let mut bundle = Bundle::sleeping();
    let pid = bundle.started();
    fs::remove_dir_all(bundle.runtime.root.join(&bundle.id)).expect("it is there");
    for command in ["state", "start", "pause", "kill", "delete"] {
        bundle.call(command).fails();
    }
    assert!(subtree::runs(pid));
    subtree::kill_all();
    cgroups::remove(&bundle.id);
}

/// A state that cannot be read is said to be so, and `delete --force` gets rid
/// of it.
fn a_state_file_that_is_damaged_is_an_error_and_can_be_deleted() {
    for damage in ["", "{", "[]", "{\"id\": 5}"] {
        let mut bundle = Bundle::sleeping();
        bundle.started();
        let path = bundle.runtime.root.join(&bundle.id).join("state.json");
        fs::write(path, damage).expect("the state");
        for command in ["state", "start", "kill", "delete"] {
            bundle.call(command).fails();
        }
        subtree::kill_all();
        let delete = ["delete", "--force", &bundle.id];
        bundle.runtime.call(&delete).succeeds();
        cgroups::remove(&bundle.id);
    }
}

/// `--root` need not be there.
fn create_without_a_root_directory_makes_it() {
    let mut bundle = Bundle::sleeping();
    bundle.runtime.root = bundle.path("made/for/it");
    bundle.created();
    assert_eq!(bundle.state()["status"], "created");
}

/// `update` keeps what it has changed, though several do so at once.
fn of_many_updates_one_is_kept_whole() {
    let mut bundle = Bundle::sleeping();
    bundle.started();
    for _ in 0..5 {
        let started: Vec<_> = ["55", "5555", "555555", "66"]
            .map(|limit| {
                let update = ["update", "--pids-limit", limit, &bundle.id];
                bundle.runtime.start(&mut bundle.runtime.command(&update))
            })
            .into();
        for one in started {
            one.finish().succeeds();
        }
        assert_eq!(bundle.state()["status"], "running");
    }
}

/// `run` ends as its program does, whoever removes the container.
fn delete_of_a_container_that_is_run_does_not_hide_its_end() {
    for _ in 0..10 {
        let bundle = Bundle::new("echo ready > /ready; exec sleep 1000");
        bundle.write();
        let path = bundle.text("bundle");
        let run = ["run", "--bundle", &path, &bundle.id];
        let started = bundle.runtime.start(&mut bundle.runtime.command(&run));
        bundle.read_eventually("ready");
        let delete = ["delete", "--force", &bundle.id];
        bundle.runtime.call(&delete).succeeds();
        let outcome = started.finish();
        assert_eq!(outcome.code, 137, "{outcome:?}");
        bundle.assert_gone();
    }
}

/// Delete: a container that is not stopped MUST not be deleted, nor does one
/// that is being created pass for stopped.
fn a_container_that_is_being_created_is_not_deleted() {
    let mut bundle = Bundle::sleeping();
    let command = format!(
        "{} --root {}",
        runtime::program().display(),
        bundle.runtime.root.display()
    );
    let (id, log) = (&bundle.id, bundle.path("log"));
    let script = format!(
        "{command} delete {id} && echo deleted >> {log}; {command} state {id} >> {log}; true",
        log = log.display()
    );
    bundle.push("/hooks/createRuntime", hook(&script));
    bundle.created();
    assert_eq!(bundle.state()["status"], "created");
    let text = fs::read_to_string(log).expect("the hook has run");
    for word in ["deleted", "stopped"] {
        assert!(!text.contains(word), "{text}");
    }
}

/// More ask for the status than wait in line at a socket.
fn a_waiting_process_that_is_stopped_holds_nobody_up() {
    let mut bundle = Bundle::sleeping();
    let pid = Pid::from_raw(bundle.created()).expect("a process ID");
    kill_process(pid, Signal::STOP).expect("it is there");
    for _ in 0..40 {
        assert_eq!(bundle.state()["status"], "created");
    }
    kill_process(pid, Signal::CONT).expect("it is there");
    bundle.call("start").succeeds();
    assert_eq!(bundle.state()["status"], "running");
}

/// What is in the state directory is the creator's alone, even if the creator
/// has no mask for the modes of files.
fn nobody_else_can_start_a_container() {
    let bundle = Bundle::sleeping();
    bundle.write();
    let path = bundle.text("bundle");
    let create = bundle
        .runtime
        .command(&["create", "--bundle", &path, &bundle.id]);
    let mut unmasked = Command::new("sh");
    unmasked
        .args(["-c", "umask 0; exec \"$0\" \"$@\""])
        .arg(create.get_program())
        .args(create.get_args());
    bundle.runtime.finish(&mut unmasked).succeeds();
    let directory = bundle.runtime.root.join(&bundle.id);
    for entry in fs::read_dir(directory).expect("the state").flatten() {
        let mode = entry.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o022, 0, "{entry:?}: {mode:o}");
    }
}

/// Somebody else may write where the number goes.
fn a_link_in_the_way_of_the_pid_file_is_not_followed() {
    let mut bundle = Bundle::sleeping();
    let victim = bundle.path("victim");
    fs::write(&victim, "untouched").expect("a file");
    symlink(&victim, bundle.path(".pid")).expect("a link");
    let path = bundle.text("pid");
    bundle.create_with(&["--pid-file", &path]);
    assert_eq!(
        fs::read_to_string(victim).expect("it is there"),
        "untouched"
    );
}
