use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use super::*;
use crate::fixture::{Archive, Directory, attributes, below, describe, run};

fn unpack_into(directory: &Path, archive: &[u8]) -> Result<Summary, Error> {
    fs::create_dir(directory).expect("a fresh directory");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("mode");
    let mut input = archive;
    unpack(&mut input, directory)
}

fn names(root: &Path) -> Vec<String> {
    describe(root)
        .into_keys()
        .skip(1)
        .map(|name| String::from_utf8_lossy(&name).into_owned())
        .collect()
}

#[test]
fn nothing_leads_out_of_the_layer() {
    let directory = Directory::new();
    let outside = directory.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("secret"), b"secret").expect("written");
    let before = describe(&outside);
    let out = outside.to_str().expect("text");
    let secret = format!("{out}/secret");
    // A name, the archive, and the names in the layer or the refusal.
    type Case<'case> = (&'case str, Archive, Result<&'case [&'case str], &'case str>);
    let cases: [Case<'_>; 16] = [
        (
            "parent",
            Archive::new().file("../outside/evil", b""),
            Err("it leads out of the layer"),
        ),
        (
            "parent inside",
            Archive::new().file("a/../../outside/evil", b""),
            Err("it leads out of the layer"),
        ),
        (
            "parent in the layer",
            Archive::new().file("a/../b/./c", b""),
            Ok(&["b", "b/c"]),
        ),
        (
            "absolute",
            Archive::new().file("/etc/passwd", b""),
            Ok(&["etc", "etc/passwd"]),
        ),
        ("empty", Archive::new().file("", b""), Err("it is empty")),
        (
            "root",
            Archive::new().file("./", b""),
            Err("the root is a directory"),
        ),
        (
            "link out",
            Archive::new().symlink("a", out).file("a/evil", b""),
            Err("no such file"),
        ),
        (
            "link up",
            Archive::new().symlink("a", "../../..").file("a/evil", b""),
            Ok(&["a", "evil"]),
        ),
        (
            "link by proc",
            Archive::new()
                .symlink("a", "/proc/self/cwd")
                .file("a/evil", b""),
            Err("no such file"),
        ),
        (
            "over a link",
            Archive::new().symlink("a", &secret).file("a", b"x"),
            Ok(&["a"]),
        ),
        (
            "directory over a link",
            Archive::new()
                .symlink("a", out)
                .directory("a")
                .file("a/f", b""),
            Ok(&["a", "a/f"]),
        ),
        (
            "hard link up",
            Archive::new().hard_link("a", "../outside/secret"),
            Err("it leads out of the layer"),
        ),
        (
            "hard link out",
            Archive::new().hard_link("a", &secret),
            Err("no such file"),
        ),
        (
            "hard link by link",
            Archive::new().symlink("a", out).hard_link("b", "a/secret"),
            Err("no such file"),
        ),
        (
            "hard link to a directory",
            Archive::new().directory("a").hard_link("b", "a"),
            Err("to a directory"),
        ),
        (
            "hard link to the root",
            Archive::new().hard_link("b", "/"),
            Err("to the root"),
        ),
    ];
    for (name, archive, expected) in cases {
        let root = directory.path().join(name.replace(' ', "-"));
        let unpacked = unpack_into(&root, &archive.finish());
        match expected {
            Ok(expected) => {
                unpacked.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(names(&root), expected, "{name}");
            }
            Err(message) => {
                let error = unpacked.expect_err(name).to_string();
                assert!(error.contains(message), "{name}: {error}");
            }
        }
        assert_eq!(describe(&outside), before, "{name}");
    }
    let chown = Archive::new()
        .symlink("a", &secret)
        .owner(7, 7)
        .mode(0o777)
        .symlink("b", &secret)
        .finish();
    unpack_into(&directory.path().join("chown"), &chown).expect("unpacked");
    assert_eq!(
        describe(&outside),
        before,
        "no metadata is set through a link"
    );
}

