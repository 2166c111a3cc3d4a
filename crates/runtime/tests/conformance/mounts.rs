//! config.md, "Mounts": order, destinations, sources and kinds.

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;
use crate::mountinfo;

tests!(mounts:
    are_made_in_the_listed_order,
    at_one_destination_the_last_is_seen,
    a_relative_destination_is_relative_to_the_root,
    destinations_are_made_when_they_are_missing,
    destinations_do_not_leave_the_root,
    a_bind_source_is_absolute_or_relative_to_the_bundle,
    a_file_can_be_bound,
    options_make_a_bind_mount_whatever_its_type,
    rbind_binds_what_is_mounted_below_and_bind_does_not,
    a_bound_directory_is_shared_with_the_host,
    an_unknown_type_is_an_error,
    a_missing_source_is_an_error,
    a_missing_destination_is_an_error,
    a_failure_leaves_no_mount,
    idmap_shows_files_under_mapped_owners,
    idmap_without_any_mapping_is_an_error,
    one_mapping_without_the_other_is_an_error,
);

/// A directory of the host with a file in it.
fn source(bundle: &Bundle, name: &str) -> String {
    let path = bundle.path(name);
    fs::create_dir_all(&path).expect("a directory");
    fs::write(path.join("name"), name).expect("a file");
    bundle.text(name)
}

/// Mounts: the runtime MUST mount entries in the listed order.
fn are_made_in_the_listed_order() {
    let mut bundle = Bundle::new("cat /a/inner/name; ls /a");
    let inner = source(&bundle, "inner");
    bundle.mount("tmpfs", "tmpfs", "/a", &[]);
    bundle.mount("none", &inner, "/a/inner", &["bind"]);
    assert_eq!(bundle.output(), "innerinner");
    // The other way round the first is hidden by the second.
    let mut bundle = Bundle::new("ls -a /a");
    let inner = source(&bundle, "inner");
    bundle.mount("none", &inner, "/a/inner", &["bind"]);
    bundle.mount("tmpfs", "tmpfs", "/a", &[]);
    assert_eq!(bundle.output(), ".\n..");
}

/// Mounts: likewise at the same place.
fn at_one_destination_the_last_is_seen() {
    let mut bundle = Bundle::new("cat /a/name");
    for name in ["first", "second"] {
        let path = source(&bundle, name);
        bundle.mount("none", &path, "/a", &["bind"]);
    }
    assert_eq!(bundle.output(), "second");
}

/// Mounts: a relative destination MUST be interpreted as relative to `/`.
fn a_relative_destination_is_relative_to_the_root() {
    let mut bundle = Bundle::new("grep -c ' /relative/path ' /proc/self/mountinfo");
    bundle.set("/process/cwd", json!("/etc"));
    bundle.mount("tmpfs", "tmpfs", "relative/path", &[]);
    let outcome = bundle.run();
    assert_eq!(outcome.stdout.trim_end(), "1", "{outcome:?}");
}

/// Mounts: the destination need not be there.
fn destinations_are_made_when_they_are_missing() {
    let mut bundle = Bundle::new("test -d /made/for/it && test -f /made/file && echo both");
    let name = source(&bundle, "data") + "/name";
    bundle.mount("tmpfs", "tmpfs", "/made/for/it", &[]);
    bundle.mount("none", &name, "/made/file", &["bind"]);
    assert_eq!(bundle.output(), "both");
}

/// Mounts: the destination is a path inside the container, through whatever
/// links are there.
fn destinations_do_not_leave_the_root() {
    let mut bundle = Bundle::new("cat /proc/self/mountinfo");
    let outside = source(&bundle, "outside");
    std::os::unix::fs::symlink(&outside, bundle.rootfs("link")).expect("a link");
    bundle.mount("tmpfs", "tmpfs", "/link", &[]);
    bundle.mount("tmpfs", "tmpfs", "/../../up", &[]);
    let outcome = bundle.run();
    assert!(bundle.path("outside/name").exists());
    assert!(bundle.mounts().is_empty());
    // Refusing such a destination is as good as keeping it inside.
    if outcome.code == 0 {
        mountinfo::at(&outcome.stdout, &outside);
        mountinfo::at(&outcome.stdout, "/up");
    }
}

/// Mounts: sources of bind mounts are absolute or relative to the bundle.
fn a_bind_source_is_absolute_or_relative_to_the_bundle() {
    let mut bundle = Bundle::new("cat /a/name; cat /b/name");
    source(&bundle, "bundle/relative");
    let absolute = source(&bundle, "absolute");
    bundle.mount("none", "relative", "/a", &["bind"]);
    bundle.mount("none", &absolute, "/b", &["bind"]);
    assert_eq!(bundle.output(), "bundle/relativeabsolute");
}

