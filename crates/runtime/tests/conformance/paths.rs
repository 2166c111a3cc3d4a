//! config-linux.md, "Masked Paths" and "Readonly Paths".

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;

tests!(paths:
    a_masked_file_cannot_be_read,
    a_masked_directory_is_empty,
    a_masked_path_that_is_not_there_is_no_error,
    a_masked_path_is_masked_on_the_host_only_inside,
    masked_paths_must_be_absolute,
    a_readonly_file_cannot_be_written,
    a_readonly_directory_cannot_be_written,
    a_readonly_path_that_is_not_there_is_no_error,
    readonly_paths_must_be_absolute,
);

/// Masked paths: they cannot be read.
fn a_masked_file_cannot_be_read() {
    let mut bundle = Bundle::new("cat /proc/version /etc/secret | wc -c");
    fs::write(bundle.rootfs("etc/secret"), "secret").expect("a file");
    bundle.set(
        "/linux/maskedPaths",
        json!(["/proc/version", "/etc/secret"]),
    );
    assert_eq!(bundle.output(), "0");
}

/// Masked paths: directories neither, nor written.
fn a_masked_directory_is_empty() {
    let mut bundle = Bundle::new("ls /etc /proc/sys | grep -v : ; touch /etc/file || echo no");
    fs::write(bundle.rootfs("etc/secret"), "secret").expect("a file");
    bundle.set("/linux/maskedPaths", json!(["/etc", "/proc/sys"]));
    assert_eq!(bundle.output().trim(), "no");
}

/// Masked paths: what is not there needs no mask.
fn a_masked_path_that_is_not_there_is_no_error() {
    let mut bundle = Bundle::new("test -e /absent || echo none");
    bundle.set("/linux/maskedPaths", json!(["/absent/path", "/absent"]));
    assert_eq!(bundle.output(), "none");
}

/// Masked paths: they are those inside the container.
fn a_masked_path_is_masked_on_the_host_only_inside() {
    let mut bundle = Bundle::new("cat /etc/secret");
    fs::write(bundle.rootfs("etc/secret"), "secret").expect("a file");
    bundle.set("/linux/maskedPaths", json!(["/etc/secret"]));
    assert_eq!(bundle.output(), "");
    let text = fs::read_to_string(bundle.rootfs("etc/secret")).expect("the file");
    assert_eq!(text, "secret");
}

/// Masked paths: the values MUST be absolute.
fn masked_paths_must_be_absolute() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/maskedPaths", json!(["etc"]));
    bundle.refused();
}

/// Readonly paths: they are set read-only.
fn a_readonly_file_cannot_be_written() {
    let mut bundle = Bundle::new("cat /etc/file; echo changed > /etc/file || echo no");
    fs::write(bundle.rootfs("etc/file"), "kept\n").expect("a file");
    bundle.set("/linux/readonlyPaths", json!(["/etc/file"]));
    assert_eq!(bundle.output(), "kept\nno");
}

/// Readonly paths: with all that is in them.
fn a_readonly_directory_cannot_be_written() {
    let mut bundle = Bundle::new(
        "mkdir /etc/a || echo no; cat /proc/sys/kernel/ostype
        echo 1 > /proc/sys/vm/drop_caches || echo nor",
    );
    bundle.set("/linux/readonlyPaths", json!(["/etc", "/proc/sys"]));
    assert_eq!(bundle.output(), "no\nLinux\nnor");
}

/// Readonly paths: what is not there cannot be written.
fn a_readonly_path_that_is_not_there_is_no_error() {
    let mut bundle = Bundle::new("echo ran");
    bundle.set("/linux/readonlyPaths", json!(["/absent/path"]));
    assert_eq!(bundle.output(), "ran");
}

/// Readonly paths: the values MUST be absolute.
fn readonly_paths_must_be_absolute() {
    let mut bundle = Bundle::sleeping();
    bundle.set("/linux/readonlyPaths", json!(["etc"]));
    bundle.refused();
}
