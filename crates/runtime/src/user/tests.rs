use super::*;

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
# a comment
daemon:x:1:1:daemon:/usr/sbin:/bin/false
broken:x:not-a-number:1::/:
huge:x:4294967296:1::/:
1000:x:7:7:a name of digits:/seven:/bin/sh
alice:x:1000:1000::/home/alice:/bin/sh
nohome:x:1001:1001
";
const GROUP: &str = "\
root:x:0:
wheel:x:10:root,alice
audio:x:29:alice
alice:x:1000:
5000:x:50:
";

fn groups_of(specification: &str, additional: &[&str]) -> Result<(u32, u32, Vec<u32>), Error> {
    let additional: Vec<String> = additional.iter().map(|&one| one.to_owned()).collect();
    resolve(PASSWD, GROUP, specification, &additional)
        .map(|resolved| (resolved.uid, resolved.gid, resolved.groups))
}

#[test]
fn users_and_groups_are_found_by_name_and_by_number() {
    type Case<'a> = (&'a str, &'a [&'a str], (u32, u32, Vec<u32>));
    let cases: [Case<'_>; 11] = [
        ("", &[], (0, 0, vec![0, 10])),
        ("root", &[], (0, 0, vec![0, 10])),
        ("alice", &[], (1000, 1000, vec![1000, 10, 29])),
        ("alice:audio", &[], (1000, 29, vec![29])),
        ("alice:", &[], (1000, 1000, vec![1000, 10, 29])),
        (":audio", &[], (0, 29, vec![29])),
        ("4321", &[], (4321, 0, vec![0])),
        (
            "4321:1234",
            &["audio", "77", "77"],
            (4321, 1234, vec![1234, 29, 77]),
        ),
        // Digits are an ID even where a name of digits exists.
        ("1000", &[], (1000, 1000, vec![1000, 10, 29])),
        ("0:5000", &[], (0, 5000, vec![5000])),
        // As Docker takes them.
        ("+7:010", &[], (7, 10, vec![10])),
    ];
    for (specification, additional, expected) in cases {
        assert_eq!(
            groups_of(specification, additional),
            Ok(expected),
            "{specification:?}"
        );
    }
}

#[test]
fn unknown_names_and_impossible_numbers_are_refused_in_docker_words() {
    let cases = [
        (
            "nobody",
            "unable to find user nobody: no matching entries in passwd file",
        ),
        (
            "broken",
            "unable to find user broken: no matching entries in passwd file",
        ),
        (
            "huge",
            "unable to find user huge: no matching entries in passwd file",
        ),
        ("-1", "uids and gids must be in range 0-2147483647"),
        (
            "99999999999999999999",
            "uids and gids must be in range 0-2147483647",
        ),
        (
            "+",
            "unable to find user +: no matching entries in passwd file",
        ),
        (
            "alice:none",
            "unable to find group none: no matching entries in group file",
        ),
        ("2147483648", "uids and gids must be in range 0-2147483647"),
        (
            "0:99999999999",
            "uids and gids must be in range 0-2147483647",
        ),
        (
            "root\0",
            "unable to find user root\0: no matching entries in passwd file",
        ),
    ];
    for (specification, expected) in cases {
        let error = groups_of(specification, &[]).expect_err(specification);
        assert_eq!(error.to_string(), expected, "{specification:?}");
    }
}

#[test]
fn home_directories_come_from_the_file_or_are_the_root() {
    for (uid, expected) in [
        (0, "/root"),
        (1000, "/home/alice"),
        (1001, "/"),
        (4242, "/"),
    ] {
        assert_eq!(home(PASSWD, uid), expected, "{uid}");
    }
}
