//! Images: loaded, listed, looked at, removed; and what layers do to files.

use serde_json::json;
use std::io::Write;
use tare_tests::{Engine, image_archive};

#[test]
fn load_tells_what_it_loaded() {
    let engine = Engine::start_with_images(&[]);
    assert_eq!(engine.get("/images/json"), json!([]));
    let archive = std::fs::read(image_archive("busybox")).expect("the archive");
    let messages = engine
        .request("POST", "/images/load", &archive)
        .expect(200)
        .messages();
    let last = messages.last().expect("a message");
    assert_eq!(last["stream"], "Loaded image: busybox:latest\n");
    // Compressed, and by the client, and once more: nothing changes.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).expect("compression");
    let gzip = gzip.finish().expect("compression");
    let output = engine.client_with_input(&["load"], &gzip).expect(0);
    assert_eq!(output.stdout, "Loaded image: busybox:latest\n");
    let path = image_archive("busybox");
    engine
        .client(&["load", "-i", &path.to_string_lossy()])
        .expect(0);
    let list = engine.get("/images/json");
    assert_eq!(list.as_array().expect("a list").len(), 1);
    assert_eq!(list[0]["RepoTags"], json!(["busybox:latest"]));
}

#[test]
fn what_is_no_archive_is_refused() {
    let engine = Engine::start_with_images(&[]);
    for input in [&b"not a tar stream at all"[..], &[0; 1024]] {
        let output = engine.client_with_input(&["load"], input);
        assert_ne!(output.code, 0, "{output:?}");
    }
    let whole = std::fs::read(image_archive("busybox")).expect("the archive");
    let output = engine.client_with_input(&["load"], &whole[..whole.len() / 2]);
    assert_ne!(output.code, 0, "{output:?}");
    assert_eq!(engine.get("/images/json"), json!([]));
}

#[test]
fn inspect_shows_the_configuration() {
    let engine = Engine::start_with_images(&["user-by-name"]);
    let seen = engine.get("/images/user-by-name/json");
    let id = seen["Id"].as_str().expect("an ID").to_owned();
    assert_eq!(seen["RepoTags"], json!(["user-by-name:latest"]));
    assert_eq!(seen["Architecture"], "amd64");
    assert_eq!(seen["Os"], "linux");
    assert_eq!(seen["Config"]["User"], "app");
    assert_eq!(seen["Config"]["WorkingDir"], "/srv");
    assert_eq!(seen["Config"]["Entrypoint"], json!(["/bin/sh", "-c"]));
    assert_eq!(
        seen["Config"]["Labels"],
        json!({"org.example.purpose": "tests"})
    );
    assert_eq!(seen["RootFS"]["Type"], "layers");
    assert_eq!(
        seen["RootFS"]["Layers"].as_array().expect("layers").len(),
        2
    );
    assert!(seen["Size"].as_u64().expect("a size") > 1_000_000);
    let hexadecimal = id.strip_prefix("sha256:").expect("a digest");
    for name in [
        "user-by-name:latest",
        "docker.io/library/user-by-name",
        &id,
        hexadecimal,
        &hexadecimal[..12],
    ] {
        assert_eq!(
            engine.get(&format!("/images/{name}/json"))["Id"],
            id,
            "{name}"
        );
    }
    let message = engine
        .request("GET", "/images/nothing/json", &[])
        .expect(404)
        .message();
    assert!(
        message.contains("No such image: nothing:latest"),
        "{message}"
    );
}

#[test]
fn the_list_and_its_filters() {
    let engine = Engine::start_with_images(&["busybox", "hello"]);
    let output = engine.client(&["images"]).expect(0).stdout;
    let lines: Vec<Vec<&str>> = output
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][..2], ["REPOSITORY", "TAG"]);
    let mut names: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
    names.sort_unstable();
    assert_eq!(names, ["busybox", "hello"]);
    let id = engine.get("/images/busybox/json")["Id"]
        .as_str()
        .expect("an ID")
        .to_owned();
    assert_eq!(
        engine.client(&["images", "-q", "busybox"]).line(),
        id[7..19]
    );
    let list = engine.get("/images/json?filters=%7B%22reference%22%3A%5B%22hel%2A%22%5D%7D");
    assert_eq!(list.as_array().expect("a list").len(), 1, "{list}");
    assert_eq!(list[0]["Id"], engine.get("/images/hello/json")["Id"]);
    assert_eq!(list[0]["Created"], 1_700_000_000);
}

