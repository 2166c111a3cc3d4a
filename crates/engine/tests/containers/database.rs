//! A database that cannot be written to.

use tare_storage::rusqlite::Connection;

use crate::world::World;

/// Keeps the engine from writing until it is dropped.
fn lock(world: &World) -> Connection {
    let connection = Connection::open(world.data_root().join("tare.db")).expect("the database");
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock");
    connection
}

#[test]
fn an_exit_that_cannot_be_recorded_is_not_lost() {
    let mut world = World::new();
    let id = world.sleeper("sealed");
    let locked = lock(&world);
    world
        .run(async |engine| engine.container_kill(&id, None).await)
        .expect("a kill");
    let state = world.await_status(&id, "exited");
    assert_eq!(state.exit_code, 137);
    // The shim keeps it for the next engine …
    world.kill();
    drop(locked);
    world.open();
    let state = world.await_status(&id, "exited");
    assert_eq!(state.exit_code, 137);
    assert!(!world.shim_directory(&id).exists());
    // … or until it is void.
    world
        .run(async |engine| engine.container_start(&id).await)
        .expect("a start");
    let locked = lock(&world);
    world
        .run(async |engine| engine.container_kill(&id, None).await)
        .expect("a kill");
    drop(locked);
    world
        .run(async |engine| engine.container_start(&id).await)
        .expect("a start");
    assert_eq!(world.state(&id).status, "running");
    world.remove(&id);
}