#[test]
fn the_last_of_several_entries_wins() {
    let directory = Directory::new();
    let root = directory.path().join("layer");
    let archive = Archive::new()
        .file("file then directory", b"x")
        .directory("file then directory")
        .file("file then directory/inside", b"y")
        .directory("directory then file")
        .file("directory then file/inside", b"x")
        .file("directory then file", b"y")
        .mode(0o700)
        .owner(1, 2)
        .directory("twice")
        .file("twice/kept", b"z")
        .mode(0o750)
        .time(5)
        .directory("twice")
        .file("linked", b"1")
        .hard_link("other", "linked")
        .file("linked", b"2")
        .symlink("link", "twice")
        .file("link/through", b"a")
        .file("link", b"b")
        .hard_link("linked", "linked")
        .directory("gone")
        .symlink("gone", "linked")
        .finish();
    unpack_into(&root, &archive).expect("unpacked");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    assert_eq!(read("file then directory/inside"), "y");
    assert_eq!(read("directory then file"), "y");
    assert_eq!(
        (read("twice/kept"), read("twice/through")),
        ("z".to_owned(), "a".to_owned())
    );
    assert_eq!(
        (read("linked"), read("other"), read("link")),
        ("2".to_owned(), "1".to_owned(), "b".to_owned())
    );
    let twice = fs::metadata(root.join("twice")).expect("there");
    assert_eq!(
        (
            twice.mode() & 0o7777,
            twice.uid(),
            twice.gid(),
            twice.mtime()
        ),
        (0o750, 0, 0, 5)
    );
}

#[test]
fn keeps_what_is_rare() {
    let directory = Directory::new();
    let root = directory.path().join("layer");
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let archive = Archive::new()
        .mode(0o1751)
        .owner(3, 4)
        .record("mtime", b"12.5")
        .directory("./")
        .mode(0o4755)
        .owner(u64::from(u32::MAX) - 1, u64::from(u32::MAX) - 1)
        .record("SCHILY.xattr.security.capability", &capability)
        .record("SCHILY.xattr.user.note", b"")
        .record("mtime", b"1700000000.123456789")
        .file("capable", b"program")
        .mode(0o2775)
        .owner(0, 50)
        .directory("group")
        .file("group/file", b"")
        .directory("group/directory")
        .symlink("group/link", "file")
        .mode(0o2777)
        .file("group/set", b"")
        .record("mtime", b"-1.5")
        .file("before 1970", b"")
        .device(10, 229)
        .mode(0o622)
        .entry(b'3', b"character", b"", b"")
        .device(259, 70000)
        .entry(b'4', b"block", b"", b"")
        .mode(0o777)
        .entry(b'6', b"pipe", b"", b"")
        .entry(b'0', b"\xff\xfe name", b"", b"x")
        .entry(b'2', b"raw link", b"\x80\x81", b"")
        .mode(0)
        .directory("closed")
        .file("closed/inside", b"")
        .finish();
    let summary = unpack_into(&root, &archive).expect("unpacked");
    assert_eq!(
        (summary.size, summary.entries, summary.opaque),
        (8, 15, false)
    );
    let files = describe(&root);
    let expected: BTreeMap<&[u8], &str> = BTreeMap::from([
        (&b""[..], "41751 3:4 12.500000000"),
        (
            b"capable",
            "104755 4294967294:4294967294 1700000000.123456789 7 bytes 1 ",
        ),
        (b"group", "42775 0:50 0."),
        (b"group/file", "100644 0:0 0."),
        (b"group/directory", "40755 0:0 0."),
        (b"group/link", "120777 0:0 0.000000000 -> \"file\""),
        (b"group/set", "102777 0:0 "),
        (b"before 1970", "100644 0:0 -2.500000000"),
        (b"character", "20622 0:0 0.000000000 device ae5"),
        (b"block", "60644 0:0 0.000000000 device 11110370"),
        (b"pipe", "10777 0:0 0."),
        (b"\xff\xfe name", "100644 0:0 0.000000000 1 bytes"),
        (b"raw link", "120777 0:0 0.000000000 -> \"\\x80\\x81\""),
        (b"closed", "40000 0:0 0."),
        (b"closed/inside", "100644 0:0 0."),
    ]);
    assert_eq!(files.len(), expected.len());
    for (name, text) in expected {
        assert!(
            files[name].starts_with(text),
            "{}: {} instead of {text}",
            String::from_utf8_lossy(name),
            files[name]
        );
    }
    assert_eq!(
        attributes(&root.join("capable"))["security.capability"],
        capability
    );
    assert_eq!(attributes(&below(&root, b"capable"))["user.note"], b"");
}