#[test]
fn removal_untags_and_deletes() {
    let engine = Engine::start();
    let id = engine.get("/images/busybox/json")["Id"]
        .as_str()
        .expect("an ID")
        .to_owned();
    let answer = engine.delete("/images/busybox").expect(200).json();
    assert_eq!(answer[0], json!({"Untagged": "busybox:latest"}));
    assert!(
        answer
            .as_array()
            .expect("a list")
            .contains(&json!({"Deleted": id})),
        "{answer}"
    );
    let message = engine.delete("/images/busybox").expect(404).message();
    assert!(
        message.contains("No such image: busybox:latest"),
        "{message}"
    );
    assert_eq!(engine.get("/images/json"), json!([]));
    // And it is there again after it is loaded again.
    engine.load("busybox");
    assert_eq!(
        engine
            .client(&["run", "--rm", "busybox", "echo", "again"])
            .line(),
        "again"
    );
    let output = engine.client(&["rmi", "busybox"]).expect(0).stdout;
    assert!(
        output.starts_with("Untagged: busybox:latest\nDeleted: sha256:"),
        "{output}"
    );
}

#[test]
fn an_image_in_use_stays() {
    let engine = Engine::start();
    let container = engine.start_container(json!({"Image": "busybox", "Cmd": ["sleep", "100"]}));
    let id = engine.get("/images/busybox/json")["Id"]
        .as_str()
        .expect("an ID")
        .to_owned();
    let message = engine.delete("/images/busybox").expect(409).message();
    assert!(
        message
            .contains("conflict: unable to remove repository reference \"busybox\" (must force)"),
        "{message}"
    );
    assert!(message.contains(&container[..12]), "{message}");
    let message = engine
        .delete(&format!("/images/{id}?force=1"))
        .expect(409)
        .message();
    assert!(message.contains("cannot be forced"), "{message}");
    // By force the name goes; the container keeps what it runs from.
    let answer = engine.delete("/images/busybox?force=1").expect(200).json();
    assert_eq!(answer[0], json!({"Untagged": "busybox:latest"}));
    assert_eq!(
        engine.client(&["exec", &container, "echo", "alive"]).line(),
        "alive"
    );
    engine
        .delete(&format!("/containers/{container}?force=1"))
        .expect(204);
    engine.delete(&format!("/images/{id}")).expect(200);
    assert_eq!(engine.get("/images/json"), json!([]));
}

#[test]
fn every_kind_of_layer_entry_arrives() {
    let engine = Engine::start_with_images(&["layers"]);
    // One line per file: name, kind, mode, owner, links, size, device.
    let script = "cd /; find data links attributes special owners sparse made -print0 | sort -z \
        | xargs -0 stat -c '%n %F %a %u:%g %h %s %t,%T' | sed 's/ directory \\([0-9]*\\) \\([0-9:]*\\) .*/ directory \\1 \\2/'";
    let output = engine
        .client(&[
            "run",
            "--rm",
            "--network",
            "none",
            "layers",
            "sh",
            "-c",
            script,
        ])
        .expect(0);
    assert_eq!(output.stdout, LAYERS);
    let table = [
        (
            "cat /data/removed /data/again/second /data/opaque/new /data/changed",
            "9\n9\n3\n8\n",
        ),
        (
            "md5sum < /sparse/holes",
            "69db9de80c1e0b13d79731bf128daee6  -\n",
        ),
        ("cat /names/to-bottom/bottom", "deep\n"),
        (
            "for l in of-symbolic dangling upwards; do readlink /links/$l; done",
            "one\n/nowhere/at/all\n../../../../../../etc/passwd\n",
        ),
        (
            "stat -c %y /attributes/user",
            "2023-11-14 22:13:20.123456789 +0000\n",
        ),
        (
            "stat -c %Y /data/partly/kept /links/dangling",
            "1700000000\n1700000000\n",
        ),
        (
            "cat /names/latin-*; cat /names/*世界; cat /names/new*; cat '/names/ leading and trailing '",
            "bytes\nunicode\nnewline\nspaces\n",
        ),
        (
            "ls /names | grep -c '^n*$'; cat /names/nnnn*; cat /names/pppp*",
            "1\n255\npax\n",
        ),
    ];
    for (script, expected) in table {
        let output = engine
            .client(&[
                "run",
                "--rm",
                "--network",
                "none",
                "layers",
                "sh",
                "-c",
                script,
            ])
            .expect(0);
        assert_eq!(output.stdout, expected, "{script}");
    }
}

