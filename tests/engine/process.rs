//! What a container's process starts with: user, directory, environment,
//! program, host name.

use serde_json::json;
use tare_tests::Engine;

fn run(engine: &Engine, arguments: &[&str]) -> String {
    let mut all = vec!["run", "--rm"];
    all.extend(arguments);
    engine.client(&all).expect(0).stdout
}

#[test]
fn the_user() {
    let engine = Engine::start_with_images(&["busybox", "user-by-name", "user-by-number"]);
    let table: &[(&[&str], &str)] = &[
        (
            &["busybox", "id"],
            "uid=0(root) gid=0(root) groups=0(root),4(adm),10(wheel)",
        ),
        (
            &["-u", "www-data", "busybox", "id"],
            "uid=33(www-data) gid=33(www-data) groups=33(www-data),100(users)",
        ),
        (&["-u", "33", "busybox", "id", "-u"], "33"),
        (
            &["-u", "www-data:daemon", "busybox", "id"],
            "uid=33(www-data) gid=1(daemon) groups=1(daemon)",
        ),
        (
            &["-u", "5000:6000", "busybox", "id"],
            "uid=5000 gid=6000 groups=6000",
        ),
        (
            &["-u", "5000", "busybox", "id"],
            "uid=5000 gid=0(root) groups=0(root)",
        ),
        (
            &["user-by-name", "id"],
            "uid=1000(app) gid=1001(app) groups=1001(app),1002(extra)",
        ),
        (&["user-by-number"], "uid=1234 gid=5678 groups=5678"),
        (&["-u", "0", "user-by-number"], "uid=0(root)"),
    ];
    for (arguments, expected) in table {
        let mut arguments = arguments.to_vec();
        if arguments == ["user-by-name", "id"] {
            arguments = vec!["--entrypoint", "id", "user-by-name"];
        }
        let text = run(&engine, &arguments);
        assert!(text.starts_with(expected), "{arguments:?}: {text}");
    }
    engine
        .client(&[
            "run",
            "--rm",
            "-u",
            "nobody-of-this-name",
            "busybox",
            "true",
        ])
        .expect_error(125, &["unable to find user nobody-of-this-name"]);
    let text = run(
        &engine,
        &[
            "--group-add",
            "www-data",
            "--group-add",
            "777",
            "busybox",
            "id",
            "-G",
        ],
    );
    assert_eq!(text.trim(), "0 4 10 33 777");
}

#[test]
fn the_directory() {
    let engine = Engine::start_with_images(&["busybox", "user-by-name"]);
    assert_eq!(run(&engine, &["busybox", "pwd"]), "/\n");
    assert_eq!(run(&engine, &["-w", "/etc", "busybox", "pwd"]), "/etc\n");
    // One that is not there is made.
    assert_eq!(
        run(&engine, &["-w", "/made/for/it", "busybox", "pwd"]),
        "/made/for/it\n"
    );
    assert_eq!(run(&engine, &["user-by-name", "pwd"]), "/srv\n");
    engine
        .client(&["run", "--rm", "-w", "relative", "busybox", "true"])
        .expect_error(
            125,
            &["the working directory 'relative' is invalid, it needs to be an absolute path"],
        );
    // A file is no directory.
    let output = engine.client(&["run", "--rm", "-w", "/etc/passwd", "busybox", "true"]);
    assert!(output.code >= 125, "{output:?}");
}

#[test]
fn the_environment() {
    let engine = Engine::start_with_images(&["busybox", "user-by-name"]);
    let text = run(
        &engine,
        &[
            "-h",
            "host",
            "-e",
            "A=1",
            "-e",
            "B=two words",
            "-e",
            "PATH=/bin",
            "busybox",
            "env",
        ],
    );
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "A=1",
            "B=two words",
            "HOME=/root",
            "HOSTNAME=host",
            "PATH=/bin"
        ]
    );
    // A terminal adds TERM, a user his home; a name alone takes the client's value.
    let text = run(&engine, &["-t", "-u", "daemon", "busybox", "env"]);
    assert!(
        text.contains("TERM=xterm\r\n") && text.contains("HOME=/usr/sbin\r\n"),
        "{text}"
    );
    let mut command = engine.client_command(&[
        "run",
        "--rm",
        "-e",
        "FROM_CLIENT",
        "-e",
        "NOT_SET",
        "busybox",
        "env",
    ]);
    let output = command
        .env("FROM_CLIENT", "value")
        .output()
        .expect("the client");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("FROM_CLIENT=value\n") && !text.contains("NOT_SET"),
        "{text}"
    );
    let file = engine.sandbox().directory().join("environment");
    std::fs::write(&file, "# a comment\nX=from file\n\nY=\n").expect("a file");
    let text = run(
        &engine,
        &["--env-file", &file.to_string_lossy(), "busybox", "env"],
    );
    assert!(
        text.contains("X=from file\n") && text.contains("Y=\n"),
        "{text}"
    );
    // Ten thousand variables are no problem.
    let many: Vec<String> = (0..10_000).map(|number| format!("V{number}=x")).collect();
    let id = engine.start_container(
        json!({"Image": "busybox", "Cmd": ["sh", "-c", "env | grep -c ^V"], "Env": many}),
    );
    assert_eq!(engine.wait(&id), 0);
    assert_eq!(engine.client(&["logs", &id]).line(), "10000");
}