#[test]
fn whiteouts_hide_lower_layers_in_a_real_overlay() {
    let directory = Directory::new();
    let lower = Archive::new()
        .file("deleted", b"")
        .file("kept", b"")
        .directory("opaque")
        .file("opaque/old", b"")
        .directory("replaced")
        .file("replaced/old", b"")
        .directory("reborn")
        .file("reborn/old", b"")
        .directory("implied")
        .file("implied/old", b"")
        .directory("merged")
        .file("merged/old", b"")
        .file("became directory", b"")
        .finish();
    let upper = Archive::new()
        .file(".wh.deleted", b"")
        .file(".wh.never there", b"")
        .directory("opaque")
        .file("opaque/.wh..wh..opq", b"")
        .file("opaque/new", b"")
        // A whiteout speaks of the layers below, wherever it stands.
        .directory("replaced")
        .file("replaced/new", b"")
        .file(".wh.replaced", b"")
        .file(".wh.reborn", b"")
        .directory("reborn")
        .file("reborn/new", b"")
        .file(".wh.implied", b"")
        .file("implied/new", b"")
        .file("merged/new", b"")
        .directory("became directory")
        .file("became directory/.wh..wh.plnk", b"")
        .file(".wh..wh.aufs", b"")
        .entry(b'5', b".wh..wh.plnk/", b"", b"")
        .file(".wh..wh.plnk/123.456", b"")
        .record("SCHILY.xattr.trusted.overlay.redirect", b"/kept")
        .record("SCHILY.xattr.user.fine", b"1")
        .directory("redirected")
        .finish();
    let (lower_root, upper_root) = (
        directory.path().join("lower"),
        directory.path().join("upper"),
    );
    unpack_into(&lower_root, &lower).expect("unpacked");
    unpack_into(&upper_root, &upper).expect("unpacked");
    assert_eq!(
        attributes(&upper_root.join("redirected"))
            .into_keys()
            .collect::<Vec<_>>(),
        ["user.fine"]
    );

    let merged = merged_names(directory.path(), &[&upper_root, &lower_root]);
    let expected = [
        "became directory",
        "implied",
        "implied/new",
        "kept",
        "merged",
        "merged/new",
        "merged/old",
        "opaque",
        "opaque/new",
        "reborn",
        "reborn/new",
        "redirected",
        "replaced",
        "replaced/new",
    ];
    assert_eq!(merged, expected);

    let all = directory.path().join("all");
    let summary =
        unpack_into(&all, &Archive::new().file(".wh..wh..opq", b"").finish()).expect("unpacked");
    assert!(summary.opaque);
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..."] {
        let root = directory.path().join(name.replace('/', "-"));
        let error = unpack_into(&root, &Archive::new().file(name, b"").finish())
            .expect_err(name)
            .to_string();
        assert!(
            error.contains("a whiteout without a name"),
            "{name}: {error}"
        );
    }
}

