use serde_json::{Value, json};
use tare_tests::{Engine, Terminal, eventually};

#[test]
fn run_with_a_terminal_is_a_session() {
    let engine = Engine::start();
    let mut terminal =
        Terminal::start(engine.client_command(&["run", "--rm", "-it", "busybox", "sh"]));
    terminal.expect("# ");
    terminal.send("tty; stty size\n");
    terminal.expect("/dev/pts/0");
    terminal.expect("24 80");
    terminal.expect("# ");
    // The window changes while it runs.
    terminal.resize(40, 100);
    eventually("the container's terminal has the new size", || {
        terminal.send("stty size; echo mark''er\n");
        terminal.expect("marker").contains("40 100").then_some(())
    });
    // Interrupts go to what runs inside, not to the client.
    terminal.send("echo slee''ping; sleep 100\n");
    terminal.expect("sleeping");
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.send("\x03");
    terminal.expect("# ");
    terminal.send("exit 9\n");
    let (_, code) = terminal.finish();
    assert_eq!(code, 9);
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}

#[test]
fn detaching_leaves_it_running() {
    let engine = Engine::start();
    let mut terminal =
        Terminal::start(engine.client_command(&["run", "-it", "--name", "left", "busybox", "sh"]));
    terminal.expect("# ");
    terminal.send("\x10\x11");
    let (_, code) = terminal.finish();
    assert_eq!(code, 0);
    assert_eq!(engine.inspect("left")["State"]["Running"], true);
    let mut terminal = Terminal::start(engine.client_command(&["attach", "left"]));
    terminal.send("echo bac''k\n");
    terminal.expect("back");
    terminal.send("exit 2\n");
    assert_eq!(terminal.finish().1, 2);
}

#[test]
fn resize_by_the_api() {
    let engine = Engine::start();
    let id =
        engine.create(json!({"Image": "busybox", "Cmd": ["sh"], "Tty": true, "OpenStdin": true}));
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1");
    let mut attached = engine.hijack(&path, Value::Null);
    engine
        .post(&format!("/containers/{id}/start"), Value::Null)
        .expect(204);
    attached.read_until("# ");
    engine
        .post(&format!("/containers/{id}/resize?h=33&w=111"), Value::Null)
        .expect(200);
    attached.send(b"stty size\n").expect("input");
    // One terminal, no frames: the prompt and what follows come as they are.
    attached.read_until("33 111\r\n");
    attached.send(b"exit\n").expect("input");
    assert_eq!(engine.wait(&id), 0);
}

#[test]
fn without_a_terminal_the_client_refuses_one() {
    let engine = Engine::start();
    engine
        .client(&["run", "--rm", "-it", "busybox", "true"])
        .expect_error(1, &["the input device is not a TTY"]);
    assert_eq!(engine.get("/containers/json?all=1"), json!([]));
}
