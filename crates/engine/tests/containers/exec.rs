//! What is known of an exec, and when.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use tare_engine::exec::ExecStartOptions;
use tare_engine_api::ExecConfig;

use crate::world::{WORKERS, World};

/// The engine's own tasks get no turn from the start of the exec to the
/// question, so that the answer cannot be theirs.
#[test]
fn who_has_seen_the_stream_end_is_told_the_exit_code() {
    let world = World::new();
    let id = world.sleeper("busy");
    world.run(async |engine| {
        for number in 0..10 {
            let words = ["/bin/busybox", "sh", "-c", &format!("exit {number}")];
            let config = ExecConfig {
                cmd: words.map(str::to_owned).to_vec(),
                attach_stdout: true,
                ..ExecConfig::default()
            };
            let exec = engine.exec_create(&id, config).expect("an exec");
            let started = engine.exec_start(&exec, ExecStartOptions::default()).await;
            let stream = started.expect("a start").expect("a stream").stream;
            let mut stream: UnixStream = stream.into_std().expect("a stream");
            stream.set_nonblocking(false).expect("a blocking stream");
            let gates: Vec<_> = (0..WORKERS).map(|_| keep_a_worker_busy()).collect();
            stream.read_to_end(&mut Vec::new()).expect("its end");
            let told = engine.exec_inspect(&exec).expect("the exec");
            drop(gates);
            assert_eq!(
                (told.running, told.exit_code, told.pid),
                (false, Some(number), 0)
            );
        }
    });
    world.remove(&id);
}

/// Until what this returns is dropped.
fn keep_a_worker_busy() -> mpsc::Sender<()> {
    let (gate, closed) = mpsc::channel::<()>();
    let (begun, here) = mpsc::channel();
    tokio::spawn(async move {
        begun.send(()).expect("a test");
        let _ = closed.recv();
    });
    here.recv().expect("a worker");
    gate
}
