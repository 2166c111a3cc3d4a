use serde_json::json;
use std::io::Write;
use std::process::Stdio;
use tare_tests::{Engine, against_docker};

#[test]
fn prints_and_passes_the_exit_code_on() {
    let engine = Engine::start();
    let output = engine.client(&[
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 3",
    ]);
    let output = output.expect(3);
    assert_eq!(output.stdout, "out\n");
    assert_eq!(output.stderr, "err\n");
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn input_reaches_the_process_and_so_does_its_end() {
    let engine = Engine::start();
    let input: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    let output = engine
        .client_with_input(
            &["run", "--rm", "-i", "busybox", "md5sum"],
            input.as_bytes(),
        )
        .expect(0);
    let direct =
        engine.client_with_input(&["run", "--rm", "-i", "busybox", "cat"], input.as_bytes());
    assert!(
        direct.expect(0).stdout == input,
        "cat gives back what it got"
    );
    assert!(output.stdout.ends_with("  -\n"), "{}", output.stdout);
    // Without -i there is nothing to read.
    let output = engine
        .client_with_input(&["run", "--rm", "busybox", "cat"], b"unheard\n")
        .expect(0);
    assert_eq!(output.stdout, "");
}

#[test]
fn much_output_arrives_whole_and_in_order() {
    let engine = Engine::start();
    let output = engine
        .client(&["run", "--rm", "busybox", "sh", "-c", "seq 1 100000"])
        .expect(0);
    let expected: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    assert!(output.stdout == expected, "{} bytes", output.stdout.len());
}

#[test]
fn detached_prints_the_id_and_goes_on() {
    let engine = Engine::start();
    let id = engine
        .client(&["run", "-d", "--name", "behind", "busybox", "sleep", "100"])
        .line();
    assert_eq!(id.len(), 64, "{id}");
    let seen = engine.inspect("behind");
    assert_eq!(seen["Id"], id);
    assert_eq!(seen["State"]["Running"], true);
    let line = engine.client(&["ps"]).expect(0).stdout;
    assert!(
        line.contains("behind") && line.contains(&id[..12]),
        "{line}"
    );
    assert!(line.contains("\"sleep 100\""), "{line}");
    assert!(line.contains("Up "), "{line}");
    let killed = engine.client(&["kill", "behind"]).line();
    assert_eq!(killed, "behind");
    engine.wait("behind");
    assert!(!engine.client(&["ps"]).expect(0).stdout.contains("behind"));
    assert!(
        engine
            .client(&["ps", "-a"])
            .expect(0)
            .stdout
            .contains("Exited (137)")
    );
    assert_eq!(engine.client(&["rm", "behind"]).line(), "behind");
    assert_eq!(engine.client(&["ps", "-aq"]).expect(0).stdout, "");
}

#[test]
fn the_whole_way_of_a_container_by_the_client() {
    let engine = Engine::start();
    let script = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    engine
        .client(&["run", "-d", "--name", "way", "busybox", "sh", "-c", script])
        .expect(0);
    tare_tests::eventually("it says ready", || {
        let output = engine.client(&["logs", "way"]).expect(0);
        (output.stdout == "ready\n").then_some(())
    });
    let output = engine
        .client(&["exec", "way", "cat", "/proc/1/comm"])
        .expect(0);
    assert_eq!(output.stdout, "sh\n");
    assert_eq!(engine.client(&["stop", "way"]).line(), "way");
    assert_eq!(engine.client(&["wait", "way"]).line(), "5");
    let output = engine.client(&["logs", "way"]).expect(0);
    assert_eq!(output.stdout, "ready\nbye\n");
    let text = engine.client(&["inspect", "way"]).expect(0).stdout;
    let seen: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(seen[0]["State"]["ExitCode"], 5);
    engine.client(&["rm", "way"]).expect(0);
    engine
        .client(&["inspect", "way"])
        .expect_error(1, &["No such object: way"]);
}

#[test]
fn attach_joins_a_running_container() {
    let engine = Engine::start();
    let script = "read line; echo got $line; exit 4";
    engine
        .client(&[
            "run", "-d", "-i", "--name", "talk", "busybox", "sh", "-c", script,
        ])
        .expect(0);
    // The input stays open: its end would detach, as the container keeps its own.
    let mut client = engine
        .client_command(&["attach", "talk"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client");
    let mut input = client.stdin.take().expect("piped");
    input.write_all(b"this\n").expect("input");
    let output = client.wait_with_output().expect("its output");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "got this\n");
}

#[test]
fn two_hundred_runs_at_once_do_not_disturb_each_other() {
    let engine = Engine::start();
    let (threads, rounds) = if against_docker() { (4, 5) } else { (8, 25) };
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..rounds {
                    let text = format!("{thread}-{round}");
                    let output = engine
                        .client(&["run", "--rm", "busybox", "echo", &text])
                        .expect(0);
                    assert_eq!(output.stdout, format!("{text}\n"));
                }
            });
        }
    });
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}
