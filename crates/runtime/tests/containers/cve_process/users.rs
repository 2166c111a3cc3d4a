//! Numbers of users that are not what they seem.

use std::fs;

use tare_runtime::Identity;

use super::bundle::{Bundle, said};
use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    (
        "cve_process::exec_takes_a_user_as_it_is_cve_2026_30892",
        exec_numbers,
    ),
    (
        "cve_process::exec_refuses_what_is_no_number_cve_2026_30892",
        exec_oddities,
    ),
    (
        "cve_process::a_process_file_has_no_odd_numbers_cve_2026_30892",
        process_files,
    ),
    (
        "cve_process::a_large_number_is_not_a_name_cve_2026_46680",
        large_numbers,
    ),
    ("cve_process::the_largest_number_is_not_root", largest),
];

const WHO: &[&str] = &["sh", "-c", "echo $(id -u):$(id -g):$(id -G)"];

/// Names that an image has given to root: whatever reads them as names has
/// lost.
const NAMES: [&str; 9] = [
    "1",
    "007",
    "-1",
    "+1",
    "4294967295",
    "4294967296",
    "4294967297",
    "99999999999999999999",
    "0x1",
];

fn make_root_of_names(sandbox: &Sandbox) {
    let mut passwd = String::from("root:x:0:0:root:/root:/bin/sh\n");
    let mut group = String::from("root:x:0:\n");
    for name in NAMES {
        passwd.push_str(&format!("{name}:x:0:0::/root:/bin/sh\n"));
        group.push_str(&format!("{name}:x:0:\n"));
    }
    fs::write(sandbox.lower("etc/passwd"), passwd).expect("writes");
    fs::write(sandbox.lower("etc/group"), group).expect("writes");
}

fn exec_numbers() {
    let bundle = Bundle::new();
    make_root_of_names(&bundle.sandbox);
    bundle.start_sleeping();
    for (flags, expected) in [
        (&["--user", "1"][..], "1:0:0"),
        (&["--user=1"], "1:0:0"),
        (&["-u", "1"], "1:0:0"),
        (&["-u", "1:2"], "1:2:2"),
        (&["-u", "007:08"], "7:8:8"),
        (&["-u", "65534:65534", "-g", "5"], "65534:65534:65534 5"),
        (&["-u", "4294967294"], "4294967294:0:0"),
    ] {
        let output = bundle.exec(flags, WHO);
        assert_eq!(said(&output), expected, "{flags:?}");
    }
}

fn exec_oddities() {
    let bundle = Bundle::new();
    make_root_of_names(&bundle.sandbox);
    bundle.start_sleeping();
    for odd in [
        "-1",
        "+1",
        "+0",
        "4294967295",
        "4294967296",
        "4294967297",
        "99999999999999999999",
        "0x1",
        "1e3",
        " 1",
        "1 ",
        "1\n",
        "",
        "1:",
        ":1",
        "1:+0",
        "1:-1",
        "1:2:3",
        "1:4294967295",
        "alice",
        "root",
        "١",
    ] {
        let output = bundle.exec(&[&format!("--user={odd}")], WHO);
        assert!(!output.status.success(), "{odd:?}: {output:?}");
        assert!(
            said(&output).contains("is not the number of a user or group"),
            "{odd:?}: {output:?}"
        );
        let output = bundle.exec(&[&format!("--additional-gids={odd}")], WHO);
        assert!(!output.status.success(), "{odd:?}: {output:?}");
    }
}

fn process_files() {
    let bundle = Bundle::new();
    bundle.start_sleeping();
    let path = bundle.sandbox.directory.join("process.json");
    for number in [
        "4294967295",
        "4294967296",
        "-1",
        "1.5",
        "1e0",
        "\"1\"",
        "null",
        "[]",
    ] {
        for field in ["uid", "gid"] {
            let document = format!(
                r#"{{"cwd":"/","args":["id","-u"],"env":["PATH=/bin"],"user":{{"uid":7,"gid":7,"{field}":{number}}}}}"#
            );
            // Every name once only: which of two counts is for readers to
            // differ about.
            let document = document.replacen(&format!("\"{field}\":7,"), "", 1);
            fs::write(&path, document).expect("writes");
            let output = bundle.exec(&["--process", &path.display().to_string()], &[]);
            // Null is the same as absent.
            if number == "null" {
                let expected = if field == "uid" { "0" } else { "7" };
                assert_eq!(said(&output), expected);
                continue;
            }
            assert!(!output.status.success(), "{field} {number}: {output:?}");
            assert!(
                said(&output).contains("user"),
                "{field} {number}: {output:?}"
            );
        }
    }
}

fn large_numbers() {
    let sandbox = Sandbox::new();
    make_root_of_names(&sandbox);
    let spec = sandbox.spec(WHO);
    for (user, expected) in [
        ("1", Some("1:0:0")),
        ("007", Some("7:0:0")),
        ("+1", Some("1:0:0")),
        ("1:1", Some("1:1:1")),
        ("1:+1", Some("1:1:1")),
        ("-1", None),
        ("-0", None),
        ("4294967295", None),
        ("4294967296", None),
        ("4294967297", None),
        ("99999999999999999999", None),
        ("1:99999999999999999999", None),
        ("1:-1", None),
    ] {
        let identity = Identity::Named {
            user: user.to_owned(),
            groups: Vec::new(),
        };
        match (sandbox.run_as(&spec, identity), expected) {
            (Ok(outcome), Some(expected)) => assert_eq!(outcome.output, expected, "{user}"),
            (Err(error), None) => assert_eq!(
                error.to_string(),
                "uids and gids must be in range 0-2147483647",
                "{user}"
            ),
            (result, _) => panic!("{user}: {result:?}"),
        }
    }
}

/// To the kernel it means "as it is", and it is root that asks.
fn largest() {
    let sandbox = Sandbox::new();
    for (field, change) in [
        ("uid", (u32::MAX, 1, Vec::new())),
        ("gid", (1, u32::MAX, Vec::new())),
        ("additionalGids[0]", (1, 1, vec![u32::MAX])),
    ] {
        let mut spec = sandbox.spec(WHO);
        let user = &mut spec.process.as_mut().expect("a process").user;
        (user.uid, user.gid, user.additional_gids) = change;
        let error = sandbox.run(&spec).expect_err("no ID").to_string();
        assert_eq!(error, format!("process.user.{field}: 4294967295 is no ID"));
    }
}
