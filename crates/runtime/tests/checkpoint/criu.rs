//! The host's criu, and a container that counts.

use std::fs;
use std::process::{Command, Stdio};

use crate::bundle::Bundle;
use crate::outcome::Outcome;
use crate::subtree::eventually;

/// Counts in a file of the root file system until it is told to stop.
const COUNT: &str = "i=0; while ! test -e /tmp/stop; do
    i=$((i + 1)); echo $i >> /tmp/count; sleep 0.01; done; exit 42";

/// The criu that is to be used.
pub(crate) fn program() -> String {
    std::env::var("TARE_TEST_CRIU").unwrap_or_else(|_| "criu".to_owned())
}

/// Whether it works on this kernel, or has one of its features.
pub(crate) fn can(arguments: &[&str]) -> bool {
    Command::new(program())
        .arg("check")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A container that counts.
pub(crate) fn counting() -> Bundle {
    Bundle::new(COUNT)
}

/// How far it has come.
pub(crate) fn count(bundle: &Bundle) -> usize {
    let text = fs::read_to_string(bundle.rootfs("tmp/count")).unwrap_or_default();
    text.lines().count()
}

/// Waits until it has counted on.
#[track_caller]
pub(crate) fn goes_on(bundle: &Bundle) {
    let before = count(bundle);
    eventually("it counts", || count(bundle) > before + 2);
}

/// What has been counted is without a gap or a new beginning.
#[track_caller]
pub(crate) fn assert_consecutive(bundle: &Bundle) {
    let text = fs::read_to_string(bundle.rootfs("tmp/count")).expect("it has counted");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for (position, line) in whole.lines().enumerate() {
        assert_eq!(line, (position + 1).to_string());
    }
}

/// A command with the criu that works, about the checkpoint in a directory of
/// the bundle's.
pub(crate) fn call(bundle: &Bundle, criu: &str, arguments: &[&str], images: &str) -> Outcome {
    bundle
        .runtime
        .call(&words(bundle, criu, arguments, &bundle.text(images)))
}

/// The words of that command.
pub(crate) fn words<'a>(
    bundle: &'a Bundle,
    criu: &'a str,
    arguments: &[&'a str],
    images: &'a str,
) -> Vec<&'a str> {
    let (verb, flags) = arguments.split_first().expect("a command");
    let mut words = vec!["--criu", criu, verb, "--image-path", images];
    words.extend(flags);
    words.push(&bundle.id);
    words
}
