use super::*;
use crate::cgroup::Layout;

fn rule(allow: bool, kind: &str, major: i64, minor: i64, access: &str) -> DeviceRule {
    DeviceRule {
        allow,
        kind: Some(kind.to_owned()),
        major: Some(major),
        minor: Some(minor),
        access: Some(access.to_owned()),
    }
}

fn lines(rule: &DeviceRule) -> String {
    let rules = read(rule).expect("valid");
    let lines: Vec<String> = rules.iter().map(Rule::line).collect();
    lines.join(",")
}

#[test]
fn rules_are_written_as_the_v1_lists_want_them() {
    for (rule, expected) in [
        (rule(true, "c", 1, 3, "rwm"), "c 1:3 rwm"),
        (rule(true, "b", 8, -1, "r"), "b 8:* r"),
        (rule(true, "c", -1, -1, "m"), "c *:* m"),
        (rule(false, "a", -1, -1, "rwm"), "a"),
        (rule(true, "u", 5, 0, "mw"), "c 5:0 wm"),
        // A list would take "a" for everything, whatever follows.
        (rule(true, "a", 1, 3, "r"), "b 1:3 r,c 1:3 r"),
        (rule(false, "a", -1, -1, "m"), "b *:* m,c *:* m"),
    ] {
        assert_eq!(lines(&rule), expected);
    }
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    for wrong in [
        rule(true, "x", 1, 3, "rwm"),
        rule(true, "c", 1, 3, "rx"),
        rule(true, "c", 1 << 40, 3, "r"),
    ] {
        assert!(read(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_rule_for_everything_makes_those_before_it_void() {
    let rules = [
        rule(true, "c", 1, 3, "rwm"),
        rule(false, "a", -1, -1, "rwm"),
        rule(true, "c", 1, 5, "r"),
    ];
    let checked = check(&rules).expect("valid");
    assert_eq!(checked.len(), 2);
    assert!(checked[0].is_everything() && !checked[0].allow);
}

/// On a v2 hierarchy, which every host that tests run on has, if only beside
/// v1 ones: a real process in a real group meets the real program.
#[test]
fn the_kernel_enforces_the_compiled_rules() {
    let unified = Layout::detect()
        .expect("hierarchies")
        .unified
        .expect("a v2 hierarchy");
    let group = unified.join(format!("tare-devices-{}", std::process::id()));
    std::fs::create_dir(&group).expect("a group");
    let rules = [
        rule(false, "a", -1, -1, "rwm"),
        rule(true, "c", 1, 3, "rw"),
        rule(true, "c", 1, 5, "r"),
        rule(true, "c", 1, -1, "m"),
        rule(false, "c", 1, 7, "m"),
    ];
    apply_v2(
        &group,
        &check(&[
            rule(true, "a", -1, -1, "rwm"),
            rule(false, "c", -1, -1, "r"),
        ])
        .expect("valid"),
    )
    .expect("attaches");
    // The second program takes the place of the first.
    apply_v2(&group, &check(&rules).expect("valid")).expect("attaches");
    let script = format!(
        "cd {}; echo 0 > {}/cgroup.procs || exit 99
        check() {{ name=$1; shift; \"$@\" 2>/dev/null && echo $name; }}
        check read-null sh -c 'exec 3</dev/null'
        check write-null sh -c 'exec 3>/dev/null'
        check read-zero sh -c 'exec 3</dev/zero'
        check write-zero sh -c 'exec 3>/dev/zero'
        check read-random sh -c 'exec 3</dev/urandom'
        check make-null mknod devices-null c 1 3
        check make-full mknod devices-full c 1 7
        check make-tty mknod devices-tty c 5 0
        rm -f devices-null devices-full devices-tty",
        std::env::temp_dir().display(),
        group.display(),
    );
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", &script])
        .output()
        .expect("a shell");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while std::fs::remove_dir(&group).is_err() {
        assert!(std::time::Instant::now() < deadline, "the group stays");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "read-null\nwrite-null\nread-zero\nmake-null\n"
    );
}

#[test]
fn a_new_container_has_what_every_container_has() {
    let lines = |rules: &[DeviceRule]| -> Vec<String> {
        let rules = effective(rules).expect("valid");
        rules
            .iter()
            .map(|rule| format!("{}{}", if rule.allow { '+' } else { '-' }, rule.line()))
            .collect()
    };
    let nothing = lines(&[]);
    assert_eq!(nothing[0], "-a");
    assert_eq!(nothing[1], "+c *:* m");
    assert!(nothing.contains(&"+c 136:* rwm".to_owned()));
    // Everything stays everything, and takes one rule.
    assert_eq!(lines(&[rule(true, "a", -1, -1, "rwm")]), ["+a"]);
}

#[test]
fn a_list_is_changed_by_what_differs_and_closes_before_it_opens() {
    let wanted = |rules: &[DeviceRule]| list::wanted(&check(rules).expect("valid"));
    let only = wanted(&[
        rule(false, "a", -1, -1, "rwm"),
        rule(true, "c", 1, 3, "rw"),
        rule(true, "b", 8, -1, "r"),
        rule(true, "c", 5, 0, "rwm"),
        rule(false, "c", 5, 0, "w"),
    ])
    .expect("a list");
    let write = |file: &'static str, line: &str| (file, line.to_owned());
    let present = list::parse("c 1:3 rwm\nc 1:5 r\nc 5:0 r\n").expect("a list");
    assert_eq!(
        list::writes(Some(&present), &only),
        [
            write("devices.deny", "c 1:3 m"),
            write("devices.deny", "c 1:5 r"),
            write("devices.allow", "b 8:* r"),
            write("devices.allow", "c 5:0 m"),
        ]
    );
    assert_eq!(list::parse("a *:* rwm\n"), None);
    assert_eq!(
        list::writes(None, &only)[..2],
        [
            write("devices.deny", "a"),
            write("devices.allow", "b 8:* r")
        ]
    );
    // The kernel would let such a rule pass and not keep it.
    let error = wanted(&[
        rule(false, "a", -1, -1, "rwm"),
        rule(true, "c", 1, -1, "m"),
        rule(false, "c", 1, 7, "m"),
    ])
    .expect_err("a hole in a wildcard");
    assert!(error.to_string().contains("c 1:7 m"), "{error}");
    let all_but = wanted(&[rule(true, "a", -1, -1, "rwm"), rule(false, "c", 1, 7, "w")]);
    assert_eq!(
        list::writes(Some(&present), &all_but.expect("a list")),
        [
            write("devices.allow", "a"),
            write("devices.deny", "c 1:7 w")
        ]
    );
}