/// The names that an overlay of these layers shows, mounted where nobody else
/// sees it.
fn merged_names(directory: &Path, lower: &[&Path]) -> Vec<String> {
    let mount = directory.join("merged");
    fs::create_dir(&mount).expect("made");
    let layers: Vec<_> = lower
        .iter()
        .map(|path| path.to_str().expect("text"))
        .collect();
    let script = format!(
        "mount -t overlay -o ro,lowerdir={} overlay {mount} && cd {mount} && find . -mindepth 1 -printf '%P\\n'",
        layers.join(":"),
        mount = mount.display(),
    );
    let output = std::process::Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .output()
        .expect("unshare");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut names: Vec<_> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// A tree of everything a file system can have, made with ordinary programs.
fn make_tree(root: &Path) {
    let long = "long-name-".repeat(20);
    let deep = "directory/".repeat(30);
    let script = format!(
        "set -e; umask 022; mkdir -p tree/{deep} tree/setgid tree/empty; cd tree
         echo hello > file; ln file hard; ln file {deep}hard; ln -s file soft; ln -s /nowhere/{long} dangling
         echo deep > {deep}{long}; chmod 4711 file; chgrp 50 setgid; chmod 2775 setgid; echo x > setgid/x
         chown 1000:1001 hard; chown -h 5:6 soft; mkfifo pipe; mknod null c 1 3; mknod disk b 8 17
         truncate -s 3M sparse; printf middle | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none
         printf end | dd of=sparse bs=1 seek=3145725 conv=notrunc status=none; truncate -s 40M hole
         for i in $(seq 1 30); do printf $i | dd of=pieces bs=1 seek=$((i * 65536)) conv=notrunc status=none; done
         head -c 700000 /dev/urandom > random; : > empty/file; printf 'x' > \"$(printf 'raw\\377name')\"
         touch -d '2001-02-03 04:05:06.789012345' file random; touch -h -d '1999-01-01 00:00:00.5' soft
         touch -d '2010-10-10 10:10:10.123' empty setgid; touch -d '1970-01-01 00:00:00.25' pipe"
    );
    let root_text = root.to_str().expect("text");
    run("sh", &["-c", &format!("cd {root_text} && {script}")]);
    let file = root.join("tree/random");
    rustix::fs::setxattr(
        &file,
        "user.test",
        b"va=l\0ue\n",
        rustix::fs::XattrFlags::empty(),
    )
    .expect("attribute");
    rustix::fs::setxattr(
        root.join("tree/empty"),
        "trusted.dir",
        b"d",
        rustix::fs::XattrFlags::empty(),
    )
    .expect("attribute");
    rustix::fs::lsetxattr(
        root.join("tree/soft"),
        "trusted.link",
        b"l",
        rustix::fs::XattrFlags::empty(),
    )
    .expect("attribute");
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    rustix::fs::setxattr(
        &file,
        "security.capability",
        &capability,
        rustix::fs::XattrFlags::empty(),
    )
    .expect("attribute");
}

#[test]
fn unpacks_gnu_tars_archives_as_gnu_tar_does() {
    let directory = Directory::new();
    make_tree(directory.path());
    let at = |name: &str| -> PathBuf { directory.path().join(name) };
    let text = |name: &str| at(name).to_str().expect("text").to_owned();
    let formats = [
        (
            "pax-sparse-1.0",
            vec!["--format=posix", "-S", "--xattrs", "--xattrs-include=*"],
        ),
        (
            "pax-sparse-0.1",
            vec![
                "--format=posix",
                "-S",
                "--sparse-version=0.1",
                "--xattrs",
                "--xattrs-include=*",
            ],
        ),
        (
            "pax-sparse-0.0",
            vec![
                "--format=posix",
                "-S",
                "--sparse-version=0.0",
                "--xattrs",
                "--xattrs-include=*",
            ],
        ),
        (
            "pax-dense",
            vec![
                "--format=posix",
                "--exclude=hole",
                "--xattrs",
                "--xattrs-include=*",
            ],
        ),
        ("gnu", vec!["--format=gnu", "-S"]),
        ("gnu-dense", vec!["--format=gnu", "--exclude=hole"]),
        ("oldgnu", vec!["--format=oldgnu", "-S"]),
        (
            "ustar",
            vec![
                "--format=ustar",
                "--exclude=hole",
                "--exclude=directory",
                "--exclude=dangling",
            ],
        ),
        (
            "v7",
            vec![
                "--format=v7",
                "--exclude=hole",
                "--exclude=directory",
                "--exclude=dangling",
                "--exclude=pipe",
                "--exclude=null",
                "--exclude=disk",
            ],
        ),
    ];
    for (format, options) in formats {
        let (archive, theirs, ours) = (
            text("archive.tar"),
            text(&format!("{format}-gnu")),
            at(format),
        );
        let source = text("tree");
        let mut create = vec!["-cf", &archive, "-C", &source, "--numeric-owner"];
        create.extend(&options);
        create.push(".");
        run("tar", &create);
        fs::create_dir(&theirs).expect("made");
        let extract = [
            "-xpf",
            &archive,
            "-C",
            &theirs,
            "--numeric-owner",
            "--same-owner",
            "--xattrs",
            "--xattrs-include=*",
        ];
        run("tar", &extract);
        unpack_into(&ours, &fs::read(&archive).expect("archive"))
            .unwrap_or_else(|error| panic!("{format}: {error}"));
        let (theirs, ours) = (describe(Path::new(&theirs)), describe(&ours));
        for (name, text) in &theirs {
            assert_eq!(
                ours.get(name),
                Some(text),
                "{format}: {}",
                String::from_utf8_lossy(name)
            );
        }
        assert_eq!(ours.len(), theirs.len(), "{format}");
        assert!(
            format.starts_with("v7") || ours.len() > 14,
            "{format}: the archive has everything"
        );
    }
}
