//! Descriptors and working directories of the host.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::process::Output;

use rustix::fs::{Mode, OFlags};

use super::bundle::{Bundle, said};
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    (
        "cve_process::run_in_a_leaked_directory_cve_2024_21626",
        run_in_leaked,
    ),
    (
        "cve_process::exec_in_a_leaked_directory_cve_2024_21626",
        exec_in_leaked,
    ),
    (
        "cve_process::no_descriptor_of_the_host_is_open_inside_cve_2024_21626",
        nothing_open,
    ),
];

/// Numbers at which a descriptor of the runtime's, or of its caller's, may be.
const NUMBERS: std::ops::Range<i32> = 3..16;

/// A directory of the host, which programs inherit unless somebody closes it.
fn leak(bundle: &Bundle) -> OwnedFd {
    let directory = &bundle.sandbox.directory;
    fs::write(directory.join("marker"), "the host").expect("a file");
    let leaked = rustix::fs::open(directory, OFlags::RDONLY, Mode::empty()).expect("opens");
    assert!(NUMBERS.contains(&leaked.as_raw_fd()));
    leaked
}

/// Reads a file of the host from wherever the program is.
fn script(bundle: &Bundle) -> String {
    let directory = bundle.sandbox.directory.display();
    format!("cat marker ../../../../../../../../../..{directory}/marker; pwd")
}

/// Ways to name a descriptor as a directory; `link` is a link in the image.
fn places(number: i32) -> [String; 5] {
    [
        format!("/proc/self/fd/{number}"),
        format!("/proc/self/fd/{number}/"),
        format!("/proc/thread-self/fd/{number}/."),
        format!("/proc/self/fd/{number}/.."),
        format!("/links/{number}"),
    ]
}

fn make_links(bundle: &Bundle) {
    let links = bundle.sandbox.lower("links");
    fs::create_dir(&links).expect("directory");
    for number in NUMBERS {
        let target = format!("/proc/self/fd/{number}");
        symlink(target, links.join(number.to_string())).expect("link");
    }
}

/// No directory that has such a name is the container's: /proc/self/fd/N/.. is
/// the directory above of what is open, which only a way out has.
#[track_caller]
fn assert_refused(place: &str, output: &Output) {
    let said = said(output);
    assert!(!said.contains("the host"), "{place}: {output:?}");
    assert!(
        said.contains("chdir to cwd") || said.contains("possible container breakout detected"),
        "{place}: {output:?}"
    );
}

fn run_in_leaked() {
    let bundle = Bundle::new();
    let _leaked = leak(&bundle);
    make_links(&bundle);
    for place in NUMBERS.flat_map(places) {
        let mut spec = bundle.sandbox.spec(&["sh", "-c", &script(&bundle)]);
        spec.process
            .as_mut()
            .expect("a process")
            .cwd
            .clone_from(&place);
        bundle.configure(spec);
        let output = bundle.run();
        assert_refused(&place, &output);
    }
}

fn exec_in_leaked() {
    let bundle = Bundle::new();
    let _leaked = leak(&bundle);
    make_links(&bundle);
    bundle.start_sleeping();
    let script = script(&bundle);
    for place in NUMBERS.flat_map(places) {
        let output = bundle.exec(&["--cwd", &place], &["sh", "-c", &script]);
        assert_refused(&place, &output);
    }
}

fn nothing_open() {
    let bundle = Bundle::new();
    let _leaked = leak(&bundle);
    // The fourth is the directory that is being read.
    let list = "echo $(ls /proc/self/fd)";
    let mut spec =
        bundle
            .sandbox
            .spec(&["sh", "-c", &format!("{list}; cat /tmp/hook; sleep 1000")]);
    let hook =
        format!(r#"[{{"path":"/bin/sh","args":["sh","-c","PATH=/bin; {list} > /tmp/hook"]}}]"#);
    spec.hooks = Some(tare_oci::runtime::Hooks {
        start_container: serde_json::from_str(&hook).expect("a hook"),
        ..tare_oci::runtime::Hooks::default()
    });
    spec.process.as_mut().expect("a process").args[2] = format!("{list}; cat /tmp/hook");
    bundle.configure(spec);
    assert_eq!(said(&bundle.run()), "0 1 2 3\n0 1 2 3");
    drop(bundle);

    let bundle = Bundle::new();
    let _leaked = leak(&bundle);
    bundle.start_sleeping();
    assert_eq!(said(&bundle.exec(&[], &["sh", "-c", list])), "0 1 2 3");
}
