//! What the fuzzers of `fuzz/` call: everything here that reads what strangers
//! write, with what must hold whatever they write. No part of the interface.
//!
//! A target panics when something does not hold, and returns when it does; it
//! neither reads nor changes anything outside of its input but the namespaces
//! that a configuration names.

use tare_oci::runtime::{Mount, NamespaceKind, Seccomp, Spec, VERSION};

use crate::config::{self, Context};
use crate::rootfs::options::MountOptions;
use crate::{seccomp as filter, user};

/// The longest program that the kernel takes.
const MAXIMUM_PROGRAM: usize = 4096;
/// The longest error: one line that a person can read.
const MAXIMUM_ERROR: usize = 2048;

/// A bundle's config.json: read, checked and warned about.
pub fn config(bytes: &[u8]) {
    let spec = match config::parse(bytes) {
        Ok(spec) => spec,
        Err(error) => return check_line(&error.to_string()),
    };
    check(&spec);
    // What has been read can be written, and read again as the same.
    let text = serde_json::to_vec(&spec).expect("a configuration can be written");
    let again = config::parse(&text).expect("what is written can be read");
    assert_eq!(spec, again);
}

/// A line is one mount: destination, type, source and options, separated by
/// tabs; options by commas.
pub fn mounts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mounts: Vec<Mount> = text
        .split('\n')
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let destination = fields.next().unwrap_or_default();
            let kind = fields.next();
            let source = fields.next();
            let options = fields.next().unwrap_or_default();
            Mount {
                destination,
                kind,
                source,
                options: options.split(',').map(str::to_owned).collect(),
                ..Mount::default()
            }
        })
        .collect();
    for mount in &mounts {
        let _ = MountOptions::parse(&mount.options);
    }
    check(&Spec {
        version: VERSION.to_owned(),
        mounts,
        ..Spec::default()
    });
}

/// The files passwd and group, a user and further groups, separated by NULs.
pub fn passwd(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\0');
    let passwd = parts.next().unwrap_or_default();
    let group = parts.next().unwrap_or_default();
    let specification = parts.next().unwrap_or_default();
    let additional: Vec<String> = parts.map(str::to_owned).collect();
    if let Ok(resolved) = user::resolve(passwd, group, specification, &additional) {
        // Digits are an ID, whatever the files say.
        let name = specification.split(':').next().unwrap_or_default();
        if let Ok(number) = name.parse::<u32>()
            && !name.starts_with('+')
        {
            assert_eq!(resolved.uid, number);
        }
        assert!(resolved.uid < 1 << 31 && resolved.gid < 1 << 31);
        assert_eq!(resolved.groups.first(), Some(&resolved.gid));
        assert!(!user::home(passwd, resolved.uid).is_empty());
    }
}

/// A system call filter as JSON: compiled.
pub fn seccomp(bytes: &[u8]) {
    let Ok(configuration) = serde_json::from_slice::<Seccomp>(bytes) else {
        return;
    };
    match filter::compile(&configuration) {
        Ok(compiled) => {
            let length = compiled.program.len();
            assert!((1..=MAXIMUM_PROGRAM).contains(&length), "{length}");
            // Jumps go forward, and none beyond the end.
            for (at, instruction) in compiled.program.iter().enumerate() {
                let is_jump = instruction.code & 0x07 == 0x05;
                let is_always = instruction.code == 0x05;
                let farthest = if is_always {
                    instruction.constant as usize
                } else {
                    usize::from(instruction.jump_true.max(instruction.jump_false))
                };
                assert!(!is_jump || at + 1 + farthest < length);
            }
            let encoded = compiled.encode();
            assert_eq!(filter::Filter::decode(&encoded), Some(compiled));
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
}

fn check(spec: &Spec) {
    let given = [NamespaceKind::User, NamespaceKind::Network];
    for (rootless, given) in [(false, &[][..]), (true, &given[..])] {
        for other in [false, true] {
            let context = Context {
                rootless,
                given,
                root_given: other,
                keeps_listener: other,
            };
            if let Err(error) = config::validate(spec, &context) {
                check_line(&error.to_string());
            }
        }
    }
    for warning in config::warnings(spec) {
        assert!(!warning.contains('\n'), "{warning:?}");
    }
}

fn check_line(error: &str) {
    assert!(!error.contains(['\n', '\r', '\0']), "{error:?}");
    assert!(
        error.len() < MAXIMUM_ERROR,
        "{} bytes: {error}",
        error.len()
    );
}

#[cfg(test)]
mod tests;
