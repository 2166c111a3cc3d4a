//! Configurations that are none, or that make no sense, given to the command:
//! one line that names the property, exit code 1, and nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A bundle, and a place for states, removed in the end.
struct Bundle {
    directory: PathBuf,
    id: String,
}

impl Bundle {
    fn new(name: &str) -> Bundle {
        let id = format!("tare-bad-input-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(&id);
        fs::create_dir_all(directory.join("rootfs")).expect("directories");
        Bundle { directory, id }
    }

    /// What `create` says of a configuration.
    fn refusal(&self, document: &[u8]) -> String {
        fs::write(self.directory.join("config.json"), document).expect("written");
        let state = self.directory.join("state");
        let output = Command::new(env!("CARGO_BIN_EXE_tare-runtime"))
            .arg("--root")
            .arg(&state)
            .args(["create", "--bundle"])
            .arg(&self.directory)
            .arg(&self.id)
            .output()
            .expect("runs");
        let text = String::from_utf8(output.stderr).expect("text");
        let shown = String::from_utf8_lossy(&document[..document.len().min(300)]);
        assert_eq!(output.status.code(), Some(1), "{shown}\n{text}");
        assert_eq!(text.lines().count(), 1, "{shown}\n{text}");
        assert!(text.len() < 4096, "{} bytes", text.len());
        // What is no container's has a name that no container can have.
        let is_container =
            |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('@');
        let left = fs::read_dir(&state)
            .map_or(0, |entries| entries.flatten().filter(is_container).count());
        assert_eq!(left, 0, "a state is left after {shown}");
        for group in groups(Path::new("/sys/fs/cgroup"), 3) {
            let name = group.file_name().unwrap_or_default().to_string_lossy();
            assert!(!name.contains(&self.id), "{} is left", group.display());
        }
        text
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Directories of control groups, down to a depth.
fn groups(directory: &Path, depth: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
            if depth > 0 {
                found.extend(groups(&entry.path(), depth - 1));
            }
        }
    }
    found
}

/// A configuration that is right but for what is put in.
fn document(process: &str, rest: &str) -> String {
    format!(
        r#"{{"ociVersion":"1.2.0","root":{{"path":"rootfs"}},
        "process":{{"cwd":"/","args":["/bin/true"]{process}}},
        "linux":{{"namespaces":[{{"type":"mount"}},{{"type":"pid"}}]{rest}}}"#
    )
}

#[test]
fn documents_that_are_none() {
    let bundle = Bundle::new("form");
    let whole = document("", "}");
    for end in (0..whole.len()).step_by(whole.len() / 12) {
        let text = bundle.refusal(&whole.as_bytes()[..end]);
        assert!(text.contains("EOF while parsing"), "{text}");
    }
    let text = bundle.refusal(document(r#","user":{"uid":"root"}"#, "}").as_bytes());
    assert!(
        text.contains("config.json: process.user.uid: invalid type: string \\\"root\\\""),
        "{text}"
    );
    bundle.refusal(&vec![b'['; 1 << 20]);
    bundle.refusal(&[0xff; 100]);
    let text = bundle.refusal(&vec![b' '; (16 << 20) + 1]);
    assert!(text.contains("config.json: is larger than"), "{text}");
    fs::remove_file(bundle.directory.join("config.json")).expect("removed");
    let output = Command::new(env!("CARGO_BIN_EXE_tare-runtime"))
        .args(["run", "--bundle"])
        .arg(&bundle.directory)
        .arg(&bundle.id)
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("JSON specification file config.json not found"),
        "{text}"
    );
}

#[test]
fn documents_that_make_no_sense() {
    let bundle = Bundle::new("meaning");
    let overlapping =
        r#"{"containerID":0,"hostID":1,"size":5},{"containerID":4,"hostID":9,"size":1}"#;
    for (process, rest, expected) in [
        (
            "",
            r#","resources":{"memory":{"limit":-2}}}"#,
            "linux.resources.memory.limit: ",
        ),
        (
            "",
            &format!(r#","uidMappings":[{overlapping}]}}"#),
            "linux.uidMappings[1].containerID: overlaps",
        ),
        (
            "",
            r#"},"mounts":[{"destination":"/"}]"#,
            "mounts[0].destination: ",
        ),
        (
            "",
            r#"},"mounts":[{"destination":"/a","type":"bind"}]"#,
            "mounts[0].source: ",
        ),
        ("", r#","sysctl":{"vm.swappiness":"1"}}"#, "linux.sysctl: "),
        ("", r#"},"hostname":"h""#, "hostname: needs a UTS namespace"),
        (r#","env":["A"]"#, "}", "process.env[0]: "),
        (r#","oomScoreAdj":5000"#, "}", "process.oomScoreAdj: "),
        (
            r#","rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}]"#,
            "}",
            "process.rlimits[0].type: RLIMIT_X: no such limit",
        ),
    ] {
        let text = bundle.refusal(document(process, rest).as_bytes());
        assert!(text.contains(expected), "{text}");
    }
    for (document, expected) in [
        (r#"{"ociVersion":"7.0.0"}"#, "ociVersion: "),
        (r#"{"ociVersion":"1.0.0"}"#, "root: is missing"),
        (
            r#"{"ociVersion":"1.0.0","root":{"path":"rootfs"},"process":{"cwd":"a","args":["b"]}}"#,
            "process.cwd: ",
        ),
    ] {
        let text = bundle.refusal(document.as_bytes());
        assert!(text.contains(expected), "{text}");
    }
}
