//! What is known of an exec, and when.

use tare_engine::exec::ExecStartOptions;
use tare_engine_api::ExecConfig;
use tokio::io::AsyncReadExt;

use crate::world::World;

#[test]
fn who_has_seen_the_stream_end_is_told_the_exit_code() {
    let world = World::new();
    let id = world.sleeper("busy");
    world.run(async |engine| {
        for number in 0..100 {
            let words = ["/bin/busybox", "sh", "-c", &format!("exit {number}")];
            let config = ExecConfig {
                cmd: words.map(str::to_owned).to_vec(),
                attach_stdout: true,
                ..ExecConfig::default()
            };
            let exec = engine.exec_create(&id, config).expect("an exec");
            let started = engine.exec_start(&exec, ExecStartOptions::default()).await;
            let mut stream = started.expect("a start").expect("a stream").stream;
            stream.read_to_end(&mut Vec::new()).await.expect("its end");
            let told = engine.exec_inspect(&exec).expect("the exec");
            assert_eq!(
                (told.running, told.exit_code, told.pid),
                (false, Some(number), 0)
            );
        }
    });
    world.remove(&id);
}