#[test]
fn the_program() {
    let engine = Engine::start_with_images(&["busybox", "user-by-name", "hello"]);
    assert_eq!(run(&engine, &["hello"]), "hello from amd64\n");
    assert_eq!(
        run(&engine, &["busybox", "echo", "a  b", "$HOME"]),
        "a  b $HOME\n"
    );
    assert_eq!(
        run(&engine, &["--entrypoint", "echo", "busybox", "x", "y"]),
        "x y\n"
    );
    assert!(run(&engine, &["user-by-name"]).ends_with("/srv\n/home/app\n"));
    // Another entrypoint takes the image's command away.
    assert_eq!(
        run(&engine, &["--entrypoint", "echo", "user-by-name"]),
        "\n"
    );
    let id = engine.create(json!({"Image": "user-by-name", "Entrypoint": ["echo", "e"]}));
    let seen = engine.inspect(&id);
    assert_eq!(
        (&seen["Path"], &seen["Args"]),
        (&json!("echo"), &json!(["e"]))
    );
    // Found by the container's PATH, not by ours.
    let output = engine.client(&["run", "--rm", "-e", "PATH=/nowhere", "busybox", "true"]);
    assert_eq!(output.code, 127, "{output:?}");
}

#[test]
fn the_host_name_and_its_files() {
    let engine = Engine::start();
    let text = run(
        &engine,
        &[
            "--hostname",
            "given",
            "busybox",
            "sh",
            "-c",
            "hostname; cat /etc/hostname; cat /etc/hosts",
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["given", "given"]);
    assert!(lines.contains(&"127.0.0.1\tlocalhost"), "{text}");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("\tgiven") && line.contains('.')),
        "{text}"
    );
    let id = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "100"]}));
    assert_eq!(engine.client(&["exec", &id, "hostname"]).line(), id[..12]);
    let text = run(
        &engine,
        &[
            "--add-host",
            "other:10.1.2.3",
            "busybox",
            "grep",
            "other",
            "/etc/hosts",
        ],
    );
    assert_eq!(text, "10.1.2.3\tother\n");
    let resolv = run(
        &engine,
        &[
            "--dns",
            "192.0.2.1",
            "--dns-search",
            "example.org",
            "busybox",
            "cat",
            "/etc/resolv.conf",
        ],
    );
    assert!(
        resolv.contains("nameserver 192.0.2.1") && resolv.contains("search example.org"),
        "{resolv}"
    );
    // The container may write them, and what it wrote is its own.
    let text = run(
        &engine,
        &[
            "busybox",
            "sh",
            "-c",
            "echo 10.9.9.9 mine >> /etc/hosts && grep mine /etc/hosts",
        ],
    );
    assert_eq!(text, "10.9.9.9 mine\n");
    assert_eq!(
        run(
            &engine,
            &["busybox", "sh", "-c", "grep mine /etc/hosts || echo none"]
        ),
        "none\n"
    );
}

#[test]
fn the_read_only_root() {
    let engine = Engine::start();
    let output = engine.client(&["run", "--rm", "--read-only", "busybox", "touch", "/file"]);
    output.expect_error(1, &["Read-only file system"]);
    assert_eq!(
        run(
            &engine,
            &[
                "--read-only",
                "busybox",
                "sh",
                "-c",
                "echo x > /dev/shm/file && cat /dev/shm/file"
            ]
        ),
        "x\n"
    );
}
