//! Many clients at one container.

use tare_engine::containers::{AttachOptions, RemoveOptions};
use tare_engine::exec::ExecStartOptions;
use tare_engine::{Engine, Kind, Result};
use tare_engine_api::ExecConfig;

use crate::world::World;

/// How often the crowd comes.
const ROUNDS: usize = 40;

async fn exec(engine: &Engine, id: &str) -> Result<()> {
    let config = ExecConfig {
        cmd: ["/bin/busybox", "true"].map(str::to_owned).to_vec(),
        ..ExecConfig::default()
    };
    let exec = engine.exec_create(id, config)?;
    let options = ExecStartOptions {
        detach: true,
        ..ExecStartOptions::default()
    };
    engine.exec_start(&exec, options).await.map(drop)
}

async fn attach(engine: &Engine, id: &str) -> Result<()> {
    let options = AttachOptions {
        stream: true,
        stdout: true,
        ..AttachOptions::default()
    };
    engine.container_attach(id, options).await.map(drop)
}

/// One client's wish.
async fn wish(engine: Engine, id: String, which: usize) -> Result<()> {
    match which {
        0 | 1 => engine.container_start(&id).await,
        2 => engine.container_stop(&id, None, Some(0)).await,
        3 => engine.container_kill(&id, None).await,
        4 => engine.container_kill(&id, Some("TERM".to_owned())).await,
        5 => exec(&engine, &id).await,
        6 => attach(&engine, &id).await,
        7 => engine.container_inspect(&id, true).await.map(drop),
        8 => {
            let options = RemoveOptions::default();
            engine.container_remove(&id, options).await
        }
        _ => engine.container_resize(&id, 24, 80).await,
    }
}

#[test]
fn nobody_is_told_of_a_failure_and_nothing_stays() {
    let world = World::new();
    for round in 0..ROUNDS {
        let id = world.create(&format!("crowded{round}"), "exec /bin/busybox sleep 0.02");
        world.run(async |engine| {
            let mut crowd = tokio::task::JoinSet::new();
            for which in (0..10).cycle().skip(round).take(20) {
                crowd.spawn(wish(engine.clone(), id.clone(), which));
            }
            while let Some(told) = crowd.join_next().await {
                if let Err(error) = told.expect("no panic") {
                    // A state that forbids it is an answer, and so is the
                    // terminal that this container has not.
                    let usual = [
                        Kind::Conflict,
                        Kind::NotFound,
                        Kind::NotModified,
                        Kind::InvalidParameter,
                    ];
                    assert!(usual.contains(&error.kind()), "{:?}: {error}", error.kind());
                }
            }
            let options = RemoveOptions {
                force: true,
                ..RemoveOptions::default()
            };
            if let Err(error) = engine.container_remove(&id, options).await {
                assert_eq!(error.kind(), Kind::NotFound, "{error}");
            }
        });
        assert!(!world.shim_directory(&id).exists());
        // Its name is free again.
        let again = world.create(&format!("crowded{round}"), "true");
        world.remove(&again);
    }
}
