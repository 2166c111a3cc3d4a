//! An engine that dies, and the next one.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use tare_engine::Kind;
use tare_storage::Store;
use tare_storage::database::Error;

use crate::world::World;

fn pid(number: i64) -> Pid {
    let number = i32::try_from(number).expect("a process ID");
    Pid::from_raw(number).expect("a process ID")
}

/// Runs a statement while no engine has the database.
fn change(data_root: &Path, statement: &str, id: &str) {
    let store = Store::open(data_root).expect("the store");
    let changed = store
        .database()
        .write(tare_storage::Durability::Relaxed, |transaction| {
            Ok::<_, Error>(transaction.execute(statement, [id])?)
        });
    assert_eq!(changed.expect("a change"), 1);
}

/// The shim is the parent of the container's init.
fn shim_of(init: i64) -> Pid {
    let status = std::fs::read_to_string(format!("/proc/{init}/status")).expect("the init");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    pid(parent.expect("a parent").trim().parse().expect("a number"))
}

#[test]
fn containers_run_on_and_are_found_again() {
    let mut world = World::new();
    let id = world.sleeper("steady");
    let before = world.state(&id);
    world.kill();
    world.open();
    let after = world.state(&id);
    assert_eq!(
        (after.status.as_str(), after.pid, after.started_at),
        ("running", before.pid, before.started_at)
    );
    world
        .run(async |engine| engine.container_kill(&id, None).await)
        .expect("a kill");
    assert_eq!(world.state(&id).exit_code, 137);
    world.remove(&id);
}

#[test]
fn a_shim_that_does_not_answer_keeps_its_container() {
    let mut world = World::new();
    let id = world.sleeper("stunned");
    let shim = shim_of(world.state(&id).pid);
    world.kill();
    kill_process(shim, Signal::STOP).expect("a stop");
    world.open();
    let state = world.state(&id);
    let refused = world.run(async |engine| engine.container_kill(&id, None).await);
    kill_process(shim, Signal::CONT).expect("a continuation");
    assert_eq!(state.status, "running");
    assert_eq!(refused.expect_err("no shim").kind(), Kind::Unavailable);
    rustix::process::test_kill_process(pid(state.pid)).expect("its program runs on");
    // Once it answers, the container can be handled again.
    let since = std::time::Instant::now();
    while let Err(error) = world.run(async |engine| engine.container_kill(&id, None).await) {
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(since.elapsed() < crate::world::PATIENCE, "{error}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(world.state(&id).exit_code, 137);
    world.remove(&id);
}

#[test]
fn a_shim_whose_exit_is_on_record_is_let_go() {
    let mut world = World::new();
    let id = world.sleeper("recorded");
    let init = world.state(&id).pid;
    world.kill();
    kill_process(pid(init), Signal::KILL).expect("a kill");
    // As if the engine had been killed between the record and the release.
    change(
        &world.data_root(),
        "UPDATE containers SET record = json_set(record, '$.state.status', 'exited') WHERE id = ?1",
        &id,
    );
    world.open();
    assert!(!world.shim_directory(&id).exists());
    world
        .run(async |engine| engine.container_start(&id).await)
        .expect("a start");
    world.remove(&id);
}

#[test]
fn a_start_that_was_not_recorded_is_adopted() {
    let mut world = World::new();
    let id = world.sleeper("early");
    let init = world.state(&id).pid;
    world.kill();
    change(
        &world.data_root(),
        "UPDATE containers SET record = json_set(record, '$.state.status', 'starting', \
         '$.state.pid', 0, '$.starts', 0) WHERE id = ?1",
        &id,
    );
    world.open();
    let state = world.state(&id);
    assert_eq!((state.status.as_str(), state.pid), ("running", init));
    world.remove(&id);
}

#[test]
fn a_record_that_cannot_be_read_is_left_alone() {
    let mut world = World::new();
    let (strange, usual) = (world.sleeper("strange"), world.sleeper("usual"));
    let init = world.state(&strange).pid;
    world.kill();
    let keep = world.data_root();
    change(
        &keep,
        "UPDATE containers SET record = json_set(record, '$.created', record) WHERE id = ?1",
        &strange,
    );
    world.open();
    assert_eq!(world.state(&usual).status, "running");
    rustix::process::test_kill_process(pid(init)).expect("its program runs on");
    let missing = world.run(async |engine| engine.container_inspect(&strange, false).await);
    assert_eq!(missing.expect_err("unreadable").kind(), Kind::NotFound);
    world.kill();
    change(
        &keep,
        "UPDATE containers SET record = json_extract(record, '$.created') WHERE id = ?1",
        &strange,
    );
    world.open();
    let state = world.state(&strange);
    assert_eq!((state.status.as_str(), state.pid), ("running", init));
    world.remove(&strange);
    world.remove(&usual);
}
