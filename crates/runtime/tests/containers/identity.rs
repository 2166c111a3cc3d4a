//! Users, groups and homes.

use std::fs;

use tare_runtime::Identity;

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("identity::users_are_looked_up_in_the_container", lookup),
    ("identity::unknown_users_are_refused", unknown),
    ("identity::an_ordinary_user_has_no_capabilities", ordinary),
    ("identity::streams_belong_to_the_user", streams),
    (
        "identity::files_of_the_image_are_not_trusted",
        hostile_files,
    ),
];

fn named(user: &str, groups: &[&str]) -> Identity {
    Identity::Named {
        user: user.to_owned(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

fn lookup() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&["sh", "-c", "echo $(id -u):$(id -g):$(id -G):$HOME"]);
    for (user, groups, expected) in [
        ("", &[][..], "0:0:0 10:/root"),
        ("alice", &[], "1000:1000:1000 29:/home/alice"),
        ("1000", &[], "1000:1000:1000 29:/home/alice"),
        ("alice:audio", &["10"], "1000:29:29 10:/home/alice"),
        ("4242", &["audio"], "4242:0:0 29:/"),
    ] {
        let outcome = sandbox.run_as(&spec, named(user, groups)).expect("runs");
        assert_eq!(outcome.output, expected, "{user:?}");
    }
    let mut spec = sandbox.spec(&["sh", "-c", "echo $(id -u):$(id -g):$(id -G):$HOME; umask"]);
    let process = spec.process.as_mut().expect("a process");
    process.user.uid = 1;
    process.user.gid = 2;
    process.user.additional_gids = vec![3, 4];
    process.user.umask = Some(0o077);
    process.env.push("HOME=/elsewhere".to_owned());
    assert_eq!(
        sandbox.run(&spec).expect("runs").output,
        "1:2:2 3 4:/elsewhere\n0077"
    );
}

fn unknown() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&["true"]);
    for (user, groups, expected) in [
        (
            "bob",
            &[][..],
            "unable to find user bob: no matching entries in passwd file",
        ),
        (
            "0:bobs",
            &[],
            "unable to find group bobs: no matching entries in group file",
        ),
        (
            "0",
            &["bobs"],
            "unable to find group bobs: no matching entries in group file",
        ),
        (
            "4294967296",
            &[],
            "uids and gids must be in range 0-2147483647",
        ),
    ] {
        let error = sandbox.run_as(&spec, named(user, groups)).expect_err(user);
        assert_eq!(error.to_string(), expected);
        assert!(!sandbox.has_cgroups());
    }
}

fn ordinary() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&[
        "sh",
        "-c",
        "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status; touch /x || echo refused",
    ]);
    let outcome = sandbox.run_as(&spec, named("alice", &[])).expect("runs");
    let words: Vec<&str> = outcome.output.split_whitespace().collect();
    assert_eq!(
        words[..6],
        [
            "CapPrm:",
            "0000000000000000",
            "CapEff:",
            "0000000000000000",
            "CapBnd:",
            "00000000a80425fb"
        ]
    );
    assert!(outcome.output.ends_with("refused"), "{outcome:?}");
}

fn streams() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&[
        "sh",
        "-c",
        "echo opened > /proc/self/fd/1; echo $?; stat -L -c %u /dev/null",
    ]);
    let outcome = sandbox.run_as(&spec, named("alice", &[])).expect("runs");
    assert_eq!(outcome.output, "opened\n0\n0");
}

fn hostile_files() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&["id", "-u"]);
    let passwd = sandbox.lower("etc/passwd");
    fs::remove_file(&passwd).expect("removes");
    // A FIFO would hold the process up for ever.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &passwd,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .expect("a FIFO");
    let error = sandbox
        .run_as(&spec, named("alice", &[]))
        .expect_err("no regular file");
    assert_eq!(error.to_string(), "/etc/passwd: is no regular file");
    fs::remove_file(&passwd).expect("removes");
    // A link leads nowhere but into the container's own root.
    std::os::unix::fs::symlink("/../../../../etc/shadow", &passwd).expect("a link");
    let error = sandbox
        .run_as(&spec, named("alice", &[]))
        .expect_err("no such user");
    assert!(
        error.to_string().starts_with("unable to find user alice"),
        "{error}"
    );
    fs::remove_file(&passwd).expect("removes");
    let huge = fs::File::create(&passwd).expect("a file");
    huge.set_len(1 << 40).expect("sparse");
    let error = sandbox
        .run_as(&spec, named("alice", &[]))
        .expect_err("too large");
    assert_eq!(error.to_string(), "/etc/passwd: is too large");
    // Without the file numbers still work.
    fs::remove_file(&passwd).expect("removes");
    assert_eq!(
        sandbox
            .run_as(&spec, named("12", &[]))
            .expect("runs")
            .output,
        "12"
    );
}