/// Mounts: the source can be a file.
fn a_file_can_be_bound() {
    let mut bundle = Bundle::new("cat /etc/name; echo changed > /etc/name");
    let path = source(&bundle, "data") + "/name";
    bundle.mount("none", &path, "/etc/name", &["bind"]);
    assert_eq!(bundle.output(), "data");
    assert_eq!(fs::read_to_string(path).expect("the file"), "changed\n");
}

/// Mounts: a mount is a bind mount if it has `bind` or `rbind` in its options.
fn options_make_a_bind_mount_whatever_its_type() {
    for kind in ["none", "bind", "nonsense", ""] {
        let mut bundle = Bundle::new("cat /a/name");
        let path = source(&bundle, "data");
        bundle.mount(kind, &path, "/a", &["rbind"]);
        assert_eq!(bundle.output(), "data", "{kind}");
    }
}

/// Linux mount options: `bind` and `rbind`.
fn rbind_binds_what_is_mounted_below_and_bind_does_not() {
    for (option, expected) in [("bind", "none"), ("rbind", "below")] {
        let mut bundle = Bundle::new("cat /a/sub/name || echo none");
        let below = source(&bundle, "below");
        source(&bundle, "bundle/data/sub");
        fs::remove_file(bundle.path("bundle/data/sub/name")).expect("it is there");
        let target = bundle.text("bundle/data/sub");
        rustix::mount::mount_bind(&below, &target).expect("mounts");
        bundle.mount("none", "data", "/a", &[option]);
        let output = bundle.output();
        rustix::mount::unmount(&target, rustix::mount::UnmountFlags::empty()).expect("unmounts");
        assert_eq!(output, expected, "{option}");
    }
}

/// Mounts: it is the same directory.
fn a_bound_directory_is_shared_with_the_host() {
    let mut bundle = Bundle::sleeping();
    let path = source(&bundle, "data");
    bundle.mount("none", &path, "/data", &["rbind", "rw"]);
    bundle.started();
    fs::write(bundle.path("data/host"), "by the host").expect("a file");
    let text = bundle.exec("cat /data/host; echo inside > /data/inside");
    assert_eq!(text.succeeds(), "by the host");
    assert!(bundle.path("data/inside").exists());
}

/// Valid values: a type that the kernel does not know MUST be an error.
fn an_unknown_type_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.mount("nonsensefs", "none", "/a", &[]);
    bundle.refused();
}

/// Lifecycle 2: what cannot be made MUST be an error.
fn a_missing_source_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.mount("none", "/absent/source", "/a", &["bind"]);
    let message = bundle.refused();
    assert!(message.contains("/absent/source"), "{message}");
}

/// Mounts: `destination` is required.
fn a_missing_destination_is_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.push("/mounts", json!({"type": "tmpfs", "source": "tmpfs"}));
    bundle.refused();
}

/// Errors: the environment is as if nothing had been tried.
fn a_failure_leaves_no_mount() {
    let mut bundle = Bundle::sleeping();
    bundle.mount("tmpfs", "tmpfs", "/a", &[]);
    bundle.mount("nonsensefs", "none", "/b", &[]);
    bundle.refused();
    fs::rename(bundle.rootfs(""), bundle.path("moved")).expect("nobody holds it");
    fs::rename(bundle.path("moved"), bundle.rootfs("")).expect("nor now");
}

/// Linux mount options, `idmap`: the mount's own mappings MUST be used.
fn idmap_shows_files_under_mapped_owners() {
    let mut bundle = Bundle::new("stat -c %u:%g /a/name");
    let path = source(&bundle, "data");
    std::os::unix::fs::chown(bundle.path("data/name"), Some(1000), Some(1001)).expect("chown");
    let mapping =
        |container: u32, host: u32| json!([{"containerID": container, "hostID": host, "size": 1}]);
    bundle.push(
        "/mounts",
        json!({
            "source": path, "destination": "/a", "options": ["bind", "idmap"],
            "uidMappings": mapping(1000, 2000), "gidMappings": mapping(1001, 3000),
        }),
    );
    assert_eq!(bundle.output(), "2000:3000");
}

/// Linux mount options, `idmap`, `ridmap`: without mappings of the mount or of
/// a user namespace, an error MUST be returned.
fn idmap_without_any_mapping_is_an_error() {
    for option in ["idmap", "ridmap"] {
        let mut bundle = Bundle::sleeping();
        let path = source(&bundle, "data");
        bundle.mount("none", &path, "/a", &["rbind", option]);
        bundle.refused();
    }
}

/// POSIX-platform Mounts: `uidMappings` MUST be specified along with
/// `gidMappings`.
fn one_mapping_without_the_other_is_an_error() {
    for name in ["uidMappings", "gidMappings"] {
        let mut bundle = Bundle::sleeping();
        let path = source(&bundle, "data");
        bundle.push(
            "/mounts",
            json!({
                "source": path, "destination": "/a", "options": ["bind", "idmap"],
                name: [{"containerID": 1, "hostID": 2, "size": 1}],
            }),
        );
        bundle.refused();
    }
}
