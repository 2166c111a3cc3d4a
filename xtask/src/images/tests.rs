use super::image::digest;
use super::machine_code::print_line;
use super::{recipes, write};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory that is removed however the test ends.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("directory");
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("removal");
    }
}

fn digests(directory: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(directory).expect("directory") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            digests(&path, into);
        } else {
            into.insert(path.clone(), digest(&std::fs::read(&path).expect("file")));
        }
    }
}

fn twice_the_same(names: &[&str]) {
    let directory = Temporary::new(names[0]);
    for name in names {
        let recipe = recipes::ALL
            .iter()
            .find(|recipe| recipe.name == *name)
            .expect("recipe");
        let made = ["first", "second"].map(|turn| {
            let directory = directory.0.join(turn).join(name);
            write(recipe, &directory).expect("image");
            let mut found = BTreeMap::new();
            digests(&directory, &mut found);
            found
                .into_iter()
                .map(|(path, digest)| {
                    (
                        path.strip_prefix(&directory).expect("prefix").to_owned(),
                        digest,
                    )
                })
                .collect::<BTreeMap<_, _>>()
        });
        assert!(made[0].len() >= 5, "{name}: {:?}", made[0]);
        assert_eq!(made[0], made[1], "{name}");
    }
}

#[test]
fn images_are_the_same_bytes_every_time() {
    twice_the_same(&[
        "busybox",
        "hello",
        "user-by-name",
        "user-by-number",
        "layers",
    ]);
}

#[test]
#[ignore = "bootstraps Debian twice: a minute"]
fn debian_is_the_same_bytes_every_time() {
    twice_the_same(&["debian"]);
}

#[test]
fn the_hand_written_program_runs() {
    let directory = Temporary::new("hello-program");
    let program = directory.0.join("hello");
    std::fs::write(&program, print_line("amd64", "it runs\n")).expect("program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let output = Command::new(&program).output().expect("execution");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "it runs\n");
    assert!(output.status.success(), "{}", output.status);
}
