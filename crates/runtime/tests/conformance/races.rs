//! Commands that meet each other, or a state that somebody has spoilt.

use std::fs;

use crate::bundle::Bundle;
use crate::{cgroups, subtree};

tests!(races:
    of_two_creators_of_one_id_one_wins,
    of_two_starts_one_wins,
    of_two_deletes_nothing_is_left,
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