/// As `dockerd` shows it.
const LAYERS: &str = "\
attributes directory 755 0:0
attributes/capable regular file 755 0:0 1 10 0,0
attributes/user regular empty file 644 0:0 1 0 0,0
data directory 755 0:0
data/again directory 755 0:0
data/again/second regular file 644 0:0 1 2 0,0
data/becomes-directory directory 755 0:0
data/becomes-directory/inside regular file 644 0:0 1 2 0,0
data/becomes-file regular file 644 0:0 1 2 0,0
data/changed regular file 600 0:0 1 2 0,0
data/link-becomes-directory directory 755 0:0
data/link-becomes-directory/inside regular file 644 0:0 1 2 0,0
data/opaque directory 711 0:0
data/opaque/new regular file 600 0:0 1 2 0,0
data/partly directory 755 0:0
data/partly/kept regular file 644 0:0 1 2 0,0
data/removed regular file 644 0:0 1 2 0,0
data/target directory 755 0:0
links directory 755 0:0
links/dangling symbolic link 777 0:0 1 15 0,0
links/of-symbolic symbolic link 777 0:0 2 3 0,0
links/one regular file 755 0:0 3 7 0,0
links/symbolic symbolic link 777 0:0 2 3 0,0
links/three regular file 755 0:0 3 7 0,0
links/two regular file 755 0:0 3 7 0,0
links/upwards symbolic link 777 0:0 1 28 0,0
made directory 755 0:0
made/on directory 755 0:0
made/on/the directory 755 0:0
made/on/the/way regular file 644 0:0 1 2 0,0
owners directory 755 0:0
owners/large regular empty file 640 4000000000:3000000000 1 0 0,0
owners/some regular empty file 640 1000:2000 1 0 0,0
sparse directory 755 0:0
sparse/holes regular file 644 0:0 1 8388608 0,0
special directory 755 0:0
special/loop block special file 600 0:0 1 0 7,c8
special/null character special file 600 0:0 1 0 1,3
special/pipe fifo 644 0:0 1 0 0,0
special/setgid directory 2775 0:0
special/setuid regular file 4755 0:0 1 10 0,0
special/sticky directory 1777 0:0
special/unreadable regular file 0 0:0 1 7 0,0
";

#[test]
fn attributes_are_kept() {
    let engine = Engine::start_with_images(&["layers"]);
    let id = engine.start_container(json!({"Image": "layers", "Cmd": ["sleep", "100"]}));
    let root = engine.container_proc(&id).join("root");
    let read = |file: &str, name: &str| {
        let mut buffer = vec![0; 256];
        let length = rustix::fs::getxattr(root.join(file), name, &mut buffer).expect(name);
        buffer.truncate(length);
        buffer
    };
    assert_eq!(read("attributes/user", "user.text"), b"a value");
    assert_eq!(read("attributes/user", "user.binary"), b"\x00\xff\n=\x01");
    let capability = read("attributes/capable", "security.capability");
    assert_eq!(capability[4..8], (1_u32 << 13).to_le_bytes());
}
