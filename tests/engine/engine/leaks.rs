use serde_json::{Value, json};
use tare_tests::{Engine, Leaks};

/// An engine that has run once: what it makes on first use is there.
pub(super) fn warm_engine() -> Engine {
    let engine = Engine::start();
    engine
        .client(&["run", "--rm", "-p", "8080:80", "busybox", "true"])
        .expect(0);
    engine
}

#[test]
fn every_way_of_running_leaves_nothing() {
    let engine = warm_engine();
    let before = Leaks::count(&engine);
    let table: &[(&[&str], i32)] = &[
        (&["busybox", "true"], 0),
        (&["busybox", "sh", "-c", "exit 3"], 3),
        (&["--network", "none", "busybox", "true"], 0),
        (&["--network", "host", "busybox", "true"], 0),
        (
            &["-p", "8080:80", "-p", "9090:90/udp", "busybox", "true"],
            0,
        ),
        (
            &[
                "-m",
                "32m",
                "--cpus",
                "0.5",
                "--pids-limit",
                "20",
                "busybox",
                "true",
            ],
            0,
        ),
        (&["--init", "--read-only", "busybox", "true"], 0),
        (&["-t", "busybox", "true"], 0),
        (
            &["-w", "/new", "-u", "nobody", "-e", "A=b", "busybox", "true"],
            0,
        ),
        (
            &[
                "busybox",
                "sh",
                "-c",
                "dd if=/dev/zero of=/file bs=1M count=20; mkdir -p /a/b/c",
            ],
            0,
        ),
        (
            &["busybox", "sh", "-c", "sleep 100 & sleep 100 & exit 0"],
            0,
        ),
        (&["busybox", "no-such-program"], 127),
        (&["busybox", "/etc/passwd"], 126),
        (&["-u", "nobody-of-this-name", "busybox", "true"], 125),
        (&["-w", "/etc/passwd", "busybox", "true"], 126),
    ];
    for (arguments, code) in table {
        let mut all = vec!["run", "--rm"];
        all.extend(*arguments);
        let output = engine.client(&all);
        let expected = if *code == 126 {
            125..=127
        } else {
            *code..=*code
        };
        assert!(expected.contains(&output.code), "{output:?}");
    }
    before.assert_same(&engine);
}

#[test]
fn a_life_with_stop_kill_and_exec_leaves_nothing() {
    let engine = warm_engine();
    let before = Leaks::count(&engine);
    for round in 0..3 {
        let id = engine.start_container(json!({
            "Image": "busybox",
            "Cmd": ["sh", "-c", "trap exit TERM; while :; do sleep 0.05; done"],
            "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
        }));
        engine.client(&["exec", &id, "true"]).expect(0);
        engine.client(&["exec", &id, "no-such-program"]);
        engine
            .client(&["exec", "-d", &id, "sleep", "1000"])
            .expect(0);
        match round {
            0 => drop(
                engine
                    .post(&format!("/containers/{id}/stop"), Value::Null)
                    .expect(204),
            ),
            1 => drop(
                engine
                    .post(&format!("/containers/{id}/kill"), Value::Null)
                    .expect(204),
            ),
            _ => (),
        }
        engine
            .delete(&format!("/containers/{id}?force=1"))
            .expect(204);
    }
    before.assert_same(&engine);
}

#[test]
fn clients_that_go_away_leave_nothing() {
    let engine = warm_engine();
    let before = Leaks::count(&engine);
    let id = engine.create(json!({"Image": "busybox", "Cmd": ["sh", "-c", "while :; do echo x; sleep 0.01; done"], "OpenStdin": true}));
    for _ in 0..5 {
        drop(engine.hijack(
            &format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1"),
            Value::Null,
        ));
    }
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    for path in ["attach?stream=1&stdout=1", "wait"] {
        for _ in 0..5 {
            drop(engine.open("POST", &format!("/containers/{id}/{path}"), &[], &[]));
        }
    }
    for _ in 0..5 {
        let mut following = engine.open(
            "GET",
            &format!("/containers/{id}/logs?stdout=1&follow=1"),
            &[],
            &[],
        );
        following.chunk().expect("a chunk");
    }
    for _ in 0..5 {
        let answer = engine.post(
            &format!("/containers/{id}/exec"),
            json!({"AttachStdout": true, "Cmd": ["sleep", "0.2"]}),
        );
        let exec = answer.expect(201).json()["Id"]
            .as_str()
            .expect("an ID")
            .to_owned();
        drop(engine.hijack(&format!("/exec/{exec}/start"), json!({})));
    }
    engine
        .delete(&format!("/containers/{id}?force=1"))
        .expect(204);
    before.assert_same(&engine);
}

#[test]
fn a_hundred_at_once_leave_nothing() {
    let engine = warm_engine();
    let before = Leaks::count(&engine);
    let ids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let engine = &engine;
                scope.spawn(move || {
                    (0..25)
                        .map(|_| {
                            engine.start_container(
                                json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}),
                            )
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a thread"))
            .collect()
    });
    assert_eq!(
        engine
            .get("/containers/json")
            .as_array()
            .expect("a list")
            .len(),
        100
    );
    std::thread::scope(|scope| {
        for part in ids.chunks(25) {
            let engine = &engine;
            scope.spawn(move || {
                for id in part {
                    engine
                        .delete(&format!("/containers/{id}?force=1"))
                        .expect(204);
                }
            });
        }
    });
    before.assert_same(&engine);
}

#[test]
fn images_come_and_go_without_a_trace() {
    let engine = warm_engine();
    let before = Leaks::count(&engine);
    engine.load("layers");
    engine.client(&["run", "--rm", "layers", "true"]).expect(0);
    engine.delete("/images/layers").expect(200);
    before.assert_same(&engine);
}
