use serde_json::json;
use tare_tests::{Engine, Options, Registry, Sandbox, digest};

/// The way of a run as every introduction to containers tells it, and what each
/// step did.
#[test]
fn of_a_run() {
    let options = Options {
        images: Vec::new(),
        ..Options::default()
    };
    let engine = Engine::start_in(Sandbox::new(), options);
    let registry = Registry::start(engine.sandbox());
    let name = registry.fill(engine.sandbox(), "busybox", "busybox:latest");
    assert_eq!(engine.get("/images/json"), json!([]));
    let links = engine.sandbox().links();
    let mounts = engine.sandbox().mounts();

    // 1. The client calls.
    let output = engine
        .client(&[
            "run", "-d", "--name", "walked", "-m", "32m", "-p", "8080:80", &name, "sleep", "1000",
        ])
        .expect(0);
    let id = output.stdout.trim().to_owned();

    // 2. The engine accepts: there is a record.
    let seen = engine.inspect("walked");
    assert_eq!(seen["Id"], id);
    assert_eq!(seen["State"]["Running"], true);

    // 3. Namespaces are made.
    let container = engine.container_proc(&id);
    let own = engine.sandbox().proc().join("1");
    for kind in ["pid", "mnt", "net", "ipc", "uts", "cgroup"] {
        let link = |process: &std::path::Path| {
            std::fs::read_link(process.join("ns").join(kind)).expect("a namespace")
        };
        assert_ne!(link(&container), link(&own), "{kind}");
    }

    // 4. Limits are set in a control group of its own, and the process is in it.
    let group = engine.container_cgroup(&id, "memory");
    assert!(group.contains(&id), "{group}");
    let limit = engine
        .sandbox()
        .cgroup_file("memory", &group, "memory.limit_in_bytes");
    assert_eq!(limit, (32 << 20).to_string());

    // 5. The image is looked up, and 6. pulled when it is missing.
    assert!(
        output
            .stderr
            .contains(&format!("Unable to find image '{name}' locally")),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("Downloaded newer image"),
        "{}",
        output.stderr
    );
    let image = engine.get(&format!("/images/{name}/json"));
    assert_eq!(seen["Image"], image["Id"]);
    // As it was pulled, byte for byte, under its digest.
    let identifier = image["Id"]
        .as_str()
        .expect("an ID")
        .trim_start_matches("sha256:");
    let configuration =
        std::fs::read(engine.data_root().join("blobs/sha256").join(identifier)).expect("the blob");
    assert_eq!(digest(&configuration), image["Id"].as_str().expect("an ID"));
    let diff_id = image["RootFS"]["Layers"][0]
        .as_str()
        .expect("a layer")
        .to_owned();

    // 7. It is filled in: layers and a directory to write to as one root, seen
    //    by nobody else; an address on the bridge; a name.
    let inside = std::fs::read_to_string(container.join("mountinfo")).expect("mountinfo");
    let root = inside
        .lines()
        .find(|line| line.split(' ').nth(4) == Some("/"))
        .expect("a root");
    assert!(root.contains(" - overlay "), "{root}");
    assert_eq!(
        engine.sandbox().mounts(),
        mounts,
        "the host has no mount of it"
    );
    assert!(
        std::fs::read_dir(engine.data_root().join("layers"))
            .expect("layers")
            .count()
            > 0,
        "{diff_id}"
    );
    engine
        .client(&["exec", &id, "sh", "-c", "echo mine > /bin/written"])
        .expect(0);
    let upper = find(&engine.data_root(), "written");
    assert_eq!(upper.len(), 1, "{upper:?}");
    assert!(upper[0].contains(&id), "{upper:?}");
    assert_eq!(engine.sandbox().links().len(), links.len() + 1);
    let address = seen["NetworkSettings"]["IPAddress"]
        .as_str()
        .expect("an address");
    let hosts = engine
        .client(&["exec", &id, "cat", "/etc/hosts"])
        .expect(0)
        .stdout;
    assert!(
        hosts.contains(&format!("{address}\t{}", &id[..12])),
        "{hosts}"
    );

    // 8. The process is started, as process 1 of what it sees.
    let line = std::fs::read_to_string(container.join("cmdline")).expect("a command line");
    assert_eq!(line, "sleep\x001000\x00");
    let status = std::fs::read_to_string(container.join("status")).expect("its status");
    let pids = status
        .lines()
        .find(|line| line.starts_with("NSpid:"))
        .expect("its IDs");
    assert!(pids.ends_with("\t1"), "{pids}");
}

/// Every path below that ends in this name.
fn find(directory: &std::path::Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(find(&path, name));
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path.display().to_string());
        }
    }
    found
}
