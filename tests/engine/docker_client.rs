//! The real docker client, and Docker's library for Python, against the engine.

use tare_tests::{Engine, Registry, Terminal, eventually};

#[test]
fn a_session() {
    let engine = Engine::start();
    let registry = Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "platforms", "platforms:latest");
    let docker = |arguments: &[&str]| engine.docker(arguments).expect(0).stdout;

    assert!(docker(&["version"]).contains("Server"));
    assert!(docker(&["info"]).contains("Server Version"));
    assert!(docker(&["images"]).contains("busybox"));
    docker(&["pull", &name]);
    assert_eq!(docker(&["run", "--rm", &name]), "hello from amd64\n");
    assert_eq!(docker(&["run", "--rm", "busybox", "echo", "one"]), "one\n");
    let output = engine
        .docker(&["run", "busybox", "sh", "-c", "echo err >&2; exit 7"])
        .expect(7);
    assert_eq!(output.stderr, "err\n");

    let script = "trap 'exit 3' TERM; echo started; while :; do sleep 0.05; done";
    let id = docker(&[
        "run", "-d", "--name", "web", "-p", "8080:80", "-m", "64m", "-e", "A=b", "busybox", "sh",
        "-c", script,
    ]);
    let id = id.trim();
    let line = docker(&["ps", "--no-trunc"]);
    assert!(
        line.contains(id) && line.contains("web") && line.contains("0.0.0.0:8080->80/tcp"),
        "{line}"
    );
    assert_eq!(
        docker(&["ps", "--format", "{{.Names}} {{.State}} {{.Image}}"]),
        "web running busybox\n"
    );
    eventually("it has started", || {
        docker(&["logs", "web"]).contains("started").then_some(())
    });
    assert_eq!(docker(&["logs", "--tail", "1", "web"]), "started\n");
    assert_eq!(
        docker(&["exec", "web", "sh", "-c", "echo $A; hostname"]),
        format!("b\n{}\n", &id[..12])
    );
    engine
        .docker(&["exec", "-u", "nobody", "web", "sh", "-c", "exit 9"])
        .expect(9);
    let address = docker(&[
        "inspect",
        "-f",
        "{{.NetworkSettings.IPAddress}} {{.HostConfig.Memory}} {{.State.Running}}",
        "web",
    ]);
    assert!(
        address.ends_with(" 67108864 true\n") && address.contains('.'),
        "{address}"
    );
    assert_eq!(
        docker(&["port", "web"]).lines().next(),
        Some("80/tcp -> 0.0.0.0:8080")
    );
    assert!(docker(&["network", "ls"]).contains("bridge"));
    assert!(docker(&["network", "inspect", "bridge"]).contains(id));
    assert_eq!(docker(&["stop", "web"]), "web\n");
    assert_eq!(docker(&["wait", "web"]), "3\n");
    assert_eq!(
        docker(&["inspect", "-f", "{{.State.ExitCode}}", "web"]),
        "3\n"
    );
    docker(&["start", "web"]);
    docker(&["kill", "-s", "KILL", "web"]);
    assert_eq!(docker(&["wait", "web"]), "137\n");
    docker(&["rm", "web"]);
    let rest = docker(&["ps", "-aq"]);
    docker(&["rm", rest.trim()]);
    assert!(docker(&["rmi", &name]).contains("Untagged"));
    engine
        .docker(&["inspect", "web"])
        .expect_error(1, &["No such object: web"]);
}

#[test]
fn an_interactive_session() {
    let engine = Engine::start();
    let mut terminal = Terminal::start(
        engine.docker_command(&["run", "--rm", "-it", "--name", "shell", "busybox", "sh"]),
    );
    terminal.expect("# ");
    terminal.send("stty size; echo 'mark'er\n");
    assert!(terminal.expect("\nmarker").contains("24 80"));
    let mut other = Terminal::start(engine.docker_command(&["exec", "-it", "shell", "sh"]));
    other.expect("# ");
    other.send("exit 4\n");
    assert_eq!(other.finish().1, 4);
    terminal.send("exit 6\n");
    assert_eq!(terminal.finish().1, 6);
}

#[test]
fn debians_own_client() {
    // An older one than the one on the machine's path may be.
    let engine = Engine::start();
    let socket = format!("unix://{}", engine.socket().display());
    let run = |arguments: &[&str]| {
        let mut all = vec!["-H", &socket];
        all.extend(arguments);
        engine.sandbox().output("/usr/bin/docker", &all)
    };
    assert_eq!(run(&["run", "--rm", "busybox", "echo", "old"]), "old\n");
    run(&["run", "-d", "--name", "old", "busybox", "sleep", "100"]);
    assert_eq!(run(&["exec", "old", "echo", "in"]), "in\n");
    assert!(run(&["ps"]).contains("old"));
    run(&["rm", "-f", "old"]);
}

const PYTHON: &str = r#"
import docker, sys
client = docker.DockerClient(base_url=sys.argv[1])
assert client.ping()
assert client.containers.run("busybox", "echo from python", remove=True, log_config={"type": "json-file"}) == b"from python\n"
container = client.containers.run("busybox", "sh -c 'echo ready; sleep 100'", detach=True, name="py", mem_limit="32m", labels={"a": "b"}, ports={"80/tcp": 8081})
container.reload()
assert container.status == "running", container.status
assert container.attrs["HostConfig"]["Memory"] == 32 << 20
code, output = container.exec_run("sh -c 'echo out; exit 5'")
assert (code, output) == (5, b"out\n"), (code, output)
stream = container.exec_run("cat", stdin=True, socket=True)
for line in container.logs(stream=True, follow=True):
    assert line == b"ready\n", line
    break
assert [c.name for c in client.containers.list(filters={"label": "a=b"})] == ["py"]
container.kill()
assert container.wait()["StatusCode"] == 137
container.remove()
try:
    client.containers.run("busybox", "no-such-program", remove=True)
    raise SystemExit("it ran")
except docker.errors.APIError as error:
    assert error.status_code == 400, error
try:
    client.containers.get("py")
    raise SystemExit("it is there")
except docker.errors.NotFound:
    pass
image = client.images.get("busybox")
assert image.tags == ["busybox:latest"], image.tags
print("all of it")
"#;

#[test]
fn dockers_library_for_python() {
    let engine = Engine::start();
    let socket = format!("unix://{}", engine.socket().display());
    let output = engine
        .sandbox()
        .output("/usr/bin/python3", &["-c", PYTHON, &socket]);
    assert_eq!(output, "all of it\n");
}
